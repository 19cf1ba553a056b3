"""The templates that are there without any of one's own, in English and Chinese."""

from typing import Final

from plugins.push.ticket_templates import TICKETS

_TEXT_EN: Final = """\
Subject: {{ items[0].title if items else "News for you" }}{{ " and more" if items | length > 1 }}

{% if customer.name %}Dear {{ customer.name }},{% else %}Hello,{% endif +%}

we thought that this might interest you:
{% for item in items %}
- {{ item.title }}
{%- if item.price %}, {{ "%.2f" | format(item.price) }}{{ " " ~ item.currency if item.currency }}{% endif +%}
{% if item.reason %}
  {{ item.reason }}
{% endif %}
{% if item.url %}
  {{ item.url }}
{% endif %}
{% endfor %}
{% if unsubscribe %}

To get no more of these messages: {{ unsubscribe }}
{% endif %}
"""

_TEXT_ZH: Final = """\
Subject: {{ items[0].title if items else "为您推荐" }}{{ " 等" if items | length > 1 }}

{% if customer.name %}{{ customer.name }}，您好！{% else %}您好！{% endif +%}

以下内容您可能感兴趣：
{% for item in items %}
- {{ item.title }}
{%- if item.price %}，{{ "%.2f" | format(item.price) }}{{ " " ~ item.currency if item.currency else " 元" }}{% endif +%}
{% if item.reason %}
  {{ item.reason }}
{% endif %}
{% if item.url %}
  {{ item.url }}
{% endif %}
{% endfor %}
{% if unsubscribe %}

不想再收到此类消息：{{ unsubscribe }}
{% endif %}
"""

_ITEMS: Final = """\
<ul>
{% for item in items %}
<li>{% if item.url %}<a href="{{ item.url }}">{{ item.title }}</a>{% else %}{{ item.title }}{% endif +%}
{% if item.price %}{{ "%.2f" | format(item.price) }}{{ " " ~ item.currency if item.currency }}{% endif %}
{% if item.reason %}<br><small>{{ item.reason }}</small>{% endif %}
</li>
{% endfor %}
</ul>
"""

_HTML_EN: Final = f"""\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{{{ subject }}}}</title></head><body>
<p>{{% if customer.name %}}Dear {{{{ customer.name }}}},{{% else %}}Hello,{{% endif %}}</p>
<p>we thought that this might interest you:</p>
{_ITEMS}
{{% if unsubscribe %}}
<p><small><a href="{{{{ unsubscribe }}}}">Get no more of these messages</a></small></p>
{{% endif %}}
</body></html>
"""

_HTML_ZH: Final = f"""\
<!DOCTYPE html>
<html lang="zh"><head><meta charset="utf-8"><title>{{{{ subject }}}}</title></head><body>
<p>{{% if customer.name %}}{{{{ customer.name }}}}，您好！{{% else %}}您好！{{% endif %}}</p>
<p>以下内容您可能感兴趣：</p>
{_ITEMS}
{{% if unsubscribe %}}<p><small><a href="{{{{ unsubscribe }}}}">不想再收到此类消息</a></small></p>{{% endif %}}
</body></html>
"""

DEFAULT: Final = "default"

BUILTIN: Final = {
    f"{DEFAULT}.txt": _TEXT_EN,
    f"{DEFAULT}.html": _HTML_EN,
    f"{DEFAULT}.en.txt": _TEXT_EN,
    f"{DEFAULT}.en.html": _HTML_EN,
    f"{DEFAULT}.zh.txt": _TEXT_ZH,
    f"{DEFAULT}.zh.html": _HTML_ZH,
    **TICKETS,
}
"""Files of templates by their names; one of the same name in the folder of templates counts instead."""

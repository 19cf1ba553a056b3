"""The templates of notices about tickets and vehicles (`crm tickets notices`), in English and Chinese.

They are given `data`: `ticket`, `dealer`, `model`, `vin`, `state`, `at` of a ticket; `vin`, `model`, `dealer`, `on`,
`km` of a vehicle that is due for maintenance.
"""

from typing import Final

_HELLO_EN: Final = "{% if customer.name %}Dear {{ customer.name }},{% else %}Hello,{% endif +%}\n"
_HELLO_ZH: Final = "{% if customer.name %}{{ customer.name }}，您好！{% else %}您好！{% endif +%}\n"
_END_EN: Final = "{% if unsubscribe %}\n\nTo get no more of these messages: {{ unsubscribe }}\n{% endif %}\n"
_END_ZH: Final = "{% if unsubscribe %}\n\n不想再收到此类消息：{{ unsubscribe }}\n{% endif %}\n"

_VEHICLE_EN: Final = 'your {{ data.model or "vehicle" }}'
_VEHICLE_ZH: Final = '您的{{ data.model or "爱车" }}'

_STATES_EN: Final = """\
{% set said = {"opened": "has been opened", "in_review": "is in review", "sent_back": "needs more information",
"rejected": "has been turned down", "withdrawn": "has been withdrawn", "approved": "has been approved",
"parts_shipped": "waits for a part that is on its way", "parts_ready": "can begin: the part is there",
"served": "is done: your vehicle is ready", "signed": "has been signed", "returning": "is done",
"part_returned": "is done", "settled": "is done", "paid": "is done", "confirmed": "is closed"} %}
"""
_STATES_ZH: Final = """\
{% set said = {"opened": "已受理", "in_review": "正在审核", "sent_back": "需要补充资料", "rejected": "未通过审核",
"withdrawn": "已撤回", "approved": "已通过审核", "parts_shipped": "所需配件正在运送途中",
"parts_ready": "配件已到，可以开始维修", "served": "维修已完成，请来取车", "signed": "已签收",
"returning": "已完成", "part_returned": "已完成", "settled": "已完成", "paid": "已完成", "confirmed": "已结案"} %}
"""


def _text(subject: str, hello: str, body: str, end: str) -> str:
    return f"Subject: {subject}\n\n{hello}\n{body}{end}"


_FOLLOW_UP_EN: Final = _text(
    "How is your vehicle after the repair?",
    _HELLO_EN,
    f"some days ago you fetched {_VEHICLE_EN} from the workshop (ticket {{{{ data.ticket }}}}). Is all well with it?\n"
    "If not, please tell the dealer, or simply answer this message.\n",
    _END_EN,
)
_FOLLOW_UP_ZH: Final = _text(
    "维修回访：您的爱车现在怎么样？",
    _HELLO_ZH,
    f"{_VEHICLE_ZH}前几天在服务站完成了维修（工单 {{{{ data.ticket }}}}）。现在一切正常吗？\n"
    "如有任何问题，请联系服务站，或直接回复本消息。\n",
    _END_ZH,
)
_MAINTENANCE_EN: Final = _text(
    "Maintenance of {{ data.model or 'your vehicle' }} is due",
    _HELLO_EN,
    f"the next maintenance of {_VEHICLE_EN} is due about {{{{ data.on }}}}"
    '{% if data.km %}, or at {{ "{:,.0f}".format(data.km) }} km{% endif %}.\n'
    "Please make an appointment with your dealer.\n",
    _END_EN,
)
_MAINTENANCE_ZH: Final = _text(
    "{{ data.model or '您的爱车' }}保养提醒",
    _HELLO_ZH,
    f"{_VEHICLE_ZH}将于 {{{{ data.on }}}} 前后"
    '{% if data.km %}或行驶满 {{ "{:,.0f}".format(data.km) }} 公里时{% endif %}需要保养。\n'
    "请提前与服务站预约。\n",
    _END_ZH,
)
_STATE_EN: Final = _text(
    'Your repair {{ data.ticket }}{{ ": " ~ data.model if data.model }}',
    _HELLO_EN,
    f"{_STATES_EN}the repair of {_VEHICLE_EN} (ticket {{{{ data.ticket }}}}) "
    "{{ said.get(data.state, data.state) }}, since {{ data.at }}.\n",
    _END_EN,
)
_STATE_ZH: Final = _text(
    "您的维修工单 {{ data.ticket }} 有新进展",
    _HELLO_ZH,
    f"{_STATES_ZH}{_VEHICLE_ZH}的维修工单 {{{{ data.ticket }}}} {{{{ said.get(data.state, data.state) }}}}"
    "（{{ data.at }}）。\n",
    _END_ZH,
)

TICKETS: Final = {
    f"ticket-{kind}{language}.txt": text
    for kind, english, chinese in (
        ("follow-up", _FOLLOW_UP_EN, _FOLLOW_UP_ZH),
        ("maintenance", _MAINTENANCE_EN, _MAINTENANCE_ZH),
        ("state", _STATE_EN, _STATE_ZH),
    )
    for language, text in (("", english), (".en", english), (".zh", chinese))
}
"""Files of templates by their names."""

SAMPLE: Final = {
    "ticket": "T000123",
    "dealer": "D01",
    "model": "Model A",
    "vin": "",
    "state": "served",
    "at": "2026-03-02",
    "on": "2026-03-16",
    "km": 20_000.0,
}
"""What they are given when somebody looks at one."""

"""Formats of many shapes: every field of a hit, read from a line that was written by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logparse.kernel import HITS
from logparse.pattern import compile_pattern, guess_syntax
from logparse.spec import LogFormat

AT = datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CLF = "[17/May/2015:12:05:03 +0200]"
CART = {"method": "GET", "path": "/cart", "page": "/cart"}


def hit(**fields: Any) -> dict[str, Any]:
    """A whole hit from what is not null in it."""
    return {**dict.fromkeys(HITS), "ts": AT, "kind": "page", "line": 1, **fields}


def check(engine: Any, pattern: str, line: str, **fields: Any) -> None:
    found = engine.hit(pattern, line)
    assert found.pop("visitor") >= 0
    expected = hit(**fields)
    del expected["visitor"]
    assert found == expected


WHOLE = {
    "address": "203.0.113.9",
    "login": "li",
    "query": "a=1",
    "status": 200,
    "bytes": 512,
    "referrer": "https://example.org/",
    "agent": FIREFOX,
    **CART,
}
COMBINED = f'203.0.113.9 - li {CLF} "GET /cart?a=1 HTTP/1.1" 200 512 "https://example.org/" "{FIREFOX}"'


def test_combined(engine: Any) -> None:
    check(engine, "combined", COMBINED, **WHOLE)


def test_common(engine: Any) -> None:
    line = f'203.0.113.9 - li {CLF} "GET /cart?a=1 HTTP/1.1" 200 512'
    check(engine, "common", line, **{**WHOLE, "referrer": None, "agent": None})


def test_vcombined(engine: Any) -> None:
    check(engine, "vcombined", f"shop.example.com:443 {COMBINED}", host="shop.example.com", **WHOLE)


def test_forwarded_takes_the_client_from_the_list(engine: Any) -> None:
    line = f'{COMBINED} "198.51.100.7, 203.0.113.9"'
    check(engine, "forwarded", line, **{**WHOLE, "address": "198.51.100.7"})


TIMES = {
    "%t": CLF,
    "[%{%d/%b/%Y:%T %z}t]": CLF,
    "%{%d/%b/%Y:%H:%M:%S %z}t": CLF.strip("[]"),
    "%{begin:%d/%b/%Y:%H:%M:%S %z}t": CLF.strip("[]"),
    "%{sec}t": "1431857103",
    "%{%s}t": "1431857103",
    "%{end:sec}t": "1431857103",
    "%{%Y-%m-%d %H:%M:%S}t": "2015-05-17 10:05:03",
    '"%{%Y-%m-%d %H:%M:%S}t"': '"2015-05-17 10:05:03"',
    "%{%F}t %{%T}t": "2015-05-17 10:05:03",
    "%{%F}tT%{%R:%S}tZ": "2015-05-17T10:05:03Z",
    "%{%F}t%%%{%T}t": "2015-05-17%10:05:03",
    "%{%D %r}t": "05/17/15 10:05:03 AM",
    "%{%c}t": "Sun May 17 10:05:03 2015",
    "%{%e. %b %Y %k:%M:%S}t": "17. May 2015 10:05:03",
    "$time_local": CLF.strip("[]"),
    "[$time_local]": CLF,
    "$time_iso8601": "2015-05-17T12:05:03+02:00",
    "[$time_iso8601]": "[2015-05-17T12:05:03+02:00]",
    '"$time_iso8601"': '"2015-05-17T12:05:03+02:00"',
    "$msec": "1431857103.000",
}


@pytest.mark.parametrize("pattern", TIMES)
def test_time_of_every_shape_before_a_login_that_may_hold_spaces(engine: Any, pattern: str) -> None:
    rest = '$remote_user "$request"' if "$" in pattern else '%u "%r"'
    line = f'{TIMES[pattern]} Li Wei "GET /cart HTTP/1.1"'
    check(engine, f"{pattern} {rest}", line, login="Li Wei", **CART)


@pytest.mark.parametrize("pattern", TIMES)
def test_time_of_every_shape_between_tabs(engine: Any, pattern: str) -> None:
    rest = "$remote_user\\t$request" if "$" in pattern else "%u\\t%r"
    line = f"{TIMES[pattern]}\tLi Wei\tGET /cart HTTP/1.1"
    check(engine, f"{pattern}\\t{rest}", line, login="Li Wei", **CART)


FINE_TIMES = {
    "%{msec}t": ("1431857103042", 42_000),
    "%{usec}t": ("1431857103000042", 42),
    "%{sec}t.%{msec_frac}t": ("1431857103.042", 42_000),
    "%{sec}t.%{usec_frac}t": ("1431857103.000042", 42),
    "%{sec}t%{msec_frac}t": ("1431857103042", 42_000),
    "%{sec}t%{usec_frac}t": ("1431857103000042", 42),
    "%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t": ("17/May/2015:12:05:03.042 +0200", 42_000),
    "%{%d/%b/%Y:%T}t,%{usec_frac}t %{%z}t": ("17/May/2015:12:05:03,000042 +0200", 42),
    "[%{%F}t %{%T}t.%{msec_frac}t]": ("[2015-05-17 10:05:03.042]", 42_000),
    "$msec": ("1431857103.042", 42_000),
}


@pytest.mark.parametrize("pattern", FINE_TIMES)
def test_time_finer_than_a_second(engine: Any, pattern: str) -> None:
    text, micros = FINE_TIMES[pattern]
    request = "$request" if "$" in pattern else "%r"
    line = f'{text} "GET /cart HTTP/1.1"'
    check(engine, f'{pattern} "{request}"', line, ts=AT + timedelta(microseconds=micros), **CART)


TWO_TIMES = {
    "%t %{usec}t": f"{CLF} 1431857103000042",
    "%{usec}t %t": f"1431857103000042 {CLF}",
    "[$time_local] $msec": f"{CLF} 1431857103.000042",
    "$time_iso8601 $msec": "2015-05-17T12:05:03+02:00 1431857103.000042",
    "%t %{%F %T}t.%{usec_frac}t": f"{CLF} 2015-05-17 10:05:03.000042",
}


@pytest.mark.parametrize("pattern", TWO_TIMES)
def test_the_finer_of_two_times_is_taken(engine: Any, pattern: str) -> None:
    request = "$request" if "$" in pattern else "%r"
    line = f'{TWO_TIMES[pattern]} "GET /cart HTTP/1.1"'
    check(engine, f'{pattern} "{request}"', line, ts=AT + timedelta(microseconds=42), **CART)


PARTS = {
    '%t "%m %U%q %H" %>s': f'{CLF} "GET /cart?a=1 HTTP/1.1" 200',
    "%t %m %U%q %H %>s": f"{CLF} GET /cart?a=1 HTTP/1.1 200",
    '%t %H %m %>s "%U%q"': f'{CLF} HTTP/1.1 GET 200 "/cart?a=1"',
    "%t,%m,%>s,%U%q": f"{CLF},GET,200,/cart?a=1",
    r"%t\t%m\t%U\t%q\t%>s": f"{CLF}\tGET\t/cart\t?a=1\t200",
    '%t "%m" "%U" "%q" %>s': f'{CLF} "GET" "/cart" "?a=1" 200',
    "[$time_local] $status $request_method $request_uri": f"{CLF} 200 GET /cart?a=1",
    "[$time_local] $status $request_method $uri $args": f"{CLF} 200 GET /cart a=1",
    "[$time_local] $status $request_method $uri?$query_string": f"{CLF} 200 GET /cart?a=1",
    "[$time_local] $request_method $uri$is_args$args $status": f"{CLF} GET /cart?a=1 200",
    '[$time_local] "$request_method $request_uri $server_protocol" $status': (f'{CLF} "GET /cart?a=1 HTTP/2.0" 200'),
}


@pytest.mark.parametrize("pattern", PARTS)
def test_request_logged_in_parts(engine: Any, pattern: str) -> None:
    check(engine, pattern, PARTS[pattern], query="a=1", status=200, **CART)


WITHOUT_QUERY = {
    "%t %m %U%q %H": f"{CLF} GET /cart HTTP/1.1",
    r"%t\t%m\t%U\t%q\t%>s": f"{CLF}\tGET\t/cart\t\t-",
    "[$time_local] $request_method $uri$is_args$args -": f"{CLF} GET /cart -",
    "[$time_local] $request_method $uri $args": f"{CLF} GET /cart -",
    "[$time_local] $request_method $uri $query_string -": f"{CLF} GET /cart  -",
}


@pytest.mark.parametrize("pattern", WITHOUT_QUERY)
def test_request_in_parts_without_a_query(engine: Any, pattern: str) -> None:
    check(engine, pattern, WITHOUT_QUERY[pattern], **CART)


@pytest.mark.parametrize("pattern", ['%t "%m %U%q %H" %>s', "%t %m %U%q %H %>s", "%t %>s %m %H %U"])
def test_decoded_path_with_a_space_in_parts(engine: Any, pattern: str) -> None:
    parts = {"%t": CLF, "%m": "GET", "%U": "/a b", "%q": "", "%H": "HTTP/1.1", "%>s": "200"}
    line = pattern
    for directive, text in parts.items():
        line = line.replace(directive, text)
    check(engine, pattern, line, method="GET", path="/a b", page="/a b", status=200)


@pytest.mark.parametrize("pattern", ['%t "%m %U%q %H"', "%t %m %U%q %H", "%t %m %H %U"])
def test_request_of_hyphens_in_parts_is_no_page(engine: Any, pattern: str) -> None:
    line = pattern
    for directive, text in {"%t": CLF, "%m": "-", "%U": "-", "%q": "", "%H": "-"}.items():
        line = line.replace(directive, text)
    check(engine, pattern, line, kind="other")


def test_format_without_a_method_takes_requests_for_get(engine: Any) -> None:
    check(engine, "$time_iso8601 $request_uri", "2015-05-17T10:05:03+00:00 /cart?a=1", query="a=1", **CART)


ADDRESSES = {
    "$http_x_forwarded_for": "198.51.100.7, 203.0.113.9",
    "$proxy_add_x_forwarded_for": "198.51.100.7, 203.0.113.9",
    "$http_x_real_ip": "198.51.100.7",
    "%{X-Forwarded-For}i": "198.51.100.7, 10.0.0.1, 203.0.113.9",
    "%{x-forwarded-for}i": "198.51.100.7,203.0.113.9",
    "%{X-Real-IP}i": "198.51.100.7",
    "%h": "198.51.100.7",
    "%a": "198.51.100.7",
    "$remote_addr": "198.51.100.7",
}


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("pattern", ADDRESSES)
def test_address_by_itself_or_in_a_list(engine: Any, pattern: str, quote: str) -> None:
    rest = '- - [$time_local] "$request"' if "$" in pattern else '- - %t "%r"'
    line = f'{quote}{ADDRESSES[pattern]}{quote} - - {CLF} "GET /cart HTTP/1.1"'
    check(engine, f"{quote}{pattern}{quote} {rest}", line, address="198.51.100.7", **CART)


def test_forwarded_of_a_hyphen_leaves_the_address(engine: Any) -> None:
    line = f'{CLF} "GET /cart HTTP/1.1" 203.0.113.9 -'
    check(engine, '%t "%r" %h %{X-Forwarded-For}i', line, address="203.0.113.9", **CART)


@pytest.mark.parametrize("pattern", ['%h:%{remote}p %t "%r"', '$remote_addr:$remote_port [$time_local] "$request"'])
def test_ipv6_address_before_a_port(engine: Any, pattern: str) -> None:
    check(engine, pattern, f'2001:db8::7:51034 {CLF} "GET /cart HTTP/1.1"', address="2001:db8::7", **CART)


SEVERAL = {
    '%v %V %t "%r"': (
        f'canonical.example.com shop.example.com {CLF} "GET /cart HTTP/1.1"',
        {"host": "shop.example.com"},
    ),
    '$server_name $host [$time_local] "$request"': (
        f'_ shop.example.com {CLF} "GET /cart HTTP/1.1"',
        {"host": "shop.example.com"},
    ),
    '%s %>s %t "%r"': (f'301 200 {CLF} "GET /cart HTTP/1.1"', {"status": 200}),
    '%O %B %t "%r"': (f'700 512 {CLF} "GET /cart HTTP/1.1"', {"bytes": 512}),
    '$bytes_sent $body_bytes_sent [$time_local] "$request"': (
        f'700 512 {CLF} "GET /cart HTTP/1.1"',
        {"bytes": 512},
    ),
    '%h %a %t "%r"': (
        f'client.example.net 203.0.113.9 {CLF} "GET /cart HTTP/1.1"',
        {"address": "203.0.113.9"},
    ),
    '%a %{c}a %t "%r"': (f'203.0.113.9 10.0.0.1 {CLF} "GET /cart HTTP/1.1"', {"address": "203.0.113.9"}),
    '%{c}h %h %t "%r"': (f'10.0.0.1 203.0.113.9 {CLF} "GET /cart HTTP/1.1"', {"address": "203.0.113.9"}),
    '$uri $request_uri [$time_local] "$request"': (f'/index.html /cart {CLF} "GET /cart HTTP/1.1"', {}),
    '%t "%r" %U %q %m': (f'{CLF} "GET /cart HTTP/1.1" /shown.html  POST', {}),
}


@pytest.mark.parametrize("pattern", SEVERAL)
def test_of_two_directives_with_one_role_the_better_is_taken(engine: Any, pattern: str) -> None:
    line, fields = SEVERAL[pattern]
    check(engine, pattern, line, **fields, **CART)


MODIFIERS = {
    "%!200,304,302{Referer}i": "-",
    "%400,501{User-agent}i": "-",
    "%>s": "200",
    "%<s": "200",
    "%200>s": "200",
}


@pytest.mark.parametrize("directive", MODIFIERS)
def test_modifiers_of_directives(engine: Any, directive: str) -> None:
    fields = {"status": 200} if directive.endswith("s") else {}
    line = f'{MODIFIERS[directive]} {CLF} "GET /cart HTTP/1.1" end'
    check(engine, f'{directive} %t "%r" end', line, **fields, **CART)


def test_field_under_a_condition_that_holds(engine: Any) -> None:
    line = f'{CLF} "GET /cart HTTP/1.1" 404 https://example.org/a page'
    check(engine, '%t "%r" %>s %!200{Referer}i', line, status=404, referrer="https://example.org/a page", **CART)


def test_percent_sign_and_tab_and_backslash_are_literals(engine: Any) -> None:
    line = f'100%\t\\{CLF} "GET /cart HTTP/1.1" 50%%'
    check(engine, r"100%%\t\\%t \"%r\" 50%%%%", line, **CART)


def test_literal_that_regular_expressions_would_take_for_their_own(engine: Any) -> None:
    check(engine, "(.*) {%t} ^[%r]$ +?|", f"(.*) {{{CLF}}} ^[GET /cart HTTP/1.1]$ +?|", **CART)


IGNORED = {
    '%t "%r" %D %T %{ms}T %P %{tid}P %k %X %I %L %R %A %p': (
        f'{CLF} "GET /cart HTTP/1.1" 812 0 1 77 78 0 + 300 - proxy:x 10.0.0.2 443'
    ),
    '%t "%r" "%{Accept-Language}i" %{SSL_PROTOCOL}x %{UNIQUE_ID}e %{Content-Type}o %{note}n': (
        f'{CLF} "GET /cart HTTP/1.1" "zh-CN, en" TLSv1.3 abc text/html; charset=utf-8 -'
    ),
    '%t "%r" %{Via}^ti %{Age}^to %^FB %^FU %f': f'{CLF} "GET /cart HTTP/1.1" 1.1 a b 7 - 12 9 /srv/a file',
    '[$time_local] "$request" $request_time $upstream_response_time "$gzip_ratio" $made_up rt=${made_up}s': (
        f'{CLF} "GET /cart HTTP/1.1" 0.004 0.001, 0.002 "3.2" any words rt=9s'
    ),
}


@pytest.mark.parametrize("pattern", IGNORED)
def test_what_no_hit_needs_is_read_over(engine: Any, pattern: str) -> None:
    check(engine, pattern, IGNORED[pattern], **CART)


def test_unquoted_fields_that_may_hold_spaces(engine: Any) -> None:
    line = f"{CLF}|GET /cart HTTP/1.1|{FIREFOX}|https://example.org/?q=a b|Li Wei"
    fields = {"agent": FIREFOX, "referrer": "https://example.org/?q=a b", "login": "Li Wei"}
    check(engine, "%t|%r|%{User-Agent}i|%{Referer}i|%u", line, **fields, **CART)


def test_names_in_braces_touch_other_letters(engine: Any) -> None:
    line = "t2015-05-17T10:05:03+00:00z GET /cart HTTP/1.1x"
    check(engine, "t${time_iso8601}z ${request}x", line, **CART)


def test_chinese_letters_end_the_name_of_a_variable(engine: Any) -> None:
    line = f'状态200 {CLF} "GET /cart HTTP/1.1" 512字节'
    check(
        engine,
        '状态$status [$time_local] "$request" $body_bytes_sent字节',
        line,
        status=200,
        bytes=512,
        **CART,
    )


LINES_OF_CONFIGURATION = {
    """log_format main '$remote_addr - $remote_user [$time_local] "$request" '
       '$status $body_bytes_sent "$http_referer" "$http_user_agent"';""": COMBINED,
    r'log_format main "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent '
    r'\"$http_referer\" \"$http_user_agent\"";': COMBINED,
    """  log_format main escape=default
        '$remote_addr - $remote_user [$time_local] "$request" '
        '$status $body_bytes_sent "$http_referer" '
        '"$http_user_agent"'
    ;
    """: COMBINED,
    r'LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined': COMBINED,
    r'logformat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""': COMBINED,
    """LogFormat '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"' combined""": COMBINED,
    '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"\n': COMBINED,
}


@pytest.mark.parametrize("text", LINES_OF_CONFIGURATION)
def test_whole_line_of_a_server_s_configuration(engine: Any, text: str) -> None:
    check(engine, text, LINES_OF_CONFIGURATION[text], **WHOLE)


def test_tabs_in_a_line_of_configuration(engine: Any) -> None:
    line = f"{CLF}\tGET /cart HTTP/1.1\t200"
    check(engine, r"log_format tsv '[$time_local]\t$request\t$status';", line, status=200, **CART)
    check(engine, r'LogFormat "%t\t%r\t%>s" tsv', line, status=200, **CART)


def test_json_lines_of_nginx(engine: Any) -> None:
    pattern = (
        """log_format json escape=json '{"time":"$time_iso8601","request":"$request","status":$status,'"""
        """'"agent":"$http_user_agent","took":$request_time}';"""
    )
    line = (
        '{"time":"2015-05-17T10:05:03+00:00","request":"GET /cart HTTP/1.1","status":200,'
        r'"agent":"a \"quoted\" \\ word \u4F60\u597d","took":0.001}'
    )
    check(engine, pattern, line, status=200, agent='a "quoted" \\ word 你好', **CART)


def test_json_keys_that_would_mean_several_columns(engine: Any) -> None:
    keys = '{"time:iso": "*", "target": "a.^x$", "address": "a.*", "status": "^s$"}'
    line = '{"*":"2015-05-17T10:05:03Z","a":{"*":"1.2.3.4","^x$":"/cart"},"^s$":200}'
    check(engine, keys, line, address="1.2.3.4", status=200, **CART)


def test_cookie_names_the_visitor_only_where_the_rules_say_so(engine: Any) -> None:
    layout = compile_pattern(guess_syntax('[$time_local] "$request" $cookie_sid'))
    assert [field.role for field in layout.fields] == ["time", "request", "cookie:sid"]
    layout = compile_pattern(guess_syntax('%t "%r" "%{sid}C"'))
    assert [field.role for field in layout.fields] == ["time", "request", "cookie:sid"]


def test_layout_alternates_literals_and_fields() -> None:
    layout = compile_pattern(LogFormat("x", "apache", 'a %t "%r"'))
    assert layout.literals == ("a [", '] "', '"')
    assert [field.quoted for field in layout.fields] == [False, True]
    assert layout.roles == {"time", "request"}

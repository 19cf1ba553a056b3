"""Tables of data: what each Apache directive and nginx variable means, and how a field's text looks.

A *role* is what a field is for the engine (the client's address, the request line, ...). Several directives
share a role; a directive that is not listed is parsed and dropped (role "ignore").
"""

from dataclasses import dataclass

# Patterns are lazy in every part: of several places where a field may end, the first one counts.
TEXT = r"[^ ]+?"
WORD = r"[^ \"]+?"
LOOSE = r".*?"
QUOTED = r'(?:[^"\\]|\\.)*?'
BRACKETED = r"[^\]]+?"
UNQUOTED = r"[^\"]+?"
NUMBER = r"-|[0-9]+?"
STATUS = r"-1??|[0-9]+?"
DECIMAL = r"-|[0-9]+?(?:\.[0-9]*?)??"
ADDRESS_LIST = r"[^ ,]+?(?:, ?[^ ,]+?)*?"
TARGET = r"[^ ]*?"
SIGNED = r"-|\+?[0-9]+?"
NEVER = r"[^\s\S]"


@dataclass(frozen=True)
class Kind:
    """What may stand in a field: its role, its pattern outside of quotes, and (for times) how it is read.

    `time` is a strptime format, or one of "seconds", "milliseconds", "microseconds" since 1970.
    """

    role: str
    pattern: str = TEXT
    time: str = ""


CLF_TIME = "%d/%b/%Y:%H:%M:%S %z"
IGNORE = Kind("ignore")

APACHE: dict[str, Kind] = {
    "a": Kind("address"),
    "h": Kind("address"),
    "l": IGNORE,
    "u": Kind("login", LOOSE),
    "r": Kind("request", LOOSE),
    "s": Kind("status", NUMBER),
    "b": Kind("bytes", NUMBER),
    "B": Kind("bytes", NUMBER),
    "O": Kind("bytes", NUMBER),
    "m": Kind("method"),
    "U": Kind("target", LOOSE),
    "q": Kind("args", TARGET),
    "H": Kind("protocol"),
    "p": Kind("ignore", NUMBER),
    "v": Kind("host"),
    "V": Kind("host"),
}
"""Apache directives without an argument (mod_log_config). `%t` and `%{...}t` are read by the compiler.

The path `%U` is logged decoded, so it may hold spaces.
"""

APACHE_HEADERS: dict[str, Kind] = {
    "referer": Kind("referrer", LOOSE),
    "user-agent": Kind("agent", LOOSE),
    "host": Kind("host"),
    "x-forwarded-for": Kind("forwarded", ADDRESS_LIST),
    "x-real-ip": Kind("forwarded", ADDRESS_LIST),
}
"""Request headers, `%{Header}i`, by their lower-case names."""

NGINX: dict[str, Kind] = {
    "remote_addr": Kind("address"),
    "remote_port": Kind("ignore", NUMBER),
    "server_port": Kind("ignore", NUMBER),
    "realip_remote_addr": IGNORE,
    "remote_user": Kind("login", LOOSE),
    "scheme": IGNORE,
    "time_local": Kind("time", BRACKETED, CLF_TIME),
    "time_iso8601": Kind("time", TEXT, "%Y-%m-%dT%H:%M:%S%:z"),
    "msec": Kind("time", DECIMAL, "seconds"),
    "request": Kind("request", LOOSE),
    "request_method": Kind("method"),
    "request_uri": Kind("target", TARGET),
    "uri": Kind("target", LOOSE),
    "document_uri": Kind("target", LOOSE),
    "is_args": Kind("target", TARGET),
    "args": Kind("args", TARGET),
    "query_string": Kind("args", TARGET),
    "server_protocol": Kind("protocol"),
    "status": Kind("status", NUMBER),
    "body_bytes_sent": Kind("bytes", NUMBER),
    "bytes_sent": Kind("bytes", NUMBER),
    "http_referer": Kind("referrer", LOOSE),
    "http_user_agent": Kind("agent", LOOSE),
    "http_host": Kind("host"),
    "host": Kind("host"),
    "server_name": Kind("host"),
    "http_x_forwarded_for": Kind("forwarded", ADDRESS_LIST),
    "proxy_add_x_forwarded_for": Kind("forwarded", ADDRESS_LIST),
    "http_x_real_ip": Kind("forwarded", ADDRESS_LIST),
}
"""nginx variables (ngx_http_log_module and friends); `$cookie_NAME` gets the role "cookie:NAME"."""

PREFERENCE: dict[str, tuple[str, ...]] = {
    "host": ("http_host", "host", "server_name", "V", "v"),
    "bytes": ("body_bytes_sent", "B", "b", "bytes_sent", "O"),
    "target": ("request_uri", "U", "uri", "document_uri"),
    "status": (">s", "s", "<s"),
    "address": ("a", "h", "remote_addr"),
}
"""Which directive wins where a format names several with one role; the others are dropped."""

TOUCHING: dict[str, str] = {
    "address": r"(?:[0-9A-Fa-f.:]+|unix:|-)",
    "host": r"(?:[A-Za-z0-9._:\[\]-]+)",
    "method": r"(?:[A-Z]+|-)",
    "target": r"(?:(?:[/*]|https?://)[^ ]*|-)",
    "protocol": r"(?:HTTP/[0-9.]+|-)",
    "status": r"(?:[0-9]{3}|-)",
    "bytes": r"(?:[0-9]+|-)",
    "scheme": r"(?:https?|-)",
}
"""The patterns that fields have where nothing stands between them and the next, by role or nginx variable.

They are greedy: the field ends where its alphabet does. Fields of other roles keep their own patterns.
"""

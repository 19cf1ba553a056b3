"""What `docs/generate.py` writes of log formats: their names, patterns, examples, and the roles of fields."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import yaml
from markup import capital, code, table

from crm.app import App
from logparse import columns, json_lines, lines, named, readings, timeformat, typed
from logparse.fields import APACHE, APACHE_HEADERS, NGINX, PREFERENCE, Kind
from logparse.headers import HEADED
from logparse.spec import LogFormat

EXAMPLES = Path(__file__).resolve().parents[1] / "tests" / "logparse" / "known"
"""A log of every format that has a name."""

ROLES: Final = {
    "address": ("the client's address", "`address`, `visitor`"),
    "forwarded": ("the client's address behind proxies, a list", "`address`, `visitor`"),
    "login": ("the user name", "`login`"),
    "time": ("the time", "`ts`, `date`"),
    "request": ("the request line", "`method`, `path`, `query`, `page`, `kind`"),
    "method": ("its method", "`method`"),
    "target": ("its target", "`path`, `query`, `page`, `kind`"),
    "args": ("its query string", "`query`, `page`"),
    "status": ("the status of the response", "`status`"),
    "bytes": ("the size of the response", "`bytes`"),
    "host": ("the virtual host", "`host`"),
    "referrer": ("where the request came from", "`referrer`"),
    "agent": ("the user agent", "`agent`, `bot`, `visitor`"),
    "cookie": ("a cookie, if `logs.visitors.cookie` names it", "`visitor`"),
    "cookies": ("all cookies, of which `logs.visitors.cookie` names one", "`visitor`"),
    "date": ("the date, where the time has none", "`ts`, `date`"),
    "protocol": ("the protocol", "none"),
    "ignore": ("known, matched and dropped", "none"),
}
"""What the roles of `logparse.fields` are called here, and the columns of `hits` that they become."""

REJECTS: Final = {
    lines.NO_MATCH: "The line is not made as the format says; the first directive that does not fit is named",
    typed.BAD_TIME: "The line fits, but its time is none (31 February), or not in the years 1970 to 2199",
    lines.TOO_LONG: "A line of that length is no log line; only its beginning is kept in memory",
}


def named_formats(app: App) -> str:
    """The formats with names, in the order in which `auto` tries them."""
    formats: Iterable[LogFormat] = app.host.log_formats().values()
    return table(("name", "syntax", "what writes it"), [(f"`{f.name}`", f.syntax, capital(f.help)) for f in formats])


def each_format(app: App) -> str:
    """Every format with a name: how it is written, and the first lines of a log that has it."""
    out = []
    for known in app.host.log_formats().values():
        log = yaml.safe_load((EXAMPLES / f"{known.name}.yaml").read_text(encoding="utf-8"))["log"]
        first = next(at for at, line in enumerate(log.splitlines()) if not _is_header(line, known))
        example = "\n".join(log.splitlines()[: first + 1])
        pattern = json.dumps(dict(known.keys), indent=2) if known.syntax == "json" else known.pattern
        out.append(f"### `{known.name}`\n\n```text\n{pattern}\n```\n\n```text\n{example}\n```\n")
    return "\n".join(out)


def _is_header(line: str, known: LogFormat) -> bool:
    return line.startswith(("#", known.pattern[:12])) and known.syntax in HEADED


def directives(_app: App) -> str:
    """Which directive means what: a row a role."""
    apache: dict[str, list[str]] = {"time": ["%t", "%{FORMAT}t"], "cookie": ["%{NAME}C"]}
    nginx: dict[str, list[str]] = {"cookie": ["$cookie_NAME"]}
    sources: list[tuple[dict[str, list[str]], dict[str, Kind], Callable[[str], str]]] = [
        (apache, APACHE, lambda name: f"%{name}"),
        (apache, APACHE_HEADERS, lambda name: f"%{{{name.title().replace('-Ip', '-IP')}}}i"),
        (nginx, NGINX, lambda name: f"${name}"),
    ]
    for into, known, write in sources:
        for name, kind in known.items():
            into.setdefault(kind.role, []).append(write(name))
    unknown = ({*apache} | {*nginx}) - {*ROLES}
    if unknown:
        raise KeyError(f"docs/generate.py does not know the roles {sorted(unknown)}")
    rows = [
        (meaning, code(apache.get(role, []), " "), code(nginx.get(role, []), " "), into)
        for role, (meaning, into) in ROLES.items()
        if role in apache or role in nginx
    ]
    return table(("what", "Apache", "nginx", "columns of `hits`"), rows)


def w3c_fields(_app: App) -> str:
    """What the fields of W3C extended logs are."""
    return _columns(columns.W3C)


def csv_columns(_app: App) -> str:
    """What the columns of CSV are."""
    return _columns(columns.CSV)


def _columns(known: Mapping[str, columns.Column]) -> str:
    by_role: dict[str, list[str]] = {}
    for name, (role, _) in known.items():
        by_role.setdefault(role, []).append(name)
    rows = [(ROLES[role][0], code(names, " "), ROLES[role][1]) for role, names in by_role.items()]
    return table(("what", "names", "columns of `hits`"), rows)


def template_roles(_app: App) -> str:
    """The roles of templates and of maps of keys."""
    in_template, in_map = {*named.PATTERNS, "cookie"}, {*json_lines.ROLES}
    unknown = (in_template | in_map) - {*ROLES, "_", "*"}
    if unknown:
        raise KeyError(f"docs/generate.py does not know the roles {sorted(unknown)}")
    rows = []
    for role, (meaning, into) in ROLES.items():
        template = f"`{{{'cookie:NAME' if role == 'cookie' else role}}}`" if role in in_template else ""
        key = f'`"{role}"`' if role in in_map else ""
        if template or key:
            rows.append((meaning, template, key, into))
    return table(("what", "in a template", "in a map of keys", "columns of `hits`"), rows)


def named_readings(_app: App) -> str:
    """Named times, and what else may stand behind a role."""
    shapes = {
        "number": "digits, of `{_:number}`",
        "raw": "anything, quotes within quotes too",
        "word": "a word without quotes",
    }
    rows = [(f"`time:{name}`", meaning) for name, meaning in timeformat.MEANINGS.items()]
    rows += [(f"`ROLE:{name}`", meaning) for name, meaning in {**shapes, **readings.MEANINGS}.items()]
    return table(("written", "the text"), rows)


def preferences(_app: App) -> str:
    """Which of several directives of one role wins."""
    rows = [(ROLES[role][0], code(map(_directive, names))) for role, names in PREFERENCE.items()]
    return table(("what", "the first of these that the format has"), rows)


def _directive(name: str) -> str:
    return f"${name}" if name in NGINX else f"%{name}"


def rejects(_app: App) -> str:
    """Why lines are rejected."""
    return table(("reason", "meaning"), [(f"`{reason}`", meaning) for reason, meaning in REJECTS.items()])

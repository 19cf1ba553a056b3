"""Writes the parts of the documentation that follow from the code, between the marks in its pages.

A mark is a comment, `<!-- generated: tables -->`, that names one of `BLOCKS`; `END` ends what is written.

    python docs/generate.py          # write
    python docs/generate.py --check  # write nothing; exit code 1 if a page is out of date

Third-party plugins that happen to be installed are left out.
"""

import argparse
import dataclasses
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

import flow_drawing
import format_tables
import msgspec
import yaml
from click.testing import CliRunner
from markup import capital, code, table

import crm.hookspecs
from cli.exits import BROKEN_PIPE, INTERRUPTED
from cli.main import main as program
from crm import errors
from crm.app import App
from crm.config import CORE
from crm.discovery import BLOCK_VARIABLE
from crm.tables import Column, Table
from logparse.spec import LogFormat
from plugins import DEFAULT_PLUGINS

DOCS = Path(__file__).resolve().parent

Listed: TypeAlias = "list[tuple[str, type[msgspec.Struct]]]"
"""The structs that a section holds lists or mappings of, each with its path."""

END: Final = "<!-- end of what docs/generate.py writes -->"

_MARKED: Final = re.compile(rf"(<!-- generated: (\S+) -->\n).*?({END})", re.DOTALL)


def tree() -> App:
    """The program with its built-in plugins alone, whatever is installed and configured."""
    for name in [name for name in os.environ if name.startswith("CRM_")]:
        del os.environ[name]
    os.environ[BLOCK_VARIABLE] = ",".join(point.name for point in entry_points(group="crm"))
    with TemporaryDirectory() as folder:
        return App(DEFAULT_PLUGINS, Path(folder) / "none")


def cli(app: App) -> str:
    """Every command with its help."""
    commands = app.host.commands()
    out = [f"## `crm`\n\n{_help([])}"]
    for path, command in sorted(commands.items()):
        level = "##" if " " not in path else "###"
        out.append(f"{level} `crm {path}`\n")
        if command.ref.target is None:
            below = [(p, c) for p, c in sorted(commands.items()) if p.startswith(f"{path} ")]
            rows = [(f"[`{p}`](#crm-{p.replace(' ', '-')})", c.ref.help) for p, c in below]
            out.append(f"{command.ref.help}\n\n{table(('command', 'what it does'), rows)}")
        else:
            out.append(_help(path.split()))
    return "\n".join(out)


def _help(words: Sequence[str]) -> str:
    with TemporaryDirectory() as folder:
        arguments = ["-w", f"{folder}/none", *words, "--help"]
        result = CliRunner().invoke(program, arguments, prog_name="crm", env={"COLUMNS": "80"})
    if result.exit_code:
        raise RuntimeError(f"crm {' '.join(words)} --help: {result.output}")
    return f"```text\n{result.output.strip()}\n```\n"


def exit_codes(_app: App) -> str:
    """The exit codes, from the errors that carry them."""
    by_class = {
        error.exit_code: _sentence(error)
        for _, error in inspect.getmembers(errors, inspect.isclass)
        if issubclass(error, errors.CrmError) and error.exit_code != 1
    }
    known = {
        0: "Done.",
        1: "A bug in the program or in a plugin: a command that cannot be imported, a miner that does not work.",
        **by_class,
        INTERRUPTED: "Interrupted by Ctrl-C.",
        BROKEN_PIPE: "The reader of standard output has gone.",
    }
    return table(("code", "meaning"), [(str(number), text) for number, text in sorted(known.items())])


def _sentence(thing: object) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def tables(app: App) -> str:
    """The contracts of all tables."""
    return "\n".join(_contract(contract) for contract in app.tables.values())


def _contract(contract: Table) -> str:
    store = "Delta table" if contract.store == "lake" else "SQL table"
    kept = f"{store}, one partition a date" if contract.store == "lake" and contract.by_date else store
    key = f", key {code(contract.key)}" if contract.key else ""
    rows = [(f"`{c.name}`", c.type, c.unit, c.mask or "", capital(c.help)) for c in contract.columns]
    columns = table(("column", "type", "unit", "mask", "meaning"), rows)
    return f"## `{contract.name}`\n\n{contract.help} Owner: `{contract.owner}`. {kept}{key}.\n\n{columns}"


def configuration(app: App) -> str:
    """All sections of the configuration."""
    sections = {**CORE, **app.host.config_sections()}
    return "\n".join("\n".join(_section(name, kind)) for name, kind in sections.items())


def _section(name: str, kind: type[msgspec.Struct]) -> Iterator[str]:
    """A section's heading and table, then the tables of the structs that its lists hold."""
    listed: Listed = []
    rows = list(_settings(name, kind, kind(), listed))
    yield f"## `{name}`\n\n{_sentence(kind)}\n"
    yield table(("key", "value", "default", "meaning"), rows)
    for where, inner in listed:
        yield f"### `{where}`\n\n{_sentence(inner)}\n"
        yield table(("key", "value", "default", "meaning"), _settings("", inner, None, []))


def _settings(
    where: str,
    kind: type[msgspec.Struct],
    default: msgspec.Struct | None,
    listed: Listed,
) -> Iterator[tuple[str, str, str, str]]:
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        path = f"{where}.{field.encode_name}".lstrip(".")
        of_type, described = _described(field.type)
        value = _default(field, default)
        if isinstance(of_type, msgspec.inspect.StructType):
            assert isinstance(value, msgspec.Struct)
            yield from _settings(path, of_type.cls, value, listed)
            continue
        if isinstance(of_type, msgspec.inspect.VarTupleType):
            inner = _described(of_type.item_type)[0]
            if isinstance(inner, msgspec.inspect.StructType):
                listed.append((f"{path}[]", inner.cls))
        if isinstance(of_type, msgspec.inspect.DictType):
            inner = _described(of_type.value_type)[0]
            if isinstance(inner, msgspec.inspect.StructType):
                listed.append((f"{path}.NAME", inner.cls))
        yield f"`{path}`", _kind(of_type), _written(value), capital(described)


def _default(field: msgspec.inspect.Field, default: msgspec.Struct | None) -> object:
    if default is not None:
        return getattr(default, field.name)
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _described(kind: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, str]:
    """The type without its description, and the description (of a union: of its first described member)."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return kind, next(filter(None, (_described(each)[1] for each in kind.types)), "")
    if not isinstance(kind, msgspec.inspect.Metadata):
        return kind, ""
    inner, described = _described(kind.type)
    return inner, str((kind.extra_json_schema or {}).get("description", described))


def _kind(kind: msgspec.inspect.Type) -> str:
    """What may be written as a value of this type, in words."""
    match kind:
        case msgspec.inspect.Metadata():
            return _kind(kind.type)
        case msgspec.inspect.StructType():
            return "rule"
        case msgspec.inspect.UnionType():
            return " or ".join(_kind(each) for each in kind.types)
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return f"list of {_kind(kind.item_type)}s"
        case msgspec.inspect.DictType():
            inner = _described(kind.value_type)[0]
            return "settings by name" if isinstance(inner, msgspec.inspect.StructType) else f"{_kind(inner)}, by name"
        case msgspec.inspect.LiteralType():
            return code(map(str, kind.values))
        case msgspec.inspect.CustomType():
            span = "duration, such as `1h30m`"
            return {
                "Duration": span,
                "Span": span,
                "Zone": "time zone",
                "Charset": "charset",
                "Size": "size, such as `64MiB`",
            }[kind.cls.__name__]
    return {
        "BoolType": "`true` or `false`",
        "StrType": "text",
        "IntType": "number",
        "FloatType": "number",
        "NoneType": "`null`",
    }[type(kind).__name__]


def _written(value: object) -> str:
    """A default as YAML."""
    if value is msgspec.NODEFAULT:
        return "must be given"
    plain = msgspec.to_builtins(value, enc_hook=str)
    text = yaml.safe_dump(plain, default_flow_style=True, width=10_000, allow_unicode=True)
    return f"`{text.removesuffix('...' + chr(10)).strip()}`"


def hooks(_app: App) -> str:
    """The hooks of plugins, from their specifications."""
    rows = []
    for name, function in vars(crm.hookspecs).items():
        if hasattr(function, "crm_spec"):
            signature = inspect.signature(function)
            returns = f"`{_annotation(signature)}`"
            rows.append((f"`{name}`", code(signature.parameters), returns, _sentence(function)))
    return table(("hook", "arguments", "returns", "what it adds"), rows)


def _annotation(signature: inspect.Signature) -> str:
    """What a hook returns, as it is written in its specification."""
    text = str(signature.return_annotation)
    return re.sub(r"\b(?:collections\.abc|crm\.\w+|logparse\.\w+)\.|ForwardRef\(|[')]|\bmsgspec\.", "", text)


def objects(_app: App) -> str:
    """The small objects that hooks return."""
    made = (crm.CommandRef, LogFormat, Table, Column, crm.Miner, crm.Mined, crm.Writer, crm.Reader)
    kinds = (*made, crm.Content, crm.Read, crm.Algorithm, crm.Allowed, crm.Channel, crm.Message, crm.TicketClassifier)
    rows = [(f"`{kind.__name__}`", ", ".join(_fields(kind)), _sentence(kind)) for kind in kinds]
    return table(("object", "fields (those with `=` may be left out)", "what it is"), rows)


def _fields(kind: Any) -> Iterator[str]:
    for field in dataclasses.fields(kind):
        made = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        default = "" if made is dataclasses.MISSING else f"={made!r}"
        yield f"`{field.name}{default}`"


BLOCKS: Final[dict[str, Callable[[App], str]]] = {
    "cli": cli,
    "exit-codes": exit_codes,
    "tables": tables,
    "configuration": configuration,
    "hooks": hooks,
    "objects": objects,
    "formats": format_tables.named_formats,
    "each-format": format_tables.each_format,
    "directives": format_tables.directives,
    "header-fields": format_tables.w3c_fields,
    "csv-columns": format_tables.csv_columns,
    "roles": format_tables.template_roles,
    "readings": format_tables.named_readings,
    "preferences": format_tables.preferences,
    "rejects": format_tables.rejects,
    "flow-diagram": flow_drawing.diagram,
    "flow-table": flow_drawing.transitions,
    "flow-conditions": flow_drawing.conditions,
}


def filled(page: str, app: App) -> str:
    """A page with all that is generated made anew."""

    def block(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        return f"{begin}\n{BLOCKS[name](app)}\n{end}"

    return _MARKED.sub(block, page)


def stale() -> Iterator[tuple[Path, str]]:
    """The pages that are out of date, with what they should say."""
    app = tree()
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        new = filled(text, app)
        if new != text:
            yield page, new


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write what follows from the code into the pages.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a page is out of date")
    check = parser.parse_args().check
    pages = list(stale())
    for page, text in pages:
        if check:
            print(f"{page.relative_to(DOCS.parent)} is out of date: run python docs/generate.py")
        else:
            page.write_text(text, encoding="utf-8")
    return 1 if check and pages else 0


if __name__ == "__main__":
    sys.exit(main())

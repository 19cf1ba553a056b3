from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import click
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.config import Config, OutputConfig, load
from crm.errors import Unusable
from crm.options import DURATION, TZ
from crm.units import Duration, Size, Zone


class Sessions(msgspec.Struct, frozen=True):
    """How sessions are cut."""

    idle: Annotated[Duration, msgspec.Meta(description="A longer gap ends a session.")] = Duration(minutes=30)
    max_hits: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Rule(msgspec.Struct):
    match: str = ""


class LogsConfig(msgspec.Struct, frozen=True):
    """Logs."""

    sessions: Sessions = Sessions()
    kind: Literal["page", "asset"] = "page"
    rules: tuple[Rule, ...] = ()
    named: dict[str, Rule] = {}


SECTIONS: dict[str, type[msgspec.Struct]] = {"logs": LogsConfig}


def read(tmp_path: Path, text: str | bytes) -> Config:
    file = tmp_path / "crm.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(file, SECTIONS)


def mistake(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(Unusable) as error:
        read(tmp_path, text)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(str(tmp_path / "crm.yaml"))
    return message.removeprefix(str(tmp_path / "crm.yaml"))


def test_without_a_file_everything_is_at_its_default() -> None:
    config = load(None, SECTIONS)
    assert config.path is None
    assert config.get("logs", LogsConfig) == LogsConfig()
    assert config.get("output", OutputConfig).tz == "UTC"


@pytest.mark.parametrize("text", ["", "# nothing\n", "logs:\n", "logs:\n  sessions:\n", "{}", "\ufefflogs: {}"])
def test_everything_is_optional(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).get("logs", LogsConfig) == LogsConfig()


def test_values_are_read_with_their_types(tmp_path: Path) -> None:
    config = read(tmp_path, "logs:\n  sessions: {idle: 1h30m}\n  rules: [{match: a}]\noutput: {tz: Asia/Shanghai}\n")
    logs = config.get("logs", LogsConfig)
    assert logs.sessions.idle == timedelta(hours=1, minutes=30)
    assert isinstance(logs.sessions.idle, timedelta)
    assert logs.rules == (Rule("a"),)
    assert config.get("output", OutputConfig).tz == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lgos: {}", ": unknown section `lgos` (did you mean `logs`?)"),
        ("zzz: {}", ": unknown section `zzz`"),
        ("logs: {sessions: {idel: 30m}}", ": `logs.sessions`: unknown key `idel` (did you mean `idle`?)"),
        ("logs: {1: 2}", ": `logs`: unknown key `1`"),
        ("logs: {rules: [{}, {mach: a}]}", ": `logs.rules[1]`: unknown key `mach` (did you mean `match`?)"),
        ("logs: {named: {a: {mach: a}}}", ": `logs.named.a`: unknown key `mach` (did you mean `match`?)"),
        ("logs: {sessions: 5}", ": `logs.sessions`: expected `object`, got `int`"),
        ("logs: 5", ": `logs`: expected `object`, got `int`"),
        (
            "logs: {sessions: {max_hits: many}}",
            ": `logs.sessions.max_hits`: expected `int | null`, got `str`",
        ),
        ("logs: {sessions: {max_hits: 0}}", ": `logs.sessions.max_hits`: expected `int` >= 1"),
        ("logs: {rules: [5]}", ": `logs.rules[0]`: expected `object`, got `int`"),
        ("logs: {kind: pgae}", ": `logs.kind`: expected one of asset, page, got `pgae` (did you mean `page`?)"),
        (
            "logs: {sessions: {idle: 30}}",
            ": `logs.sessions.idle`: expected a duration such as 30m, 1h30m, 45s or 2d, got `30`",
        ),
        (
            "output: {tz: Asia/Shangai}",
            ": `output.tz`: `Asia/Shangai` is not a time zone (did you mean `Asia/Shanghai`?)",
        ),
        ("[1]", ": expected `key: value` at the top, got a list"),
        ("logs: {kind: page}\nlogs: {}\n", ", line 2, column 1: key `logs` is there twice"),
        ("logs:\n  rules:\n  - {match: a, match: b}\n", ", line 3, column 16: key `match` is there twice"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    assert mistake(tmp_path, text) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "logs: {",
        "logs: [a",
        "a: b: c",
        "\t- x",
        "!!python/name:os.system x",
        "a: *b",
        "x: \x01",
        "2026-13-45",
    ],
)
def test_what_is_no_yaml_is_unusable(tmp_path: Path, text: str) -> None:
    assert "no valid YAML" in mistake(tmp_path, text) or "expected" in mistake(tmp_path, text)


def test_a_syntax_error_has_line_and_column(tmp_path: Path) -> None:
    assert mistake(tmp_path, "logs:\n  kind: page\n sessions: {}\n").startswith(", line 3, column 2: no valid YAML")


def test_bytes_that_are_not_utf8_are_unusable(tmp_path: Path) -> None:
    assert mistake(tmp_path, b"logs: \xff") == ": not UTF-8 at byte 7"


@given(st.binary(max_size=40))
def test_any_bytes_are_a_configuration_or_unusable(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(content)
    with suppress(Unusable):
        load(file, SECTIONS)


def test_anchors_and_merges_are_no_repeated_keys(tmp_path: Path) -> None:
    text = "logs:\n  named:\n    a: &a {match: x}\n    b: {<<: *a, match: y}\n    c: {<<: *a}\n"
    assert read(tmp_path, text).get("logs", LogsConfig).named == {
        "a": Rule("x"),
        "b": Rule("y"),
        "c": Rule("x"),
    }


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"crm\.yaml: No such file or directory"):
        load(tmp_path / "crm.yaml", SECTIONS)
    with pytest.raises(Unusable, match="Is a directory"):
        load(tmp_path, SECTIONS)


def test_unknown_sections_can_be_left_to_plugins_that_are_not_there(tmp_path: Path) -> None:
    file = tmp_path / "crm.yaml"
    file.write_text("elsewhere: {a: 1}\nlogs: {kind: asset}\n")
    assert load(file, SECTIONS, lenient=True).get("logs", LogsConfig).kind == "asset"
    file.write_text("elsewhere: {a: 1}\nlogs: {kid: asset}\n")
    with pytest.raises(Unusable, match="did you mean `kind`"):
        load(file, SECTIONS, lenient=True)


def test_a_section_is_only_given_as_what_it_is() -> None:
    config = load(None, SECTIONS)
    with pytest.raises(TypeError, match="section 'logs' is a LogsConfig, not a OutputConfig"):
        config.get("logs", OutputConfig)
    with pytest.raises(KeyError):
        config.get("missing", OutputConfig)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("1h30m", 5400), ("45s", 45), ("2d", 172800), ("0s", 0), ("1d1s", 86401), ("90m", 5400)],
)
def test_durations_are_written_with_units(text: str, seconds: int) -> None:
    assert DURATION.convert(text, None, None).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "30", "30 m", "m", "1.5h", "30m1h", "-5m", "5M", "٣m", "9999999999d"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected a duration"):
        DURATION.convert(text, None, None)


@given(st.timedeltas(min_value=timedelta(0)).map(lambda span: Duration(days=span.days, seconds=span.seconds)))
def test_a_duration_is_read_as_it_is_printed(duration: Duration) -> None:
    assert Duration.parse(str(duration)) == duration


def test_zones_have_to_be_known() -> None:
    assert TZ.convert("Asia/Shanghai", None, None) == Zone("Asia/Shanghai")
    with pytest.raises(click.BadParameter, match="did you mean `Asia/Shanghai`"):
        TZ.convert("asia/shanghai", None, None)
    with pytest.raises(click.BadParameter, match="not a time zone"):
        TZ.convert("../../etc/passwd", None, None)


@given(st.integers(1, 1 << 50).map(Size) | st.integers(1, 1 << 12).map(lambda count: Size(count << 20)))
def test_a_size_is_read_as_it_is_printed(size: Size) -> None:
    assert Size.parse(str(size)) == size
    assert str(Size(64 << 20)) == "64MiB"


@pytest.mark.parametrize("text", ["", "0", "64MB", "1.5GiB", "-1", "KiB", "99999999999999999999", True, None, 1.5])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a size such as 64MiB"):
        Size.parse(text)

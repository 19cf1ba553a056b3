"""Every format with a name: what its log, written by hand after the vendor's description, becomes, field by field."""

import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from logparse.blocks import Block, read_blocks
from logparse.detect import detect, fits
from logparse.formats import BUILT_IN
from logparse.headers import cut, in_force
from logparse.kernel import Account, Kernel
from logparse.lines import number_lines
from logparse.parsers import PARSERS
from logparse.pattern import compile_pattern
from logparse.rules import Rules, VisitorRules

KNOWN = {path.stem: path for path in sorted((Path(__file__).parent / "known").glob("*.yaml"))}
FORMATS = {known.name: known for known in BUILT_IN}
WORKED_OUT = ("visitor", "page", "kind", "bot")
LINES_FOR_THE_REFERENCE = {
    "elb": 3,
    "alb": 1,
    "s3": 1,
    "haproxy": 1,
    "haproxy-syslog": 1,
    "w3c": 1,
    "gcs": 1,
    "caddy": 2,
}
"""How many lines of a log the plan leaves: IPv6 before a port, quotes in values, surrogates, a path of two kinds."""


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(KNOWN[name].read_text(encoding="utf-8"))
    return found


def log(name: str) -> bytes:
    return bytes(sample(name)["log"], "utf-8")


def kernel(name: str, **visitors: Any) -> Kernel:
    rules = Rules(visitors=VisitorRules(addresses="full", **visitors))
    return Kernel.of(compile_pattern(FORMATS[name]), rules, b"the key of the tests")


def blocks(name: str, data: bytes, size: int = 1 << 20) -> list[Block]:
    return list(cut(read_blocks(io.BytesIO(data), tail_is_line=True, size=size), FORMATS[name]))


def hits(name: str, parsed: list[Any]) -> list[dict[str, Any]]:
    rows = [row for part in parsed for row in part.hits.to_dicts()]
    for row in rows:
        row["ts"] = row["ts"].isoformat()
    return [{key: value for key, value in row.items() if value is not None and key not in WORKED_OUT} for row in rows]


def test_there_is_a_log_of_every_format() -> None:
    assert set(KNOWN) == set(FORMATS)


@pytest.mark.parametrize("name", KNOWN)
def test_every_field_of_every_line(name: str) -> None:
    parsed = [kernel(name).parse(block) for block in blocks(name, log(name))]
    assert [part.rejects.to_dicts() for part in parsed if part.rejects.height] == []
    assert hits(name, parsed) == sample(name)["hits"]
    account = sum((part.account for part in parsed), Account())
    assert account.lines == log(name).count(b"\n") == account.hits + account.blank


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("size", [1, 200, 1000])
def test_where_a_log_is_cut_into_blocks_changes_nothing(name: str, size: int) -> None:
    parsed = [kernel(name).parse(block) for block in blocks(name, log(name), size)]
    assert hits(name, parsed) == sample(name)["hits"]


@pytest.mark.parametrize("name", KNOWN)
def test_a_log_is_detected_as_its_format_among_all(name: str) -> None:
    assert detect(log(name), BUILT_IN) == (FORMATS[name], 1.0)


@pytest.mark.parametrize("name", KNOWN)
def test_no_other_format_fits_a_log_as_well(name: str) -> None:
    others = {known.name: fits(log(name), known) for known in BUILT_IN if known.name != name}
    allowed = {"vcombined": {"combined", "common"}}.get(name, set())
    assert {other for other, share in others.items() if share == 1.0} <= allowed


@pytest.mark.parametrize("name", KNOWN)
def test_the_plan_proves_ordinary_lines(name: str) -> None:
    left = total = 0
    for block in blocks(name, log(name)):
        layout = in_force(kernel(name).layout, block.header)
        _, lines = number_lines(block)
        blank = pl.col("line").str.starts_with("#")
        for header in layout.header:
            blank = blank | pl.col("line").str.starts_with(header)
        proven = PARSERS[layout.parser].plan(lines.filter(~blank), layout, None)["proven"]
        left += (~proven).sum()
        total += len(proven)
    assert left == LINES_FOR_THE_REFERENCE.get(name, 0)
    assert left < total


def test_a_cookie_names_the_visitor_also_out_of_a_whole_header() -> None:
    def visitors(**given: Any) -> list[int]:
        parsed = [kernel("w3c", **given).parse(block) for block in blocks("w3c", log("w3c"))]
        return [visitor for part in parsed for visitor in part.hits["visitor"]]

    same = [one == other for one, other in zip(visitors(), visitors(cookie="sid"), strict=True)]
    assert same == [True, True, False, True, True]

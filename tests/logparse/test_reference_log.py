"""A real log that others have counted: the engine comes to the same numbers."""

import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logparse.blocks import open_stream, read_blocks
from logparse.detect import detect
from logparse.formats import BUILT_IN
from logparse.kernel import Account, Kernel, Parsed
from logparse.pattern import compile_pattern
from logparse.rules import Rules, SessionRules, VisitorRules
from logparse.sessions import is_view, sessions

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def log(reference_data: Path) -> Path:
    return reference_data / "elastic_apache_logs" / "apache_logs.gz"


@pytest.fixture(scope="module")
def parsed(log: Path, engine: Any) -> Parsed:
    """The whole log, read in many blocks."""
    with open_stream(log) as (stream, plain):
        kernel = engine.kernel("combined")
        parts = [kernel.parse(block) for block in read_blocks(stream, tail_is_line=not plain, size=100_000)]
    hits, rejects = pl.concat([part.hits for part in parts]), pl.concat([part.rejects for part in parts])
    return Parsed(hits, rejects, sum((part.account for part in parts), Account()))


def test_format_is_found(log: Path) -> None:
    found, share = detect(gzip.decompress(log.read_bytes())[: 1 << 18], BUILT_IN)
    assert (found.name, share) == ("combined", 1.0)


def test_every_line_is_accounted_for(parsed: Parsed) -> None:
    assert parsed.account == Account(10_000, 9_999, 0, {}, {"does not fit the format": 1})


def test_the_one_truncated_line_is_named(parsed: Parsed) -> None:
    (reject,) = parsed.rejects.to_dicts()
    assert (reject["line"], reject["reason"]) == (8899, "does not fit the format")
    assert reject["field"] == "%{User-Agent}i"


def test_statuses_and_addresses(parsed: Parsed) -> None:
    statuses = dict(parsed.hits["status"].value_counts().iter_rows())
    assert {status: statuses[status] for status in (200, 304, 404)} == {200: 9125, 304: 445, 404: 213}
    assert parsed.hits["address"].n_unique() == 1753


def test_one_block_gives_the_same(parsed: Parsed, log: Path, engine: Any) -> None:
    whole = engine.parse("combined", gzip.decompress(log.read_bytes()))
    assert whole.hits.equals(parsed.hits)
    assert whole.rejects.equals(parsed.rejects)


@pytest.mark.parametrize("addresses", ["full", "truncated", "none"])
def test_sessions_of_address_and_agent_with_robots(log: Path, addresses: str) -> None:
    rules = Rules(visitors=VisitorRules(addresses=addresses))  # type: ignore[arg-type]  # one of the literals
    kernel = Kernel.of(compile_pattern(BUILT_IN[1]), rules, b"any key")
    with open_stream(log) as (stream, _):
        hits = pl.concat([kernel.parse(block).hits for block in read_blocks(stream, tail_is_line=True)])
    hits = hits.with_columns(view=is_view(raw=True)).sort("visitor", "ts", "line")
    assert sessions(hits, SessionRules()).height == 3223

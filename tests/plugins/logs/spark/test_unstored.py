"""`crm logs sessions --engine spark` prints what the local engine prints."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm
    from tests.plugins.logs.spark.conftest import Engines

SHOP = Path(__file__).parents[4] / "sample_logs" / "shop.log"


def both(crm: "Crm", engines: "Engines", *words: object, code: int = 0) -> str:
    """What both engines print."""
    engines.use("local")
    here = crm("logs", "sessions", *words, "-f", "ndjson", code=code)
    engines.use("spark")
    there = crm("logs", "sessions", *words, "-f", "ndjson", code=code)
    assert (there.stdout, there.stderr) == (here.stdout, here.stderr)
    return here.stdout


@pytest.mark.parametrize("rules", [(), ("--raw",), ("--with-robots", "--new-referrer", "--max-hits", "5")])
def test_it_is_the_same(crm: "Crm", engines: "Engines", rules: tuple[str, ...]) -> None:
    assert both(crm, engines, SHOP, *rules).count("\n") > 200


def test_hits_of_one_instant_are_ordered_by_their_logs_and_unusable_logs_are_left_out(
    crm: "Crm", engines: "Engines", tmp_path: Path
) -> None:
    later = crm.log("a-later.log", *[crm.line(10 + n, f"/later-{n % 3}", who=n % 2) for n in range(40)])
    first = [crm.line(max(0, n), f"/first-{n % 3}", who=n % 2) for n in range(-1, 50)]
    packed = tmp_path / "b-first.log.gz"
    packed.write_bytes(gzip.compress("\n".join(first).encode()))
    other = crm.log("c-other.log", *["nothing that is a log"] * 9)
    empty = crm.log("d-empty.log", end="")
    found = both(crm, engines, later, packed, other, empty, "--log-format", "combined", "--with-robots", code=4)
    assert "/later-0" in found
    assert "/first-0" in found


def test_standard_input_is_read_here(crm: "Crm", engines: "Engines") -> None:
    engines.use("spark")
    found = crm("logs", "sessions", "-", "-f", "ndjson", stdin=SHOP.read_bytes())
    engines.use("local")
    assert found.stdout == crm("logs", "sessions", SHOP, "-f", "ndjson").stdout


def test_no_hits_are_no_sessions(crm: "Crm", engines: "Engines") -> None:
    assert both(crm, engines, crm.log("robots.log", crm.line(agent=crm.GOOGLEBOT))) == ""
    assert both(crm, engines, crm.log("empty.log", end="")) == ""

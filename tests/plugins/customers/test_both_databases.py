"""A team's PostgreSQL does what the workspace's own SQLite does: the same commands print and leave the same."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

if TYPE_CHECKING:
    from tests.conftest import PostgresServer
    from tests.plugins.conftest import Crm

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "sample_data"
SEGMENTS = "segments:\n  guangdong: region = '广东'\n  loyal: orders >= 10 and nps >= 9\n"

CALLS: tuple[tuple[str, ...], ...] = (
    ("logs", "mine", str(ROOT / "sample_logs" / "shop.log")),
    *((name, "import", str(SAMPLES / f"{name}.csv")) for name in ("customers", "orders", "surveys", "consents")),
    ("customers", "import", str(SAMPLES / "customers.csv")),
    ("customers", "list", "--where", "region = '广东'"),
    ("customers", "show", "cao.ying", "--unmask", "--columns", "about,what,value"),
    ("customers", "dedupe"),
    ("customers", "dedupe", "--apply"),
    ("customers", "merges", "--unmask", "--columns", "merge,customer,merged,probability,origins"),
    ("customers", "unmerge", "3"),
    ("customers", "rfm", "--unmask"),
    ("customers", "clv", "--unmask"),
    ("customers", "segment", "{folder}/segments.yaml", "--as-of", "2026-03-08"),
    ("customers", "segments"),
    ("customers", "churn", "evaluate", "--as-of", "2025-11-01"),
    ("customers", "cluster", "--features", "orders,spent", "--as-of", "2026-03-08", "--save", "kind"),
    ("customers", "loyalty", "repurchase"),
    ("customers", "loyalty", "tiers", "--as-of", "2026-03-08", "--unmask"),
    ("customers", "loyalty", "nps", "--by", "month"),
    ("customers", "points", "earn", "-n", "0"),
    ("customers", "points", "balance", "--unmask"),
    ("customers", "points", "redeem", "K0001", "10", "--columns", "points,balance"),
    ("customers", "consent", "K0002", "--channel", "email", "--withdraw", "--at", "2026-01-01"),
    ("customers", "forget", "K0005", "--yes"),
    ("customers", "export", "--unmask"),
    ("orders", "export", "--unmask", "--where", "amount > 100"),
    ("query", "select region, count(*) as n from customers group by region order by n desc, region"),
    ("customers", "encrypt"),
    ("customers", "list", "--unmask", "-n", "5"),
    ("audit", "verify", "--columns", "entries"),
    ("audit", "log", "--columns", "entry,action,what,rows"),
)
TABLES = {
    "customers": "customer",
    "orders": "order_id",
    "surveys": "customer",
    "consents": "customer",
    "segment_members": "segment",
    "points": "entry",
    "identities": "hash",
}


@pytest.fixture
def both(tmp_path: Path, postgres: "PostgresServer", new_crm: "Callable[..., Crm]") -> "tuple[Crm, Crm]":
    places = [tmp_path / "sqlite", tmp_path / "postgresql"]
    for place in places:
        place.mkdir()
        (place / "segments.yaml").write_text(SEGMENTS, "utf-8")
    made = new_crm(places[0], None), new_crm(places[1], postgres.new())
    for crm in made:
        crm.configure("protection: {encrypt: true}\ncustomers: {tiers: [{name: silver, spent: 1000}]}\n")
    return made


def test_the_same_commands_do_the_same(both: "tuple[Crm, Crm]") -> None:
    for call in CALLS:
        said = []
        for crm in both:
            words = [word.replace("{folder}", str(crm.folder)) for word in call]
            result = crm(*words)
            said.append((result.stdout, result.stderr.replace(str(crm.folder), "")))
        if call[:2] != ("logs", "mine"):  # which tells how long it took
            assert said[0][0] == said[1][0], call
    one, other = (crm.open().records for crm in both)
    for name, key in TABLES.items():
        frames = [records.frame(name) for records in (one, other)]
        sorted_ones = [
            frame.drop("ts", strict=False).sort(key, *(c for c in frame.columns if c not in (key, "ts")))
            for frame in frames
        ]
        assert_frame_equal(*sorted_ones)

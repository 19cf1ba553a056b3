"""How often candidates hit what customers look at in the week after, by interest and by popularity.

    python benchmarks/candidates_shop.py [--logs 5] [--per-customer 3]

Logs of the sample shop are made, each with another seed and the same planted tastes. What lies before the newest week
is mined, with the sample orders until then; `crm push candidates` lists candidates for everybody, once by interests,
once by popularity. A customer is hit if the category of level 3 of a candidate is one that the customer goes on to view
an item of in the newest week. The share of customers hit is printed for both, and the difference with its 95 % interval
(customers drawn anew 2,000 times).
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
WEEK = timedelta(days=7)
CAMPAIGN = """\
name: next week
algorithm: {algorithm}
per_customer: {count}
channels: [file]
levels: {levels}
"""
ALGORITHMS = {"interest": "[3, 2, 1]", "popularity": "[]"}
"""Recommenders, and at which levels of interests items are looked for; by popularity, interests do not matter."""


def crm(place: Path, *words: object) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "cli", "-q", "-w", place, "-c", ROOT / "configs" / "shop.yaml", *words]
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def moment(line: str) -> datetime | None:
    """The time of a line of the log."""
    try:
        return datetime.strptime(line.split("[", 1)[1].split("]", 1)[0], "%d/%b/%Y:%H:%M:%S %z")
    except (IndexError, ValueError):
        return None


def before(log: Path, end: datetime, out: Path) -> None:
    """The lines of a log before a moment."""
    lines = log.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
    kept = [line for line in lines if (at := moment(line)) is not None and at < end]
    out.write_text("".join(kept), encoding="utf-8", errors="surrogateescape")


def agreed(place: Path) -> Path:
    """Consents of all customers."""
    with (ROOT / "sample_data" / "customers.csv").open(encoding="utf-8", newline="") as file:
        people = [row["编号"] for row in csv.DictReader(file)]
    out = place / "agreed.csv"
    out.write_text("customer,channel,ts,granted\n" + "".join(f"{who},all,2025-01-01,true\n" for who in people))
    return out


def earlier_orders(place: Path, end: datetime) -> Path:
    """The sample orders before a moment."""
    with (ROOT / "sample_data" / "orders.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if row["下单时间"] < f"{end:%Y-%m-%d %H:%M:%S}"]
    out = place / "orders.csv"
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return out


def goes_on_to_view(truth: dict[str, object], begin: datetime) -> dict[str, set[str]]:
    """The categories of which each login views an item from a moment on."""
    found: dict[str, set[str]] = {}
    for session in truth["sessions"]:  # type: ignore[attr-defined]  # a list of the file
        if session["customer"] and datetime.fromisoformat(session["start"]) >= begin:
            items = [page.removeprefix("/item/") for page in session["path"] if page.startswith("/item/")]
            categories = {truth["items"][item] for item in items if item in truth["items"]}  # type: ignore[index]
            found.setdefault(session["customer"], set()).update(categories)
    return {login: categories for login, categories in found.items() if categories}


def hits(place: Path, seed: int, count: int) -> dict[str, list[bool]]:
    """Whether each customer of one log is hit, by algorithm."""
    generate = [sys.executable, ROOT / "sample_logs" / "generate.py", "--seed", str(seed), "--out", place]
    subprocess.run([str(word) for word in generate], check=True)
    truth = json.loads((place / "shop.truth.json").read_text(encoding="utf-8"))
    end = max(datetime.fromisoformat(session["end"]) for session in truth["sessions"]) - WEEK
    before(place / "shop.log", end, place / "before.log")
    crm(place / "ws", "logs", "mine", place / "before.log")
    sources = {"customers": ROOT / "sample_data" / "customers.csv", "catalog": ROOT / "sample_data" / "catalog.csv"}
    sources |= {"orders": earlier_orders(place, end), "consents": agreed(place)}
    for group, file in sources.items():
        crm(place / "ws", group, "import", file)
    with (ROOT / "sample_data" / "customers.csv").open(encoding="utf-8", newline="") as file:
        logins = {row["编号"]: row["登录名"] for row in csv.DictReader(file)}
    later = goes_on_to_view(truth, end)
    found = {}
    for algorithm, levels in ALGORITHMS.items():
        campaign = place / "campaign.yaml"
        campaign.write_text(CAMPAIGN.format(algorithm=algorithm, count=count, levels=levels))
        words = ("push", "candidates", "--campaign", campaign, "--at", end.isoformat(), "--unmask", "-f", "json")
        offered: dict[str, set[str]] = {}
        for row in json.loads(crm(place / "ws", *words)):
            offered.setdefault(logins[row["customer"]], set()).add(row["category"])
        found[algorithm] = [bool(offered.get(login, set()) & later[login]) for login in sorted(later)]
    return found


def main() -> None:
    """Print both shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", type=int, default=5, help="how many logs (default: 5)")
    parser.add_argument("--per-customer", type=int, default=3, help="candidates of each customer (default: 3)")
    given = parser.parse_args()
    whole: dict[str, list[bool]] = {}
    for seed in range(7, 7 + given.logs):
        with tempfile.TemporaryDirectory(prefix="crm-candidates-") as folder:
            for algorithm, some in hits(Path(folder), seed, given.per_customer).items():
                whole.setdefault(algorithm, []).extend(some)
    one, other = (np.array(whole[name], dtype=float) for name in ALGORITHMS)
    drawn = np.random.default_rng(0).integers(0, len(one), (2000, len(one)))
    low, high = np.percentile((one - other)[drawn].mean(axis=1), [2.5, 97.5])
    print(f"{len(one)} customers who come back in the newest week, {given.per_customer} candidates each")
    print(f"hit by interest {one.mean():.3f}, by popularity {other.mean():.3f}")
    print(f"margin {(one - other).mean():.3f}, 95 % interval {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()

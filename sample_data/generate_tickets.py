"""Write a year of tickets of a made-up maker's service centre: the same bytes on every run with one seed.

    python sample_data/generate_tickets.py FOLDER [--seed N] [--tickets N] [--clean]

Thirty dealers, twelve models, and what has become of each ticket by the end of the year. Three quality problems are
planted, of which `truth.json` tells: a bad batch of one part, a labour code that one dealer uses too often, and a fault
that rises slowly. Every name and number is made up by chance, and stands for nobody and nothing.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from service_year.facts import facts
from service_year.ratings import ratings
from service_year.story import told

if TYPE_CHECKING:
    import polars as pl

SEED: Final = 20260301
COUNT: Final = 20_000
LABELLED: Final = 5
"""One ticket in so many has its quality class in the file of labels."""


def tickets(
    seed: int, count: int, planted: bool = True, *, spread: float = 0.0, story: bool = True
) -> "dict[str, pl.DataFrame]":
    """A year of tickets.

    Args:
        seed: Of the chance.
        count: How many tickets; there are about three times as many vehicles.
        planted: Whether there are quality problems to be found.
        spread: The coefficient of variation of true rates of faults, without problems; 0 for none.
        story: Whether to tell what became of the tickets.

    Returns:
        The tables `dealers`, `labour`, `faults`, `parts`, `seats`, `stock`, `vehicles` and `tickets` with the columns
        of the contracts; with a story `events`, `shipments`, `payments` and `ratings` too; beside them `classes` (the
        quality class of each ticket), `labels` (those of one in five), and `planted` (what is to be found, a row each).
    """
    made = facts(seed, count, planted=planted, spread=spread)
    frames = dict(made.tables)
    frames["labels"] = frames["classes"].gather_every(LABELLED)
    if story:
        frames |= told(seed, made)
        frames["ratings"] = ratings(seed, frames["tickets"], frames["events"])
    return frames


def write(folder: Path, frames: "dict[str, pl.DataFrame]", seed: int) -> None:
    """Write the tables as csv, and what is to be found as `truth.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        if name != "planted":
            frame.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    found = [{name: value for name, value in row.items() if value is not None} for row in frames["planted"].to_dicts()]
    counts = {name: frame.height for name, frame in frames.items() if name != "planted"}
    truth = {"seed": seed, "rows": counts, "planted": found}
    text = json.dumps(truth, ensure_ascii=False, indent=1, default=str) + "\n"
    (folder / "truth.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to write the files; made if it is missing")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"of the chance (default: {SEED})")
    parser.add_argument("--tickets", type=int, default=COUNT, metavar="N", help=f"how many (default: {COUNT:,})")
    parser.add_argument("--clean", action="store_true", help="plant no problems")
    given = parser.parse_args()
    write(given.folder, tickets(given.seed, given.tickets, not given.clean), given.seed)


if __name__ == "__main__":
    main()

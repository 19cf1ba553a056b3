"""Feed mutated lines of every known log format to the kernel: every line is accounted for, memory stays flat.

    python benchmarks/soak_fuzz.py [--lines 1000000] [--seed 1] [--growth 64]

The lines come from the logs of the formats in tests/logparse/known and are spoilt as mutations.py says. For every block

- nothing raises;
- lines = hits + filtered + rejected + blank, where the lines are counted here, in the bytes;
- every hit and every rejected line has a number of its own;
- and for half of the blocks: the hits and rejects are those that the reference alone gives.

Printed are the lines by format and by what became of them, the resident memory after the first fifth and at the end,
and the verdict; the exit code is 1 where a law is broken or memory has grown by more than --growth MiB. A block that
breaks a law is written to a file, so that it can be tried again.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import yaml
from mutations import mutated

from logparse.blocks import Block
from logparse.formats import BUILT_IN
from logparse.headers import cut, marks
from logparse.kernel import Account, Kernel, Parsed
from logparse.parsers import PARSERS, Plan
from logparse.pattern import compile_pattern
from logparse.robots import Robots
from logparse.rules import DropRule, PageRules, Rules, VisitorRules
from logparse.spec import LogFormat

KNOWN = Path(__file__).resolve().parents[1] / "tests" / "logparse" / "known"
BLOCK_LINES = 2000
CHECKED = 0.5
"""So many of the blocks are read by the reference too."""

HEADERS = 0.02
"""So often a line is a header, where a log holds any: behind each begins a block of its own, which takes its time."""

WARM = 0.2
"""After this share of the lines, memory is measured for the first time."""

AGENTS = 2000
"""So many agents are remembered; the default is larger, and would fill up for longer than the soak takes."""

RULES = (
    Rules(),
    Rules(
        visitors=VisitorRules(cookie="sid", query_key="id", forwarded="last", addresses="none"),
        pages=PageRules(query_keep=("*",), query_drop=("c",), numeric_ids=True, lower_case=True, with_host=True),
        drop=(DropRule(name="cart", path=("/cart*", "/item*"), status=(200,)), DropRule(name="post", method=("POST",))),
    ),
)


@dataclass
class Report:
    """What a soak found.

    Attributes:
        accounts: Where the lines of each format went.
        checked: How many lines the reference has read too.
        warm: Resident memory after the first lines, in bytes.
        end: At the end.
        differences: The laws that were broken; empty if all is well.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    checked: int = 0
    warm: int = 0
    end: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many lines were fed."""
        return sum(account.lines for account in self.accounts.values())


def samples(name: str) -> list[bytes]:
    """The lines of the log of a format, its headers among them."""
    log: str = yaml.safe_load((KNOWN / f"{name}.yaml").read_text(encoding="utf-8"))["log"]
    return log.encode().splitlines()


def kernels(known: LogFormat) -> list[Kernel]:
    """A kernel of a format for each set of rules."""
    layout = compile_pattern(known)
    return [Kernel(layout, rules, b"the key of the soak", Robots(rules.robots, AGENTS)) for rules in RULES]


def block_of(known: LogFormat, sample: Sequence[bytes], chance: random.Random, count: int) -> Block:
    """A block of about so many mutated lines; the last may lack its line end."""
    opens = (b"#", *marks([known]))
    weights = [HEADERS if line.startswith(opens) else 1 for line in sample]
    lines = chance.choices(sample, weights, k=count)
    data = b"\n".join(mutated(line, chance, sample) for line in lines) + chance.choice((b"", b"\n"))
    offset = chance.choice((0, 10**6))
    return Block(data, offset, offset + len(data), 1 + offset // 100)


def parse(kernel: Kernel, known: LogFormat, block: Block) -> Parsed:
    """Parse a block, cut at its headers if the format has them."""
    parsed = [kernel.parse(part) for part in cut([block], known)]
    hits, rejects = (pl.concat([getattr(part, name) for part in parsed]) for name in ("hits", "rejects"))
    return Parsed(hits, rejects, sum((part.account for part in parsed), Account()))


def broken_laws(kernel: Kernel, known: LogFormat, block: Block, *, with_reference: bool) -> tuple[Account, list[str]]:
    """Parse a block; the account of its lines, and the laws that do not hold."""
    try:
        parsed = parse(kernel, known, block)
    except BaseException as error:  # Polars' panics are no Exceptions
        return Account(), [f"raises {type(error).__name__}: {str(error)[:300]}"]
    account, hits, rejects = parsed.account, parsed.hits, parsed.rejects
    counted = account.hits + sum(account.filtered.values()) + sum(account.rejected.values()) + account.blank
    text = block.data.removeprefix(b"\xef\xbb\xbf") if block.offset == 0 else block.data
    lines = text.count(b"\n") + (text != b"" and not text.endswith(b"\n"))
    numbers = pl.concat([hits["line"], rejects["line"]])
    laws = {
        f"{account.lines} lines are accounted for as {counted}": account.lines == counted,
        f"{lines} lines were counted as {account.lines}": account.lines == lines,
        "hits are counted wrongly": account.hits == hits.height,
        "rejects are counted wrongly": sum(account.rejected.values()) == rejects.height,
        "two hits or rejects have the same number": not numbers.is_duplicated().any(),
        "a number is none of the block's": numbers.is_between(block.line, block.line + lines - 1).all(),
        "a hit has no time or visitor": hits["ts"].null_count() + hits["visitor"].null_count() == 0,
    }
    if with_reference:
        with reference_alone():
            other = parse(kernel, known, block)
        laws["the reference gives other hits"] = hits.equals(other.hits)
        laws["the reference gives other rejects"] = rejects.equals(other.rejects)
    return account, [law for law, holds in laws.items() if not holds]


@contextmanager
def reference_alone() -> Iterator[None]:
    """The plans prove nothing, so that every line goes to the reference."""
    before = dict(PARSERS)
    PARSERS.update({name: replace(parser, plan=unproven(parser.plan)) for name, parser in before.items()})
    try:
        yield
    finally:
        PARSERS.update(before)


def unproven(plan: Plan) -> Plan:
    """A plan that proves nothing."""
    return lambda *given: plan(*given).with_columns(proven=pl.lit(False))


def resident() -> int:
    """Resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(lines: int, seed: int, formats: Sequence[LogFormat] = BUILT_IN, block_lines: int = BLOCK_LINES) -> Report:
    """Feed mutated lines, a block of each format in turn, until there were enough or a law is broken."""
    chance = random.Random(seed)
    report = Report({known.name: Account() for known in formats})
    ready = [(known, samples(known.name), kernels(known)) for known in formats]
    while report.lines < lines and not report.differences:
        for known, sample, choices in ready:
            block = block_of(known, sample, chance, min(block_lines, max(1, lines // len(ready))))
            check = chance.random() < CHECKED
            account, broken = broken_laws(chance.choice(choices), known, block, with_reference=check)
            report.accounts[known.name] += account
            report.checked += account.lines if check else 0
            report.differences += [f"{known.name}, {kept(block)}: {law}" for law in broken]
        if not report.warm and report.lines >= WARM * lines:
            report.warm = resident()
    report.end = resident()
    return report


def kept(block: Block) -> str:
    """The name of a new file with the block's lines."""
    with tempfile.NamedTemporaryFile(prefix="crm-fuzz-", suffix=".log", delete=False) as file:
        file.write(block.data)
        return f"{file.name} (offset {block.offset})"


def table(report: Report) -> str:
    """Where the lines of each format went."""
    rows = [f"{'format':<16}{'lines':>10}{'hits':>10}{'filtered':>10}{'rejected':>10}{'blank':>10}"]
    for name, account in (*report.accounts.items(), ("all", sum(report.accounts.values(), Account()))):
        filtered, rejected = sum(account.filtered.values()), sum(account.rejected.values())
        rows.append(
            f"{name:<16}{account.lines:>10,}{account.hits:>10,}{filtered:>10,}{rejected:>10,}{account.blank:>10,}"
        )
    return "\n".join(rows)


def main() -> int:
    """Run as a program: 0 when every law holds, 1 when one is broken."""
    parser = argparse.ArgumentParser(description="Feed mutated lines of every known log format to the kernel.")
    parser.add_argument("--lines", type=int, default=1_000_000, help="at least so many (default: 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn at random (default: 1)")
    parser.add_argument("--growth", type=float, default=64, help="so many MiB memory may grow by (default: 64)")
    arguments = parser.parse_args()
    began = time.perf_counter()
    report = soak(arguments.lines, arguments.seed)
    growth = (report.end - report.warm) / 2**20
    if report.warm and growth > arguments.growth:
        report.differences.append(f"memory has grown by {growth:.0f} MiB, more than {arguments.growth:g}")
    print(table(report))
    print(f"{report.checked:,} of them read by the reference too; {time.perf_counter() - began:.0f} s")
    print(f"memory {report.warm / 2**20:,.0f} MiB after the first fifth, {report.end / 2**20:,.0f} MiB at the end")
    for difference in report.differences:
        print(f"BROKEN: {difference}")
    print("FAILED" if report.differences else "PASSED: every line is accounted for, and nothing raised")
    return int(bool(report.differences))


if __name__ == "__main__":
    sys.exit(main())

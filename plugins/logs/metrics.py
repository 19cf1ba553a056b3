"""What a run did and what the workspace holds, in the text format of Prometheus (`--metrics`)."""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from logparse.kernel import Account
from plugins.logs import history, summary

if TYPE_CHECKING:
    from crm.workspace import Workspace
    from plugins.logs.mining import Result

HELP = {
    "run": "Number of the last run that stored something.",
    "sources": "Sources in the ledger.",
    "lines_total": "Lines read of all sources.",
    "hits_total": "Lines stored as hits of all sources; also those that were pruned since.",
    "blank_total": "Empty lines and comments of all sources.",
    "filtered_total": "Lines of all sources that a rule dropped, by rule.",
    "rejected_total": "Lines of all sources that could not be parsed, by reason.",
    "stored_rows": "Rows of a table of the lake.",
    "stored_bytes": "Size of the data files of a table of the lake.",
    "newest_hit_timestamp_seconds": "Time of the newest hit.",
    "newest_hit_age_seconds": "How old the newest hit was when the last run ended.",
    "last_run_timestamp_seconds": "When the last run ended.",
    "last_success_timestamp_seconds": "When the last run ended that had the exit code 0.",
    "last_run_success": "Whether the last run had the exit code 0.",
    "last_run_seconds": "How long the last run took.",
    "last_run_lines": "Lines that the last run read.",
    "last_run_hits": "Lines that the last run stored as hits.",
    "last_run_blank": "Empty lines and comments that the last run read.",
    "last_run_filtered": "Lines of the last run that a rule dropped, by rule.",
    "last_run_rejected": "Lines of the last run that could not be parsed, by reason.",
    "last_run_refused_logs": "Logs that the last run could not use.",
    "last_run_failed_miners": "Miners that did not work in the last run.",
    "last_run_sessions": "Sessions of the dates whose sessions the last run made anew.",
    "last_run_visitors": "Visitors of these sessions.",
    "last_run_log_lines": "Lines that the last run read of a log.",
    "last_run_log_hits": "Lines of a log that the last run stored as hits.",
    "last_run_log_rejected": "Lines of a log that could not be parsed.",
    "last_run_log_refused": "Whether the last run could not use a log.",
}
"""Every metric, without its prefix; what ends with `_total` is a counter, the others are gauges."""

PREFIX = "crm_logs_"
SUCCESS = "last_success_timestamp_seconds"

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]


def text(result: "Result", workspace: "Workspace", took: float, *, success: bool, before: Path) -> str:
    """The metrics after a run.

    Args:
        result: What the run did.
        workspace: The workspace.
        took: Seconds that the run took.
        success: Whether its exit code is 0.
        before: The file of an earlier run, which knows when one was a success last.
    """
    now = time.time()
    samples = [*_stored(workspace, now), *_run(result, workspace), ("last_run_seconds", {}, took)]
    samples += [("last_run_timestamp_seconds", {}, now), ("last_run_success", {}, success)]
    last = now if success else _last_success(before)
    samples += [(SUCCESS, {}, last)] if last is not None else []
    return "".join(_family(name, [sample for sample in samples if sample[0] == name]) for name in HELP)


def _stored(workspace: "Workspace", now: float) -> Iterator[Sample]:
    """What the workspace holds."""
    lake, ledger = workspace.lake, history.rows(workspace)
    yield "run", {}, lake.transaction("hits")
    yield "sources", {}, ledger["source"].n_unique()
    yield from _account("", "_total", history.total(ledger))
    for name in lake.contracts:
        files = lake.files(name)
        yield "stored_rows", {"table": name}, int(files["rows"].sum())
        yield "stored_bytes", {"table": name}, int(files["size"].sum())
    newest = lake.newest("hits")
    if newest is not None:
        yield "newest_hit_timestamp_seconds", {}, newest.timestamp()
        yield "newest_hit_age_seconds", {}, now - newest.timestamp()


def _run(result: "Result", workspace: "Workspace") -> Iterator[Sample]:
    """What the run did, in all and by log; logs that brought nothing are left out."""
    yield from _account("last_run_", "", result.account)
    yield "last_run_refused_logs", {}, sum(outcome.state == "refused" for outcome in result.outcomes)
    yield "last_run_failed_miners", {}, len(result.failed)
    found = summary.figures(workspace.lake, result.changed, result.rules) if result.changed else None
    yield "last_run_sessions", {}, found.sessions if found else 0
    yield "last_run_visitors", {}, found.visitors if found else 0
    for outcome in result.outcomes:
        if outcome.state in ("read", "refused"):
            log, account = {"log": outcome.name}, outcome.reading.account if outcome.reading else Account()
            yield "last_run_log_lines", log, account.lines
            yield "last_run_log_hits", log, account.hits
            yield "last_run_log_rejected", log, sum(account.rejected.values())
            yield "last_run_log_refused", log, outcome.state == "refused"


def _account(before: str, after: str, account: Account) -> Iterator[Sample]:
    for name in ("lines", "hits", "blank"):
        yield f"{before}{name}{after}", {}, getattr(account, name)
    for rule, count in account.filtered.items():
        yield f"{before}filtered{after}", {"rule": rule}, count
    for reason, count in account.rejected.items():
        yield f"{before}rejected{after}", {"reason": reason}, count


def _family(name: str, samples: list[Sample]) -> str:
    """A metric with all its samples; nothing where there are none."""
    if not samples:
        return ""
    kind = "counter" if name.endswith("_total") else "gauge"
    lines = [f"# HELP {PREFIX}{name} {HELP[name]}", f"# TYPE {PREFIX}{name} {kind}"]
    lines += [f"{PREFIX}{name}{_labels(labels)} {_number(value)}" for _, labels, value in samples]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Labels) -> str:
    pairs = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    valid = value.encode("utf-8", "backslashreplace").decode()
    return valid.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}"


def _last_success(file: Path) -> float | None:
    """When a run was a success last, by the file of an earlier run."""
    try:
        found = re.search(rf"^{PREFIX}{SUCCESS} ([\d.]+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        return None
    return float(found[1]) if found else None

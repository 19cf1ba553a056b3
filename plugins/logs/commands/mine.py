"""`crm logs mine`."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.app import App, pass_app
from crm.errors import CrmError, TooManyRejects, Unusable
from crm.options import in_folder
from crm.units import Charset, Zone
from plugins.logs.options import (
    Limit,
    charset,
    chosen_format,
    engine,
    log_format,
    log_tz,
    max_rejects,
    rejects,
    session_rules,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm.workspace import Workspace
    from logparse.rules import SessionRules
    from plugins.logs.config import LogsConfig
    from plugins.logs.inputs import Input
    from plugins.logs.mining import Result

STDOUT = Path("-")


@click.command(name="mine")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@log_format
@charset
@log_tz
@session_rules
@click.option("--verify", is_flag=True, help="Open also files that look unchanged.")
@click.option(
    "--json-summary",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    callback=in_folder,
    help="Write the summary as one JSON object, for monitoring; - prints it, and the one for people goes to stderr. "
    "A run that fails leaves none.",
)
@click.option(
    "--metrics",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    callback=in_folder,
    help="Write metrics in the text format of Prometheus, for the node exporter's textfile collector.",
)
@rejects
@max_rejects
@engine
@pass_app
def command(
    app: App,
    /,
    files: tuple[str, ...],
    log_format: str | None,
    charset: Charset | None,
    log_tz: Zone | None,
    verify: bool,
    json_summary: Path | None,
    metrics: Path | None,
    rejects: Path | None,
    max_rejects: Limit | None,
    **cuts: Any,
) -> None:
    """Store new lines of logs as hits, rebuild their sessions, run the miners.

    FILE is a log, plain or compressed (gzip, bzip2, xz, zstd); a glob in quotes; a folder, of which every file
    is read; the same in an object store, such as s3://BUCKET/KEY; or - for standard input. What an earlier run
    has read is known by its content and not read twice, whatever it is called now. An unterminated last line of
    a plain file is left for a later run. A summary is printed, unless -q is given before the command.

    Bytes of a log are in --charset; percent-encoded ones may be UTF-8 as well. Times that lack an offset are in
    --log-tz. A log goes on in the charset and zone with which it began, or is refused until `crm logs drop`.

    One set of session rules holds for the whole workspace. Where --idle, --max-length, --max-hits or --new-referrer
    say otherwise than the last run did, all sessions are made anew; the next run without them goes back to the
    configuration (logs.sessions) and makes them anew once more. To try rules out, use `crm logs sessions`.

    A log that cannot be read, that fits no format, or of which more than half is rejected is refused: nothing
    of it is stored, the others are, and the exit code is 4. With more rejected lines than --max-rejects allows,
    all that is good has been stored, and the exit code is 3. Where a plugin's miner does not work, only its
    tables stay as they were, and the exit code is 1. Of several, the first of these counts.

    --rejects writes each rejected line, also those of refused logs, as one JSON object: name and source (null
    for a refused log) say which log, line and offset (in bytes, uncompressed) where, reason and field why, and
    text is the line; bytes that are not UTF-8 stand in it as \\xHH, and of a line over 1 MiB its beginning.

    With --engine spark, workers of a cluster read the logs, make the sessions and run the miners; what is stored
    is the same. They must find the logs, and the lake (section `lake` of the configuration), where this machine does.

    \b
    Examples:
      crm logs mine /var/log/nginx/access.log
      crm logs mine '/var/log/apache2/*access.log*' --json-summary last-run.json
      crm -q logs mine access.log --rejects rejects.ndjson --max-rejects 1%
      crm logs mine old.log.xz --charset gbk --log-tz Asia/Shanghai
      zcat old.log.gz | crm logs mine - --log-format combined
      crm logs mine 's3://logs/*.gz' --engine spark --master spark://10.0.0.1:7077
    """
    from plugins.logs.config import LogsConfig

    began = time.perf_counter()
    config = app.config.get("logs", LogsConfig).given(charset=charset, tz=log_tz)
    rules = config.session_rules(**cuts)
    workspace, result = _mined(app, files, log_format, config, rules, verify, rejects, json_summary, metrics)
    took = time.perf_counter() - began
    error = _error(result, max_rejects)
    _tell(app, result, workspace, took, json_summary, metrics, success=error is None)
    if error is not None:
        raise error


def _mined(
    app: App,
    /,
    files: tuple[str, ...],
    log_format: str | None,
    config: "LogsConfig",
    rules: "SessionRules",
    verify: bool,
    rejects: Path | None,
    json_summary: Path | None,
    metrics: Path | None,
) -> "tuple[Workspace, Result]":
    """Mine logs into the workspace, alone; what an earlier run has told of itself is gone before."""
    from plugins.logs.engines import mining
    from plugins.logs.inputs import expand
    from plugins.logs.parallel import WORTH_BYTES, Pool

    inputs = expand(files, (rejects, json_summary, metrics), s3=config.s3)
    if not (json_summary or metrics or app.log_json):  # these tell of each log
        _check_there(inputs)
    with mining(app, config) as engine, Pool() as pool:
        if not app.workspace_path.exists() and sum(item.size for item in inputs) >= WORTH_BYTES:
            pool.start()  # all of it is new, so they may come up beside what is imported here
        from plugins.logs.mining import Mine
        from plugins.logs.progress import Progress
        from plugins.logs.rejects import rejects_file

        formats, wanted = chosen_format(app, log_format, config)
        workspace = app.workspace(create=True)
        with workspace.lock(), Progress(quiet=app.verbosity < 0 or app.log_json) as progress:
            if json_summary and json_summary.is_file():
                json_summary.unlink()  # a run that fails must not leave the summary of an earlier one
            mine = Mine.of(app, rules, progress.above(app.note), progress.above(app.debug), config, engine=engine)
            with rejects_file(rejects) as rejected:
                result = mine.run(
                    inputs, formats, wanted, verify=verify, progress=progress.advance, pool=pool, rejects=rejected
                )
    return workspace, result


def _check_there(inputs: "Sequence[Input]") -> None:
    """See that there is something to read, before a workspace is made for it.

    Raises:
        Unusable: none of the logs can be read.
    """
    from crm.cells import visible
    from plugins.logs.inputs import unreadable
    from plugins.logs.words import FEW

    missing = unreadable(inputs)
    if len(missing) == len(inputs):
        named = "; ".join(f"{visible(name)}: {reason}" for name, reason in [*missing.items()][:FEW])
        rest = f"; and {len(missing) - FEW:,} more" if len(missing) > FEW else ""
        raise Unusable(f"{named}{rest}")


def _tell(
    app: App,
    /,
    result: "Result",
    workspace: "Workspace",
    took: float,
    json_summary: Path | None,
    metrics: Path | None,
    *,
    success: bool,
) -> None:
    """Tell people and programs what a run did."""
    from crm.atomic import replacing
    from plugins.logs import summary

    for outcome in result.outcomes:
        app.event("log", **summary.source_object(outcome))
    found = summary.as_object(result, workspace.lake, took)
    app.event("run", **{key: value for key, value in found.items() if key != "sources"})
    data = json.dumps(found, ensure_ascii=False, indent=2, default=str).encode("utf-8", "backslashreplace") + b"\n"
    if json_summary == STDOUT:
        click.echo(data, nl=False)
    elif json_summary:
        with replacing(json_summary) as out:
            out.write(data)
    if app.verbosity >= 0:
        to_stderr = json_summary == STDOUT
        if not (to_stderr and app.log_json):
            click.echo("\n".join(summary.report(result, workspace.lake, took)), err=to_stderr)
    if metrics:
        _write_metrics(metrics, result, workspace, took, success=success)


def _write_metrics(file: Path, result: "Result", workspace: "Workspace", took: float, *, success: bool) -> None:
    from crm.atomic import replacing
    from plugins.logs import metrics

    text = metrics.text(result, workspace, took, success=success, before=file)
    with replacing(file) as out:
        out.write(text.encode())


def _error(result: "Result", limit: Limit | None) -> CrmError | None:
    """Why the exit code is not 0: logs were refused, too many lines rejected, or a miner does not work."""
    from plugins.logs import summary, words

    told = [summary.told(outcome) for outcome in result.outcomes]
    if any(log.error for log in told):
        return Unusable(words.refusal(told, ", and nothing of them was stored"))
    rejected, counted = sum(result.account.rejected.values()), result.account.lines - result.account.blank
    if limit is not None and limit.is_exceeded(rejected, counted):
        return TooManyRejects(f"{rejected:,} of {counted:,} lines were rejected, more than {limit} are allowed")
    return words.miner_failure(result.failed)

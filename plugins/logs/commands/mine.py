"""`crm logs mine`."""

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import TooManyRejects, Unusable
from plugins.logs.options import Limit, chosen_format, log_format, max_rejects, session_rules

if TYPE_CHECKING:
    from plugins.logs.mining import Result


def _in_folder(_context: click.Context, _param: click.Parameter, value: Path | None) -> Path | None:
    """Find out before the run whether the file can be made after it."""
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}.")
    return value


@click.command(name="mine")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@log_format
@session_rules
@click.option("--verify", is_flag=True, help="Open also files that look unchanged.")
@click.option(
    "--json-summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    callback=_in_folder,
    help="Write the summary as one JSON object, for monitoring; a run that fails leaves none.",
)
@max_rejects
@pass_app
def command(
    app: App,
    files: tuple[str, ...],
    log_format: str | None,
    idle: timedelta | None,
    max_length: timedelta | None,
    max_hits: int | None,
    new_referrer: bool | None,
    verify: bool,
    json_summary: Path | None,
    max_rejects: Limit | None,
) -> None:
    """Store new lines of logs as hits, rebuild their sessions, run the miners.

    FILE is a log, plain or gzip; a glob in quotes; a folder, of which every file is read; or - for standard
    input. What an earlier run has read is known by its content and not read twice, whatever the file is
    called now. An unterminated last line of a plain file is left for a later run. A summary is printed,
    unless -q is given before the command.

    One set of session rules holds for the whole workspace. Where the options --idle, --max-length, --max-hits
    or --new-referrer say otherwise than the last run did, all sessions are made anew, also those of old hits;
    the next run without them goes back to the configuration and makes all sessions anew once more. For good,
    write them into the configuration (logs.sessions); to try them out, use `crm logs sessions`.

    A log that cannot be read, that fits no format, or of which more than half is rejected is refused: nothing
    of it is stored, the others are, and the exit code is 4. With more rejected lines than --max-rejects allows,
    all that is good has been stored, and the exit code is 3.

    \b
    Examples:
      crm logs mine /var/log/nginx/access.log
      crm logs mine '/var/log/apache2/*access.log*' --json-summary last-run.json
      zcat old.log.gz | crm logs mine - --log-format combined
    """
    from crm.atomic import replacing
    from plugins.logs import summary
    from plugins.logs.config import LogsConfig
    from plugins.logs.inputs import expand
    from plugins.logs.mining import Mine
    from plugins.logs.progress import Progress

    began = time.perf_counter()
    config = app.config.get("logs", LogsConfig)
    rules = config.session_rules(idle=idle, max_length=max_length, max_hits=max_hits, new_referrer=new_referrer)
    formats, wanted = chosen_format(app, log_format, config)
    inputs = expand(files)
    workspace = app.workspace(create=True)
    with workspace.lock(), Progress(quiet=app.verbosity < 0) as progress:
        if json_summary and json_summary.is_file():
            json_summary.unlink()  # a run that fails must not leave the summary of an earlier one
        mine = Mine.of(app, rules, progress.above(app.note))
        result = mine.run(inputs, formats, wanted, verify=verify, progress=progress.advance)
    took = time.perf_counter() - began
    if json_summary:
        found = summary.as_object(result, workspace.lake, took)
        with replacing(json_summary) as out:
            out.write(json.dumps(found, ensure_ascii=False, indent=2, default=str).encode() + b"\n")
    if app.verbosity >= 0:
        click.echo("\n".join(summary.report(result, workspace.lake, took)))
    _judge(result, max_rejects)


def _judge(result: "Result", limit: Limit | None) -> None:
    """End with an exit code other than 0 where logs were refused, or too many lines rejected."""
    from plugins.logs import summary, words

    told = [summary.told(outcome) for outcome in result.outcomes]
    if any(log.error for log in told):
        raise Unusable(words.refusal(told, ", and nothing of them was stored"))
    rejected, counted = sum(result.account.rejected.values()), result.account.lines - result.account.blank
    if limit is not None and limit.is_exceeded(rejected, counted):
        raise TooManyRejects(f"{rejected:,} of {counted:,} lines were rejected, more than {limit} are allowed")

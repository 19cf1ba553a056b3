"""`crm logs mine`."""

import json
import time
from datetime import timedelta
from pathlib import Path

import click

from crm.app import App, pass_app
from crm.errors import Unusable
from plugins.logs.options import log_format, session_rules


@click.command(name="mine")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@log_format
@session_rules
@click.option("--verify", is_flag=True, help="Open also files that look unchanged.")
@click.option(
    "--json-summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the summary as one JSON object, for monitoring.",
)
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
) -> None:
    """Store new lines of logs as hits, rebuild their sessions, run the miners.

    FILE is a log, plain or gzip; a glob in quotes; a folder, of which every file is read; or - for standard input.
    What an earlier run has read is known by its content and not read twice, whatever the file is called now.
    An unterminated last line of a plain file is left for a later run.

    \b
    Examples:
      crm logs mine /var/log/nginx/access.log
      crm logs mine '/var/log/apache2/*access.log*' --json-summary last-run.json
      zcat old.log.gz | crm logs mine - --log-format combined
    """
    from crm.atomic import replacing
    from plugins.logs import mining, opening, summary
    from plugins.logs.config import LogsConfig
    from plugins.logs.inputs import expand
    from plugins.logs.progress import Progress

    began = time.perf_counter()
    config = app.config.get("logs", LogsConfig)
    rules = config.session_rules(idle=idle, max_length=max_length, max_hits=max_hits, new_referrer=new_referrer)
    formats = list(app.host.log_formats().values())
    wanted = opening.choose_format(log_format or config.format, formats)
    inputs = expand(files)
    workspace = app.workspace(create=True)
    with workspace.lock(), Progress(inputs, quiet=app.verbosity < 0) as progress:
        mine = mining.Mine(workspace, config, rules, app.host.miners(app.config), app.note)
        result = mine.run(inputs, formats, wanted, verify=verify, progress=progress.advance)
    took = time.perf_counter() - began
    if json_summary:
        found = summary.as_object(result, workspace.lake, took)
        with replacing(json_summary) as out:
            out.write(json.dumps(found, ensure_ascii=False, indent=2, default=str).encode() + b"\n")
    click.echo("\n".join(summary.report(result, workspace.lake, took)))
    refused = [outcome for outcome in result.outcomes if outcome.state == "refused"]
    if refused:
        raise Unusable(
            f"{len(refused)} of {len(inputs)} inputs could not be used, and nothing of them was stored: "
            + "; ".join(f"{outcome.name}: {outcome.error}" for outcome in refused)
        )

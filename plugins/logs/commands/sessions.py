"""`crm logs sessions`."""

from pathlib import Path
from typing import Any

import click

from crm.app import App, pass_app
from crm.errors import Unusable
from crm.filters import current_filters, filtered
from crm.messages import counted
from crm.options import with_robots
from crm.output import current, show, table_output
from crm.units import Charset, Zone
from plugins.logs.options import charset, chosen_format, engine, log_format, log_tz, rejects, session_rules


@click.command(name="sessions")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--raw", is_flag=True, help="Every hit is a view: robots, assets and errors too.")
@with_robots
@log_format
@charset
@log_tz
@session_rules
@rejects
@engine
@filtered
@table_output(columns="date session visitor customer start end duration_s hits views entry exit bot path times")
@pass_app
def command(
    app: App,
    /,
    files: tuple[str, ...],
    raw: bool,
    with_robots: bool,
    log_format: str | None,
    charset: Charset | None,
    log_tz: Zone | None,
    rejects: Path | None,
    **cuts: Any,
) -> None:
    """Print the sessions of logs; leaves the workspace alone.

    FILE is as in `crm logs mine`. The sessions are those that mining the same logs into a fresh workspace
    would store, ordered by start; the rule in force and where every line went are told on stderr. Sessions
    of robots by behaviour are left out and counted there; --with-robots prints them too, with the reason in
    `bot`. All hits are held in memory; for logs beyond it, mine them into a workspace. Visitor ids and the
    file of --rejects are as in `crm logs parse`. --since, --until and --where choose among the sessions, by their
    start; each is whole.

    With --engine spark, hits stay with the workers of a cluster, and only the sessions come to this machine.

    \b
    Examples:
      crm logs sessions access.log -n 5
      crm logs sessions access.log --idle 15m --columns start,views,path
      crm logs sessions access.log --with-robots --columns bot,views,path
      crm logs sessions access.log --since 2026-03-02T08:00 --where 'views >= 5'
      crm logs sessions access.log --raw -f ndjson | wc -l
      crm logs sessions '/mnt/logs/*.log' --engine spark \\
          --master spark://10.0.0.1:7077 -o sessions.parquet
    """
    import polars as pl

    from plugins.logs import reading, words
    from plugins.logs.config import LogsConfig
    from plugins.logs.engines import cutting
    from plugins.logs.inputs import expand
    from plugins.logs.rejects import rejects_file

    config = app.config.get("logs", LogsConfig).given(charset=charset, tz=log_tz)
    rules = config.session_rules(**cuts)
    formats, wanted = chosen_format(app, log_format, config)
    inputs, key = expand(files, (rejects, current().file), s3=config.s3), reading.visitor_key(app)
    with cutting(app, config) as sessions, rejects_file(rejects) as rejected:
        reader = reading.Reader(inputs, formats, wanted, config.rules(), key, rejected)
        found = sessions(reader, rules, raw=raw)
        people = found.filter(pl.col("bot").is_null())
        shown = found if raw or with_robots else people
        show(app, current_filters().rows(app, shown.lazy(), "start"), current())
    reading.tell(reader, app.note)
    app.note(f"rule: {words.describe(rules)}" + ("; every hit is a view" if raw else ""))
    if not raw:
        robots = dict(found.drop_nulls("bot").group_by("bot").len().iter_rows())
        by_reason = f": {words.reasons(robots)}" if robots else ""
        app.note(f"{counted(people.height, 'session')} of people, {found.height:,} with robots by behaviour{by_reason}")
    told = [log.told for log in reader.logs]
    if any(log.error for log in told):
        raise Unusable(words.refusal(told))

"""`crm logs parse`."""

from pathlib import Path

import click

from crm.app import App, pass_app
from crm.errors import Unusable
from crm.filters import current_filters, filtered
from crm.output import current, show, table_output
from crm.units import Charset, Zone
from plugins.logs.options import charset, chosen_format, engine, log_format, log_tz, rejects


@click.command(name="parse")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@log_format
@charset
@log_tz
@rejects
@click.option("--merge", is_flag=True, help="Order the hits of all logs by time; holds them in memory.")
@engine
@filtered
@table_output(
    columns="ts visitor login address host method path page query status bytes referrer agent bot kind file line"
)
@pass_app
def command(
    app: App,
    files: tuple[str, ...],
    log_format: str | None,
    charset: Charset | None,
    log_tz: Zone | None,
    rejects: Path | None,
    merge: bool,
) -> None:
    """Print the hits of logs; leaves the workspace alone.

    FILE is as in `crm logs mine`. Hits come in the order of the files and their lines, and stream by: a log
    of any size goes to csv, tsv, json, ndjson or parquet in little memory. (A table for people is laid out when
    all of its rows are known, so give -n with it.) Where every line went is told on
    stderr at the end, also for those that --since, --until or --where leave out. With --merge, the logs of several
    servers become one: hits are ordered by time, and of one instant by the first time in their log, its first lines,
    and their lines. The rules of pages, robots, visitors and drops are those of the configuration. A last
    line without a line end counts. Rejected lines go to the file of --rejects as `crm logs mine` writes it.

    Visitor ids are made with the key of the workspace where there is one. Without, they are made with a key
    of zeros, so that the same log gives the same ids everywhere; whoever knows an address and agent can then
    find their id.

    \b
    Examples:
      crm logs parse access.log -n 5
      crm logs parse '/var/log/nginx/*.gz' --since 2026-03-01 \\
          --where 'status >= 500' -o errors.parquet
      crm logs parse one/access.log two/access.log --merge
      crm logs parse access.log -o hits.csv --rejects rejects.ndjson
      crm logs parse '/mnt/logs/*.log' --engine spark \\
          --master spark://10.0.0.1:7077 -o hits.parquet
      zcat old.log.gz | crm logs parse - --log-format combined -f ndjson
    """
    from plugins.logs import reading, words
    from plugins.logs.config import LogsConfig
    from plugins.logs.engines import parsing
    from plugins.logs.inputs import expand
    from plugins.logs.rejects import rejects_file

    config = app.config.get("logs", LogsConfig).given(charset=charset, tz=log_tz)
    formats, wanted = chosen_format(app, log_format, config)
    output, filters = current(), current_filters()
    inputs, key = expand(files, (rejects, output.file), s3=config.s3), reading.visitor_key(app)
    with parsing(app, config) as place, rejects_file(rejects) as rejected:
        reader = reading.Reader(inputs, formats, wanted, config.rules(), key, rejected, place)
        with reading.merged(reader) if merge else reading.stream(reader) as hits:
            show(app, filters.rows(app, hits, "ts"), output, once=not merge)
    reading.tell(reader, app.note, limit=output.limit)
    told = [log.told for log in reader.logs]
    if any(log.error for log in told):
        raise Unusable(words.refusal(told))

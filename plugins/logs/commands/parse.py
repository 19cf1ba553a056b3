"""`crm logs parse`."""

import click

from crm.app import App, pass_app
from crm.errors import Unusable
from crm.output import current, show, table_output
from plugins.logs.options import chosen_format, log_format


@click.command(name="parse")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@log_format
@table_output()
@pass_app
def command(app: App, files: tuple[str, ...], log_format: str | None) -> None:
    """Print the hits of logs; leaves the workspace alone.

    FILE is as in `crm logs mine`. Hits come in the order of the files and their lines, and stream by: a log
    of any size goes to csv, tsv, json, ndjson or parquet in little memory. Where every line went is told on
    stderr at the end. The rules of pages, robots, visitors and drops are those of the configuration. A last
    line without a line end counts.

    Visitor ids are made with the key of the workspace where there is one. Without, they are made with a key
    of zeros, so that the same log gives the same ids everywhere; whoever knows an address and agent can then
    find their id.

    \b
    Examples:
      crm logs parse access.log -n 5
      crm logs parse '/var/log/nginx/*.gz' -o hits.parquet
      zcat old.log.gz | crm logs parse - --log-format combined -f ndjson
    """
    from plugins.logs import reading, words
    from plugins.logs.config import LogsConfig
    from plugins.logs.inputs import expand

    config = app.config.get("logs", LogsConfig)
    formats, wanted = chosen_format(app, log_format, config)
    reader = reading.Reader(expand(files), formats, wanted, config.rules(), reading.visitor_key(app))
    output = current()
    show(app, reading.stream(reader), output, once=True)
    reading.tell(reader, app.note, limit=output.limit)
    told = [log.told for log in reader.logs]
    if any(log.error for log in told):
        raise Unusable(words.refusal(told))

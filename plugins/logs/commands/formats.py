"""`crm logs formats`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import Unusable
from crm.output import current, impersonal, show, table_output
from plugins.logs.options import charset, known_formats

if TYPE_CHECKING:
    import polars as pl

    from crm.units import Charset
    from logparse.spec import LogFormat
    from plugins.logs.config import LogsConfig

COLUMNS = ("name", "syntax", "help", "pattern")


@click.command(name="formats")
@click.option("--detect", metavar="FILE", help="Tell which format FILE has (- is standard input).")
@charset
@table_output(columns="name fits syntax help pattern")
@pass_app
def command(app: App, detect: str | None, charset: "Charset | None") -> "pl.DataFrame | None":
    """List the known log formats, or name that of a file.

    `auto` tries the formats in this order. With --detect, `fits` is the share of FILE's first lines (at most
    1,000) that fit a format; the best is named on stderr, and where none fits half of them the exit code is
    4. Formats come from this program, from plugins and from logs.formats of the configuration; any other can
    be written as a pattern with --log-format.

    \b
    Examples:
      crm logs formats
      crm logs formats --detect /var/log/apache2/access.log
      crm logs formats --detect old.log.bz2 --charset big5
    """
    import polars as pl

    from plugins.logs.config import LogsConfig

    impersonal()
    config = app.config.get("logs", LogsConfig).given(charset=charset)
    formats = known_formats(app, config)
    listed = pl.DataFrame(
        [(known.name, known.syntax, known.help, known.pattern) for known in formats],
        schema=dict.fromkeys(COLUMNS, pl.String),
        orient="row",
    )
    if detect is None:
        return listed
    found = _detected(detect, formats, config)
    shares = listed.with_columns(pl.Series("fits", found, dtype=pl.Float64)).select("name", "fits", *COLUMNS[1:])
    best = max(found, default=0.0)
    show(app, shares.sort("fits", descending=True, maintain_order=True), current())
    from logparse.detect import ENOUGH

    if best < ENOUGH:
        raise Unusable(f"{detect}: none of the formats fits half of its first lines; write one with --log-format")
    app.note(f"{detect}: {formats[found.index(best)].name} fits {best:.1%} of its first lines")
    return None


def _detected(name: str, formats: "list[LogFormat]", config: "LogsConfig") -> list[float]:
    """The share of a log's first lines that fit each format.

    Raises:
        Unusable: it cannot be read, or has no lines yet.
    """
    from logparse.charsets import to_utf8
    from logparse.detect import SAMPLE_LINES, first_lines, fits
    from logparse.errors import LogparseError
    from logparse.headers import marks
    from logparse.identity import head
    from plugins.logs.inputs import expand
    from plugins.logs.opening import beginning

    items = expand([name], s3=config.s3)
    if len(items) > 1:
        raise click.BadParameter(f"{name} means {len(items):,} files; name one.", param_hint="--detect")
    try:
        with items[0].opened() as (stream, plain):
            headers = marks(formats)
            _, whole = beginning(stream, headers, plain=plain and items[0].path is not None)
    except LogparseError as error:
        raise Unusable(str(error)) from error
    if not head(whole, headers):
        raise Unusable(f"{name}: has no finished line yet but empty ones and comments")
    sample = first_lines(to_utf8(whole, config.charset), SAMPLE_LINES)
    return [fits(sample, known) for known in formats]

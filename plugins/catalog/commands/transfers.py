"""`import`, `export` and `list` of the catalogue."""

from typing import TYPE_CHECKING

from crm.table_commands import export_command, import_command, list_command

if TYPE_CHECKING:
    from crm.judging import Target


def _catalog() -> "Target":
    from plugins.catalog.items import CATALOG_TARGET

    return CATALOG_TARGET


catalog_import = import_command(
    _catalog,
    """Import the catalogue from a file.

    FILE is csv, tsv, xlsx, yaml, json, ndjson or parquet, or - for standard input; a row is an item. Which column is
    what is guessed from its name, Chinese or English, and said; --save-map writes it down for you to edit, --map reads
    it. A category is three columns with the names of its levels, or one with the path, such as food/grain/rice. Rows
    that cannot be read, or whose category lies within itself, are left out and written to --rejects with the reasons.

    An item that the file does not name stays as it is; `until` takes one off the list.

    \b
    Examples:
      crm catalog import items.csv
      crm catalog import 商品.xlsx --save-map items.yaml --dry-run
      crm catalog import shop-items.yaml --rejects rejected.csv
    """,
)

catalog_export = export_command(
    "catalog",
    """Export the catalogue to a file.

    All columns, as an import reads them again: importing what was written into an empty workspace gives an equal table.
    -o picks the format by its ending.

    \b
    Examples:
      crm catalog export -o items.csv
      crm catalog export --where "level1 = 'food' and stock > 0" -f ndjson
    """,
    "level1 = 'food' and stock > 0",
    people=False,
)

catalog_list = list_command(
    "catalog",
    """List items of the catalogue.

    \b
    Examples:
      crm catalog list -n 20
      crm catalog list --where "level3 = 'rice'"
    """,
    "level3 = 'rice'",
    ("item", "title", "level1", "level2", "level3", "tags", "price", "stock", "since", "until"),
    people=False,
)

"""`import`, `export` and `list` of customers, orders, answers and consents."""

from typing import TYPE_CHECKING

from crm.table_commands import export_command, import_command, list_command

if TYPE_CHECKING:
    from crm.judging import Target


def _customers() -> "Target":
    from plugins.customers.targets import CUSTOMERS

    return CUSTOMERS


def _orders() -> "Target":
    from plugins.customers.targets import ORDERS

    return ORDERS


def _surveys() -> "Target":
    from plugins.customers.targets import SURVEYS

    return SURVEYS


def _consents() -> "Target":
    from plugins.customers.targets import CONSENTS

    return CONSENTS


_HOW = """
    FILE is csv, tsv, json, ndjson, yaml, parquet, xlsx or vcard, or - for standard input. Which column is what is
    guessed from its name, Chinese or English, and said; --save-map writes it down for you to edit, --map reads it.
    Rows that cannot be read, or break a rule of the map, are left out and written to --rejects with the reasons; all
    others go in, in one transaction. Every row is counted: new + changed + same + repeated + rejected."""

customers_import = import_command(
    _customers,
    f"""Import customers from a file.
{_HOW}

    Phones, e-mails, dates, names of regions and the like are brought into one form, and what they were is kept. A
    customer without an id gets one, made of the id number, or phone or e-mail and name. Columns that no field is for
    are kept under their own names.

    \b
    Examples:
      crm customers import members.csv
      crm customers import 会员.xlsx --save-map members.yaml --dry-run
      crm customers import members.csv --map members.yaml --rejects rejected.csv \\
          --max-rejects 100
      cat members.json | crm customers import - --on-duplicate merge
    """,
)
orders_import = import_command(
    _orders,
    f"""Import orders from a file.
{_HOW}

    A row is a line of an order: lines with one order id are numbered as they come. An order without an id gets one,
    made of all that the row says.

    \b
    Examples:
      crm orders import orders.csv
      crm orders import 订单.xlsx --map orders.yaml --rejects rejected.csv
    """,
)
surveys_import = import_command(
    _surveys,
    f"""Import answers of customers from a file.
{_HOW}

    A row is an answer: the customer, when, a score, and to what question: nps for 0 to 10, csat for 1 to 5.

    \b
    Examples:
      crm surveys import nps.csv
      crm surveys import 满意度.xlsx --map survey.yaml
    """,
)
consents_import = import_command(
    _consents,
    f"""Import from a file what customers have agreed to.
{_HOW}

    A row is what a customer has said of a channel: whether it is granted, when, and where it was said.

    \b
    Examples:
      crm consents import consents.csv --source form
      crm consents import withdrawn.csv --map consents.yaml
    """,
)

_WHOLE = """
    All columns, as an import reads them again: importing what `export --unmask` has written into an empty workspace
    gives an equal table. Without --unmask personal values are masked. -o picks the format by its ending."""

customers_export = export_command(
    "customers",
    f"""Export customers to a file.
{_WHOLE}

    \b
    Examples:
      crm customers export -o customers.csv
      crm customers export --unmask -o customers.parquet
      crm customers export --segment silver --columns customer,city,region \\
          -o silver.xlsx --for-excel
      crm customers export --where "region = '广东'" -f ndjson
    """,
    "region = '广东'",
)
orders_export = export_command(
    "orders",
    f"""Export orders to a file.
{_WHOLE}

    \b
    Examples:
      crm orders export -o orders.csv
      crm orders export --since 2026-01-01 --where 'amount > 100' -f parquet \\
          -o orders.parquet
    """,
    "amount > 100",
)
surveys_export = export_command(
    "surveys",
    f"""Export answers of customers to a file.
{_WHOLE}

    \b
    Examples:
      crm surveys export -o answers.csv
    """,
    "score >= 9",
)
consents_export = export_command(
    "consents",
    f"""Export to a file what customers have agreed to.
{_WHOLE}

    \b
    Examples:
      crm consents export --unmask -o consents.csv
    """,
    "channel = 'email'",
)

customers_list = list_command(
    "customers",
    """List customers.

    \b
    Examples:
      crm customers list -n 20
      crm customers list --segment silver --where "city = '深圳'"
      crm customers list --columns customer,name,phone --unmask
    """,
    "region = '广东'",
    ("customer", "name", "sex", "birth", "phone", "email", "city", "region", "registered"),
)
orders_list = list_command(
    "orders",
    """List orders.

    \b
    Examples:
      crm orders list -n 20
      crm orders list --since 30d --where 'amount > 100'
    """,
    "amount > 100",
    ("order_id", "line", "customer", "ts", "item", "quantity", "amount", "currency", "status"),
)
surveys_list = list_command(
    "surveys",
    """List answers of customers.

    \b
    Examples:
      crm surveys list --where "question = 'nps' and score <= 6"
    """,
    "score >= 9",
    ("customer", "ts", "question", "score", "comment"),
)
consents_list = list_command(
    "consents",
    """List what customers have agreed to and withdrawn.

    \b
    Examples:
      crm consents list --where "channel = 'email' and not granted"
    """,
    "channel = 'email'",
    ("customer", "channel", "ts", "granted", "source"),
)

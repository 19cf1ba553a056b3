"""Every column of the tables that files go into has a field, and usual headers are known."""

import pytest

from crm.consents import CONSENTS
from crm.intake.fields import Field
from crm.intake.kinds import type_of
from crm.intake.mapping import guess
from crm.schema import polars_schema
from crm.tables import Table
from plugins.customers.contracts import CUSTOMERS, ORDERS, SURVEYS
from plugins.customers.fields import CONSENT_FIELDS, CUSTOMER_FIELDS, ORDER_FIELDS, SURVEY_FIELDS

TABLES = [
    (CUSTOMERS, CUSTOMER_FIELDS), (ORDERS, ORDER_FIELDS), (SURVEYS, SURVEY_FIELDS), (CONSENTS, CONSENT_FIELDS),
]  # fmt: skip


@pytest.mark.parametrize(("table", "fields"), TABLES)
def test_what_was_exported_comes_in_again(table: Table, fields: tuple[Field, ...]) -> None:
    names = [column.name for column in table.columns]
    found = guess(names, fields)
    assert found.columns == dict(zip(names, names, strict=True))
    assert not found.extras


@pytest.mark.parametrize(("table", "fields"), TABLES)
def test_values_fit_the_columns(table: Table, fields: tuple[Field, ...]) -> None:
    schema = polars_schema(table)
    for field in fields:
        wanted, given = schema[field.name], type_of(field.kind)
        assert given == wanted or (given.is_integer() and wanted.is_integer())
        assert field.help
    assert all(
        any(field.name == name and field.required for field in fields)
        for name in table.key
        if name in ("customer", "channel", "ts", "question") and table is not CUSTOMERS
    )


@pytest.mark.parametrize(("table", "fields"), TABLES)
def test_no_header_is_that_of_two_fields(table: Table, fields: tuple[Field, ...]) -> None:
    headers = [header for field in fields for header in {field.name, *field.headers}]
    assert sorted(headers) == sorted(set(headers))


@pytest.mark.parametrize(
    ("fields", "header", "name"),
    [
        (CUSTOMER_FIELDS, "First Name", "given"),
        (CUSTOMER_FIELDS, "surname", "family"),
        (CUSTOMER_FIELDS, "客户名称", "name"),
        (CUSTOMER_FIELDS, "手机号码", "phone"),
        (CUSTOMER_FIELDS, "E-Mail", "email"),
        (CUSTOMER_FIELDS, "会员卡号", "customer"),
        (CUSTOMER_FIELDS, "ZIP Code", "postcode"),
        (CUSTOMER_FIELDS, "State/Province", "region"),
        (CUSTOMER_FIELDS, "birthday", "birth"),
        (CUSTOMER_FIELDS, "organisation", "company"),
        (CUSTOMER_FIELDS, "User Name", "login"),
        (ORDER_FIELDS, "订单编号", "order_id"),
        (ORDER_FIELDS, "InvoiceNo", "order_id"),
        (ORDER_FIELDS, "下单时间", "ts"),
        (ORDER_FIELDS, "实付金额", "amount"),
        (ORDER_FIELDS, "买家ID", "customer"),
        (SURVEY_FIELDS, "打分", "score"),
        (CONSENT_FIELDS, "是否同意", "granted"),
    ],
)
def test_usual_headers(fields: tuple[Field, ...], header: str, name: str) -> None:
    assert guess([header], fields).columns == {name: header}

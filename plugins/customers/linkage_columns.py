"""Which columns of a table of people say what: guessed from their names, Chinese or English, or told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from crm.errors import UsageError
from crm.nearest import did_you_mean, no_column, one_of

Kind = Literal["name", "text", "code", "date", "phone", "email", "id", "category"]


@dataclass(frozen=True)
class Field:
    """Something that is compared between two records.

    Attributes:
        name: What `--match` calls it.
        kind: How its values are written and compared.
        headers: Names of columns that it is guessed from, the best first; compared without case, spaces and signs.
    """

    name: str
    kind: Kind
    headers: tuple[str, ...]


def _field(name: str, kind: Kind, headers: str) -> Field:
    return Field(name, kind, tuple(headers.split()))


FIELDS: Final = (
    _field("given", "name", "givenname firstname forename given first fname 名 名字"),
    _field("family", "name", "familyname lastname surname family last lname 姓 姓氏"),
    _field("name", "name", "name fullname personname 姓名 名称 全名 收货人 联系人 客户"),
    _field("sex", "category", "sex gender 性别"),
    _field("birth", "date", "dateofbirth birthdate birthday dob birth born 出生日期 生日 出生年月日 出生年月"),
    _field(
        "idnumber",
        "id",
        "idnumber nationalid idcard idcardnumber idcardno idno socsecid ssn socialsecuritynumber passport "
        "身份证号 身份证 身份证号码 证件号 证件号码",
    ),
    _field(
        "phone",
        "phone",
        "mobile mobilephone cellphone cell phone phonenumber mobilenumber telephone tel phoneno mobileno "
        "手机 手机号 手机号码 电话 电话号码 联系电话 移动电话",
    ),
    _field("email", "email", "email emailaddress mail mailaddress 邮箱 电子邮箱 电子邮件 邮件 邮箱地址 邮件地址"),
    _field(
        "address",
        "text",
        "address address1 addressline1 street streetname streetaddress addr 地址 详细地址 联系地址 收货地址 住址 街道",
    ),
    _field("address2", "text", "address2 addressline2 addr2 locality district 地址2 区县 区"),
    _field("number", "code", "streetnumber housenumber streetno houseno 门牌号 门牌"),
    _field("city", "text", "city suburb town cityname 城市 市"),
    _field("postcode", "code", "postcode postalcode zip zipcode 邮编 邮政编码"),
    _field("state", "category", "state province region 省 省份 地区"),
)
"""All that can be compared, in the order in which it is printed."""

IDS: Final = (
    *("recid", "recordid", "id", "customerid", "custid", "clientid", "memberid", "userid", "uid"),
    *("recordno", "customerno", "memberno", "cardno"),
    *("编号", "客户编号", "客户号", "会员编号", "会员号", "会员卡号", "用户编号", "记录号"),
)
"""Names of columns that tell the records apart."""

_BEFORE: Final = r"^(?:customer|client|member|user|contact|cust|person|客户|会员|用户|联系人|收货人|顾客)"


def guess(names: Sequence[str]) -> dict[str, str]:
    """The column of each field that some column is named for.

    A full name is not taken where given and family names have columns of their own: it would say the same twice.

    Args:
        names: The columns of the table.

    Returns:
        Field and column, in the order of `FIELDS`.
    """
    plain = _plain(names)
    found = {field.name: best for field in FIELDS if (best := _best(field.headers, plain)) is not None}
    if "given" in found and "family" in found:
        found.pop("name", None)
    return found


def guess_id(names: Sequence[str], taken: Mapping[str, str]) -> str | None:
    """The column that tells the records apart, if one is named for it and is not compared."""
    best = _best(IDS, _plain(names))
    return best if best not in taken.values() else None


def _plain(names: Sequence[str]) -> dict[str, str]:
    """What is left of the names of columns without case, spaces and signs, and without a word for the customer."""
    series = pl.Series(names, dtype=pl.String)
    plain = series.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[\W_]+", "")
    short = plain.str.replace(_BEFORE, "")
    found: dict[str, str] = {}
    for way in (plain, short):
        for name, column in zip(way.to_list(), names, strict=True):
            found.setdefault(name, column)
    return found


def _best(headers: Sequence[str], plain: Mapping[str, str]) -> str | None:
    return next((plain[header] for header in headers if header in plain), None)


def parse(texts: Sequence[str]) -> dict[str, str]:
    """What `--match` says: `phone=Mobile,email=` is the column of each field; without one, it is left out.

    Args:
        texts: One for each time that the option is given.

    Raises:
        UsageError: it is written wrongly, or names a field that there is none of.
    """
    known = [field.name for field in FIELDS]
    found: dict[str, str] = {}
    for part in (part for text in texts for part in text.split(",")):
        name, sign, column = (piece.strip() for piece in part.partition("="))
        if not sign:
            raise UsageError(f"--match: `{part.strip()}` is not of the form FIELD=COLUMN, such as phone=Mobile")
        if name not in known:
            raise UsageError(f"--match: no field `{name}`{did_you_mean(name, known)}; there are: {one_of(known)}")
        if name in found:
            raise UsageError(f"--match: the field `{name}` is given twice")
        found[name] = column
    return found


def chosen(names: Sequence[str], told: Mapping[str, str]) -> dict[str, str]:
    """The column of each field that is compared: as told, else guessed.

    Args:
        names: The columns of the table.
        told: Field and column; an empty column leaves the field out.

    Returns:
        Field and column, in the order of `FIELDS`.

    Raises:
        UsageError: a column is not there, is taken twice, or fewer than two fields have one.
    """
    for field, column in told.items():
        if column and column not in names:
            raise UsageError(f"--match {field}={column}: {no_column(column, names)}")
    columns = [column for column in told.values() if column]
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise UsageError(f"--match: the column `{twice}` is given to two fields")
    guessed = {field: column for field, column in guess(names).items() if column not in columns}
    both = {**guessed, **told}
    found = {field.name: both[field.name] for field in FIELDS if both.get(field.name)}
    if len(found) < 2:
        raise UsageError(_too_few(names, found))
    return found


def _too_few(names: Sequence[str], found: Mapping[str, str]) -> str:
    """Why the columns are not enough, and what to do."""
    sure = "".join(f"only `{column}` is known as {field}" for field, column in found.items())
    return (
        f"at least two columns must be known to compare people by, and {sure or 'none is known by its name'}; "
        f"say which is which, for example --match name=COLUMN,phone=COLUMN; "
        f"fields: {one_of(field.name for field in FIELDS)}; columns: {one_of(names)}"
    )

"""Feedback from files: what became of messages, held against the outbox; consents and receipts follow at once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from crm import consents
from crm.catalog import CATALOG
from crm.feedback import EVENTS, FEEDBACK
from crm.intake.fields import Field, Kind
from crm.judging import Target
from crm.nearest import did_you_mean
from crm.outbox import OUTBOX, TRANSITIONS

if TYPE_CHECKING:
    from crm.hookspecs import Channel
    from crm.workspace import Workspace

_HEADERS: Final[Mapping[str, tuple[Kind, str]]] = {
    "message": ("id", "messageid msgid mailid id 消息编号 消息id 消息 邮件编号 短信编号 编号"),
    "event": ("category", "eventtype type status action what 事件 事件类型 类型 状态 动作 行为"),
    "ts": ("timestamp", "time timestamp date datetime at when occurredat eventtime 时间 日期 发生时间 事件时间"),
    "item": ("id", "itemid productid sku product goods 商品编号 商品id 商品 产品编号 货号"),
    "amount": ("number", "revenue total value price 金额 成交金额 订单金额 实付金额 销售额"),
    "source": ("category", "origin provider 来源 渠道商"),
}
"""What a file of feedback may say, and by what headers."""

_NEEDED: Final = ("message", "event", "ts")

FIELDS: Final = tuple(
    Field(column.name, kind, tuple(headers.split()), column.name in _NEEDED, column.help)
    for column in FEEDBACK.columns
    if column.name in _HEADERS
    for kind, headers in (_HEADERS[column.name],)
)

_WORDS: Final[Mapping[str, str]] = {
    "delivered": "delivery deliver received acknowledged 送达 已送达 到达 已到达 接收 已接收",
    "opened": "open read viewed seen 打开 已打开 阅读 已读 查看",
    "clicked": "click clicks followed 点击 已点击 单击",
    "converted": "conversion convert purchase purchased bought order ordered 转化 已转化 购买 已购买 成交 下单",
    "dismissed": "dismiss hide hidden notinterested 忽略 不感兴趣 关闭 不再推荐",
    "unsubscribed": "unsubscribe optout stop complaint spam 退订 已退订 取消订阅 投诉",
}
"""Other words for events, without case, blanks and signs."""

_EVENT_OF: Final = {name: name for name in EVENTS} | {
    word: name for name, words in _WORDS.items() for word in words.split()
}
RECEIVED: Final = ("delivered", "opened", "clicked")
"""Events that tell that a message was received."""

_CHECKED: Final = {"row": pl.Int64(), "column": pl.String(), "reason": pl.String(), "severity": pl.String()}


def target(channels: "Mapping[str, Channel]", items: pl.Series) -> Target:
    """The table of feedback as the target of an import.

    Args:
        channels: The channels by name.
        items: The ids of the catalogue.
    """

    def check(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
        return checked(rows, items)

    def written(_workspace: "Workspace", connection: sa.Connection, rows: pl.DataFrame, _known: pl.Series) -> None:
        records = _workspace.records
        acknowledge(connection, records.table(OUTBOX.name), rows)
        withdraw(_workspace, connection, rows, channels)

    return Target(FEEDBACK, "event", FIELDS, completed, check=check, written=written)


def completed(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with events by their names, and with whose message, and of which campaign, each is about."""
    sent = workspace.records.frame(OUTBOX.name, columns=["message", "customer", "campaign"])
    plain = pl.col("event").str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[\W_]+", "")
    return (
        rows.drop("customer", "campaign", strict=False)
        .join(sent, on="message", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce(plain.replace_strict(_EVENT_OF, default=None, return_dtype=pl.String), "event").alias("event"),
            pl.col("item").fill_null(""),
        )
    )


def checked(rows: pl.DataFrame, items: pl.Series) -> pl.DataFrame:
    """What is wrong with rows: `row`, `column`, `reason`, `severity`."""
    numbered = rows.with_row_index("row")
    said = pl.col("event").is_not_null()
    wrong = numbered.filter(said & ~pl.col("event").is_in(EVENTS))
    names = wrong["event"].unique()
    nearest = pl.DataFrame(
        {"event": names, "reason": [f"is no event{did_you_mean(name, _EVENT_OF)}" for name in names]}
    )
    nearest = nearest.cast({"event": pl.String, "reason": pl.String})
    strange = numbered.filter(pl.col("message").is_not_null() & pl.col("customer").is_null())
    new = numbered.filter((pl.col("item") != "") & ~pl.col("item").is_in(items.implode()))
    parts = [
        wrong.join(nearest, on="event").select("row", pl.lit("event").alias("column"), "reason", _severity("reject")),
        _faults(strange, "message", "is no message of the outbox", "reject"),
        _faults(new, "item", "names no item of the catalogue", "warn"),
    ]
    return pl.concat(part.cast(_CHECKED) for part in parts)  # type: ignore[arg-type]  # a mapping of types


def _faults(rows: pl.DataFrame, column: str, reason: str, severity: str) -> pl.DataFrame:
    return rows.select("row", pl.lit(column).alias("column"), pl.lit(reason).alias("reason"), _severity(severity))


def _severity(name: str) -> pl.Expr:
    return pl.lit(name).alias("severity")


def acknowledge(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    """Messages of which there is a sign that they were received are acknowledged, at the time of the first."""
    first = rows.filter(pl.col("event").is_in(RECEIVED)).group_by("message").agg(pl.col("ts").min()).sort("message")
    if not first.height:
        return
    origins, goal = TRANSITIONS["acknowledged"]
    moment = sa.bindparam("_ts", type_=sa.DateTime)
    before = sa.or_(*(table.c.state == origin for origin in origins))  # `in` and many rows at once do not go together
    change = sa.update(table).where(table.c.message == sa.bindparam("_message"), before)
    values = {
        "state": goal, "acknowledged": moment, "sent": sa.func.coalesce(table.c.sent, moment), "error": None,
        "next_try": None, "claimed": None, "sender": None,
    }  # fmt: skip
    plain = first.with_columns(pl.col("ts").dt.replace_time_zone(None))
    connection.execute(change.values(values), [{"_message": name, "_ts": ts} for name, ts in plain.iter_rows()])


def withdraw(
    workspace: "Workspace", connection: sa.Connection, rows: pl.DataFrame, channels: "Mapping[str, Channel]"
) -> None:
    """Who unsubscribed agrees no more to the channel of the message."""
    gone = rows.filter(event="unsubscribed").select("message", "customer", "ts")
    if not gone.height:
        return
    records = workspace.records
    sent = records.frame(OUTBOX.name, columns=["message", "channel"], connection=connection)
    table = records.table(consents.CONSENTS.name)
    for message, customer, ts, channel in gone.join(sent, on="message").sort("ts", "message").iter_rows():
        known = channels.get(channel)
        name = known.consent or channel if known is not None else channel
        consents.say(connection, table, customer, name, f"message {message}", granted=False, at=ts)


def catalogue(workspace: "Workspace") -> pl.Series:
    """The ids of all items of the catalogue."""
    return workspace.records.frame(CATALOG.name, columns=["item"])["item"]

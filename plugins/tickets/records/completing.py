"""Rows from files -> rows with keys and in one form: ids for tickets without one, categories, kinds and states."""

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import polars as pl

from plugins.tickets import contracts
from plugins.tickets.records import vins
from plugins.tickets.records.changing import held_against

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm.workspace import Workspace

_SIGN: Final = "\x1f"
_BYTES: Final = 8
SKILLS: Final = "|"
_BETWEEN: Final = r"\s*[|,;、，；/]\s*"

RATINGS: Final = ("complaint", "praise", "score")
ORIGINS: Final = ("person", "model")
SHIPPED: Final = ("part", "return")
SEATS: Final = ("online", "offline")
_WORDS: Final[dict[str, dict[str, str]]] = {
    "rating": {
        "complaint": "complaint complain negative 投诉 抱怨 差评",
        "praise": "praise compliment positive 表扬 好评 感谢",
        "score": "score rating satisfaction csat 评分 满意度 打分",
    },
    "origin": {"person": "person human manual 人工 人", "model": "model machine auto 模型 自动"},
    "shipment": {
        "part": "part parts delivery outbound 备件 发货 配件 零件",
        "return": "return returned defective inbound 返件 不良品 退回 旧件",
    },
    "seat": {
        "online": "online on idle available yes true 1 在线 空闲 上线 是",
        "offline": "offline off away no false 0 离线 下线 否",
    },
}
"""What kinds and states are called in files."""


def tickets(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Tickets, each with an id, and with a category of its part where a code tells it.

    A ticket without an id gets one that begins with `t-`, made of all that the row says, so that importing a file again
    finds the same tickets; equal rows without an id are different tickets. Rows of tickets that can no longer be
    changed are marked (`plugins.tickets.records.changing`).
    """
    rows = rows.with_columns(vins.written(pl.col("vin")))
    need = rows["ticket"].is_null()
    if need.any():
        named = rows.filter(need)
        text = named.select(_everything(named).alias("text"))
        nth = text.select(pl.int_range(pl.len()).over("text").cast(pl.String)).to_series()
        ids = [_id(workspace.key, each) for each in text["text"] + _SIGN + nth]
        rows = rows.with_columns(rows["ticket"].scatter(need.arg_true(), pl.Series(ids, dtype=pl.String)))
    return held_against(workspace, _with_category(workspace, rows))


def _everything(rows: pl.DataFrame) -> pl.Expr:
    """All that a row says, but not how it was written and where it is from."""
    names = [name for name in rows.columns if name not in ("original", "source", "ticket")]
    return pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in names], separator=_SIGN)


def _id(key: bytes, text: str) -> str:
    return "t-" + blake2b(text.encode(), digest_size=_BYTES, key=key).hexdigest()


def _with_category(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the category of their part, else of their labour code, else of their fault code."""
    missing = rows["part_category"].is_null()
    for table in (contracts.PARTS, contracts.LABOUR, contracts.FAULTS):
        if not missing.any():
            break
        (key,) = table.key
        known = workspace.records.frame(table.name, columns=[key, "part_category"])
        found = rows.select(key).join(known, on=key, how="left", maintain_order="left")["part_category"]
        rows = rows.with_columns(rows["part_category"].fill_null(found))
        missing = rows["part_category"].is_null()
    return rows


def vehicles(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Vehicles with their numbers in one form."""
    return rows.with_columns(vins.written(pl.col("vin")))


def seats(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Seats with their skills and states in one form."""
    each = pl.col("skills").str.replace_all(_BETWEEN, SKILLS).str.split(SKILLS)
    bare = each.list.eval(pl.element().str.strip_chars().replace("", None).drop_nulls().unique(maintain_order=True))
    return rows.with_columns(bare.list.join(SKILLS).replace("", None), _word("state", _WORDS["seat"]))


def ratings(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Ratings with their kinds; what has a score and no kind is a score."""
    kind = pl.coalesce(_word("kind", _WORDS["rating"]), pl.when(pl.col("score").is_not_null()).then(pl.lit("score")))
    return rows.with_columns(kind.alias("kind"))


def shipments(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Shipments with their kinds in one form."""
    return rows.with_columns(_word("kind", _WORDS["shipment"]))


def classes(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Quality classes; where nothing is said of their origin, a person has said them."""
    return rows.with_columns(_word("origin", _WORDS["origin"]).fill_null("person"))


def as_they_are(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a table whose keys cannot be made."""
    return rows


def _word(column: str, words: "Mapping[str, str]") -> pl.Expr:
    """What a text is a word for; others in small letters."""
    known = {name: word for word, names in words.items() for name in names.split()}
    small = pl.col(column).str.strip_chars().str.to_lowercase()
    return small.replace(known).alias(column)

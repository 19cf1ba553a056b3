"""Rows of the outbox -> messages that may go: the customer, the address, the consent, the items, and the text."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from crm.consents import CONSENTS, agreed
from crm.delivery import GiveUpError, Message
from crm.identities import current_ids
from crm.whose import CUSTOMERS, MERGES
from plugins.push.config import PushConfig
from plugins.push.credentials import beside_config
from plugins.push.quiet import QUIET, awake_at
from plugins.push.templates import Templates

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App
    from crm.hookspecs import Channel
    from crm.workspace import Workspace

_TOLD: Final = ("customer", "name", "given", "family", "sex", "city", "region", "language", "zone", "company")
"""What templates are told of a customer."""

_WEB: Final = ("https://", "http://")
_OF_ITEM: Final = ("title", "price", "currency", "url", "category")


@dataclass(frozen=True)
class Job:
    """A message to send, with all that the records know of it.

    Attributes:
        row: The row of the outbox.
        customer: The row of the customer; None if there is none.
        consent: Whether the customer agrees to the channel, now.
    """

    row: Mapping[str, Any]
    customer: Mapping[str, Any] | None
    consent: bool

    @property
    def id(self) -> str:
        """The id of the message."""
        return str(self.row["message"])


class Composer:
    """Makes messages of rows of the outbox.

    Args:
        app: The run of the program.
        workspace: The workspace.
        channels: All channels by name.

    Raises:
        Unusable: the folder of templates is not there.
    """

    def __init__(self, app: "App", workspace: "Workspace", channels: "Mapping[str, Channel]") -> None:
        config = app.config.get("push", PushConfig)
        self._workspace, self._channels = workspace, channels
        self._templates = templates_of(app)
        self._zone = str(config.zone)
        self._unsubscribe = config.unsubscribe.url or ""

    @cached_property
    def _items(self) -> dict[str, dict[str, Any]]:
        """The catalogue by item, as templates see it."""
        from crm.catalog import items

        rows = items(self._workspace)
        rows = rows.with_columns(category=rows["category3"].fill_null(rows["category2"]).fill_null(rows["category1"]))
        return {row["item"]: {name: row[name] for name in _OF_ITEM} for row in rows.iter_rows(named=True)}

    def jobs(self, rows: "pl.DataFrame") -> list[Job]:
        """Look up the customers of rows of the outbox, and whether they agree; in the order of the rows."""
        self._items  # noqa: B018 - read here, in the thread that reads the records
        ids = current_ids(self._workspace, rows["customer"])
        records, whose = self._workspace.records, self._whose(ids.unique().to_list())
        wanted = records.table(CUSTOMERS).c.customer.in_(ids.unique().to_list())
        customers = {row["customer"]: row for row in records.frame(CUSTOMERS, where=wanted).iter_rows(named=True)}
        said = records.frame(CONSENTS.name, where=records.table(CONSENTS.name).c.customer.in_(list(whose)))
        said = said.with_columns(said["customer"].replace(whose))
        consents = {name: set(agreed(said, self._consent(name))) for name in rows["channel"].unique()}
        return [
            Job(row, customers.get(customer), customer in consents[row["channel"]])
            for row, customer in zip(rows.iter_rows(named=True), ids, strict=True)
        ]

    def _whose(self, ids: list[str]) -> dict[str, str]:
        """Customers by all ids that they have, or had before merges."""
        found = {name: name for name in ids}
        if MERGES not in self._workspace.records.contracts:
            return found
        table, more = self._workspace.records.table(MERGES), list(ids)
        with self._workspace.records.engine.connect() as connection:
            while more:
                wanted = sa.select(table.c.merged, table.c.customer).where(
                    table.c.customer.in_(more), table.c.undone.is_(None)
                )
                new = {old: found[now] for old, now in connection.execute(wanted).all() if old not in found}
                found |= new
                more = list(new)
        return found

    def _consent(self, channel: str) -> str:
        known = self._channels.get(channel)
        return known.consent if known is not None and known.consent else channel

    def awake(self, job: Job, at: datetime) -> datetime:
        """When a message may go out that would at some moment: then, or when it is night no more for its customer."""
        zone = job.customer["zone"] if job.customer is not None else None
        return awake_at(_object(job.row["data"]), zone, self._zone, at)

    def compose(self, job: Job) -> Message:
        """The message, ready to go.

        Raises:
            GiveUpError: it cannot or must not go to this customer.
            Unusable: its template is none.
        """
        row, customer = job.row, job.customer
        if customer is None:
            raise GiveUpError("there is no such customer, or no more")
        if not job.consent:
            raise GiveUpError(f"the customer does not agree to the channel {self._consent(row['channel'])}")
        address = self._address(row["channel"], customer)
        data = {key: value for key, value in _object(row["data"]).items() if key != QUIET}
        given = {
            "customer": {name: customer[name] or "" for name in _TOLD},
            "items": [self._item(name, data) for name in json.loads(row["items"] or "[]")],
            "data": data,
            "campaign": row["campaign"],
            "message": job.id,
            "unsubscribe": self._unsubscribe.replace("{message}", job.id),
        }
        made = self._templates.render(row["template"], customer["language"], given)
        return Message(
            id=job.id,
            customer=customer["customer"],
            address=address,
            campaign=row["campaign"],
            subject=made.subject,
            text=made.text,
            html=made.html,
            data={**data, "items": given["items"]},
            tried=max(row["tries"] - 1, 0),
            queued=_moment(row["queued"]),
        )

    def _address(self, channel: str, customer: Mapping[str, Any]) -> str:
        field = self._channels[channel].field
        address = str(customer.get(field) or "") if field else ""
        if field and not address:
            raise GiveUpError(f"the customer has no {field}")
        return address

    def _item(self, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """An item as the catalogue has it, and as the campaign has more to say of it: `data.items` by id."""
        own = data.get("items")
        more = own.get(name) if isinstance(own, Mapping) else None
        known = {key: "" if value is None else value for key, value in self._items.get(name, {}).items()}
        blank = {**dict.fromkeys(_OF_ITEM, ""), "title": name, "reason": ""}
        item = {"id": name, **blank, **known, **(more if isinstance(more, Mapping) else {})}
        # What is no web address may be a script, and templates put it into links.
        return item if str(item["url"]).startswith(_WEB) else {**item, "url": ""}


def templates_of(app: "App") -> Templates:
    """The templates that the configuration names.

    Raises:
        Unusable: their folder is not there.
    """
    config = app.config.get("push", PushConfig)
    return Templates(beside_config(app, config.templates) if config.templates else None, config.language)


def sample_items(workspace: "Workspace | None", names: Iterable[str]) -> list[dict[str, Any]]:
    """Items as templates see them: those named, as far as the catalogue has them, else the first two of it."""
    from crm.catalog import items

    blank = {**dict.fromkeys(_OF_ITEM, ""), "reason": "because you viewed another one"}
    rows = [] if workspace is None else list(items(workspace).iter_rows(named=True))
    wanted = list(names)
    chosen = [row for row in rows if row["item"] in wanted] if wanted else rows[:2]
    if not chosen:
        return [
            {**blank, "id": "1001", "title": "A sample item", "price": 9.9, "url": "https://shop.example/item/1001"}
        ]
    return [{**blank, "id": row["item"], **{name: row.get(name) or "" for name in _OF_ITEM}} for row in chosen]


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise GiveUpError("its data are no JSON object")
    return found


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None

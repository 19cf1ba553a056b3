"""Messages that wait are given once, to whoever asks first, and again only where nobody has said that they came."""

import json
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from plugins.push.atom import ATOM, Entry, feed

if TYPE_CHECKING:
    from tests.plugins.push.delivery.conftest import Shop

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def pulled(shop: "Shop", *words: str) -> list[dict[str, Any]]:
    return shop.crm.rows("push", "pull", "K1", *words)


def test_messages_are_given_once_and_acknowledged(shop_on: "Shop") -> None:
    ids = [shop_on.queue("K1", channel="pull", campaign=name)[0] for name in ("a", "b", "c")]
    shop_on.queue("K2", channel="pull")
    later = shop_on.queue("K1", channel="pull", campaign="d", send_after=datetime.now(UTC) + timedelta(days=1))
    given = pulled(shop_on)
    assert {row["message"] for row in given} == set(ids) - set(later)
    assert all("王芳" in row["text"] for row in given)
    assert pulled(shop_on) == []
    shop_on.crm("push", "ack", *(row["message"] for row in given[:1]))
    shop_on.later(sent=timedelta(minutes=11))
    assert {row["message"] for row in pulled(shop_on)} == set(ids) - {given[0]["message"]}
    assert [row["try"] for row in given] == [1] * len(given)


def test_a_limit_takes_no_more_than_it_gives(shop: "Shop") -> None:
    for name in ("a", "b", "c"):
        shop.queue("K1", channel="pull", campaign=name)
    first, second = pulled(shop, "-n", "2"), pulled(shop)
    assert (len(first), len(second)) == (2, 1)
    assert not {row["message"] for row in first} & {row["message"] for row in second}


def test_with_ack_nothing_is_given_twice(shop: "Shop") -> None:
    shop.queue("K1", channel="pull")
    assert len(pulled(shop, "--ack")) == 1
    shop.later(sent=timedelta(days=1))
    assert pulled(shop) == []
    assert shop.states() == {"K1": "acknowledged"}


def test_of_many_who_ask_at_once_one_gets_a_message(shop_on: "Shop") -> None:
    from crm.app import App
    from plugins import DEFAULT_PLUGINS
    from plugins.push.pulling import pull

    for name in "abcdef":
        shop_on.queue("K1", channel="pull", campaign=name)

    def ask(_: int) -> list[str]:
        app = App(DEFAULT_PLUGINS, shop_on.crm.workspace)
        return [each.id for each in pull(app, app.workspace(), ["K1"], 1, acknowledged=False)[0]]

    with ThreadPoolExecutor(4) as pool:
        given = [name for names in pool.map(ask, range(8)) for name in names]
    assert len(given) == len(set(given)) == 6


def test_who_has_withdrawn_gets_nothing(shop: "Shop") -> None:
    shop.queue("K1", channel="pull")
    shop.crm("customers", "consent", "K1", "--withdraw")
    result = shop.crm("push", "pull", "K1")
    assert "1 could not be given" in result.stderr
    assert shop.states() == {"K1": "failed"}


def test_nobody_pulls_for_a_stranger(shop: "Shop") -> None:
    shop.crm("push", "pull", "K999", code=6)
    shop.crm("push", "feed", "K999", code=6)


def test_acknowledging_is_idempotent_and_knows_strangers(shop: "Shop") -> None:
    (one,) = shop.queue("K1", channel="pull")
    pulled(shop)
    shop.crm("push", "ack", one)
    at = shop.row(one)["acknowledged"]
    shop.crm("push", "ack", one.upper(), f" {one} ")
    assert shop.row(one)["acknowledged"] == at
    result = shop.crm("push", "ack", "a" * 26, one, code=6)
    assert "a" * 26 in result.stderr
    assert one in result.stdout


def test_a_feed_has_what_atom_asks_for(shop: "Shop") -> None:
    (one,) = shop.queue("K3", channel="pull")
    shop.queue("K3", channel="email")  # has not gone out
    first = shop.crm("push", "feed", "K3").stdout_bytes
    assert first == shop.crm("push", "feed", "K3").stdout_bytes
    root = ET.fromstring(first)
    assert root.tag == f"{{{ATOM}}}feed"
    for parent in (root, *root.findall(f"{{{ATOM}}}entry")):
        for name in ("id", "title", "updated"):
            assert len(parent.findall(f"{{{ATOM}}}{name}")) == 1
    assert root.find(f"{{{ATOM}}}author/{{{ATOM}}}name") is not None
    assert [each.findtext(f"{{{ATOM}}}id") for each in root.iter(f"{{{ATOM}}}entry")] == [f"urn:crm:message:{one}"]
    content = root.find(f"{{{ATOM}}}entry/{{{ATOM}}}content")
    assert content is not None
    assert "Dear Zhao &lt;b&gt;Liu&lt;/b&gt;," in (content.text or "")
    out = shop.crm.folder / "feed.atom"
    shop.crm("push", "feed", "K3", "-o", out)
    assert out.read_bytes() == first
    assert shop.row(one)["state"] == "queued"


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "]]>&lt;", "\x00\x1b[2J\ud83d\ud83d"[:5], "", "好 & 坏"]
)
def test_hostile_titles_stay_text(title: str) -> None:
    entry = Entry("urn:x", title, NOW, NOW - timedelta(days=1), "text", link="javascript:alert(1)")
    root = ET.fromstring(feed("urn:crm:feed:x", "Messages", [entry]))
    made = root.find(f"{{{ATOM}}}entry")
    assert made is not None
    assert [child.tag.partition("}")[2] for child in made] == ["id", "title", "updated", "published", "content"]
    shown = made.findtext(f"{{{ATOM}}}title") or ""
    assert shown == "".join(sign if sign >= " " else "\ufffd" for sign in title) or shown == "-"
    assert root.findtext(f"{{{ATOM}}}updated") == "2026-03-02T10:00:00Z"


def test_the_outbox_is_listed_and_counted(shop: "Shop") -> None:
    shop.queue("K1", "K2", channel="file")
    shop.queue("K3", channel="pull", campaign="autumn")
    shop.crm("push", "send")
    assert [
        (row["campaign"], row["channel"], row["state"], row["messages"])
        for row in shop.crm.rows("push", "outbox", "--summary")
    ] == [
        ("autumn", "pull", "queued", 1),
        ("spring", "file", "acknowledged", 2),
    ]
    (row,) = shop.crm.rows("push", "outbox", "--state", "queued", "--campaign", "autumn")
    assert row["customer"] == "K***"
    assert "data" not in row
    assert shop.crm.rows("push", "outbox", "--channel", "email") == []
    assert json.loads(shop.crm("push", "outbox", "--since", "1d", "--where", "tries = 1", "-f", "json").stdout)


def test_what_is_queued_can_be_called_back(shop: "Shop") -> None:
    shop.queue("K1", "K2", channel="file")
    shop.crm("push", "send", "--limit-messages", "1", "--workers", "1")
    shop.crm("push", "cancel", "--campaign", "spring")
    assert sorted(shop.states().values()) == ["acknowledged", "expired"]
    shop.crm("push", "send")
    assert sorted(shop.states().values()) == ["acknowledged", "expired"]
    shop.crm("push", "cancel", "--campaign", "none", code=6)
    shop.crm("push", "cancel", code=2)

"""Messages are posted to a real web server, whatever it answers."""

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.push.delivery.conftest import Shop, WebServer

KEY = b"a key of thirty-two bytes, in fact"


def configure(shop: "Shop", server: "WebServer", more: str = "") -> None:
    shop.configure(f"webhook: {{url: 'http://127.0.0.1:{server.port}/in?a=1', timeout: 1s, secret_env: HOOK}}, {more}")


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "whsec_" + b64encode(KEY).decode())


def test_a_request_can_be_checked(shop: "Shop", web_server: "WebServer") -> None:
    configure(shop, web_server)
    (one,) = shop.queue("K1", channel="webhook")
    shop.crm("push", "send")
    ((headers, body),) = web_server.taken
    assert headers["idempotency-key"] == headers["webhook-id"] == one
    signed = f"{one}.{headers['webhook-timestamp']}.".encode() + body
    version, _, digest = headers["webhook-signature"].partition(",")
    assert version == "v1"
    assert b64decode(digest) == hmac.new(KEY, signed, sha256).digest()
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    message = json.loads(body)
    assert (message["id"], message["customer"], message["try"]) == (one, "K1", 1)
    assert "王芳" in message["text"]
    assert shop.states() == {"K1": "sent"}


def test_the_answer_decides(shop: "Shop", web_server: "WebServer") -> None:
    answers = {
        "K1": (200, {}, b'{"acknowledged": true}'),
        "K2": (202, {}, b"fine"),
        "K3": (503, {"Retry-After": "3600"}, b""),
        "K4": (422, {}, b"not this one"),
    }
    web_server.answer = lambda message, before: answers[message["customer"]]
    configure(shop, web_server)
    ids = shop.queue(channel="webhook")
    shop.crm("push", "send")
    assert shop.states() == {"K1": "acknowledged", "K2": "sent", "K3": "queued", "K4": "failed"}
    assert shop.row(ids[2])["next_try"] > datetime.now(UTC) + timedelta(minutes=58)
    assert shop.row(ids[3])["error"] == "the server answers 422"


def test_no_answer_is_no_loss(shop: "Shop", web_server: "WebServer") -> None:
    web_server.answer = lambda message, before: None if before == 0 else (204, {}, b"")
    configure(shop, web_server, "retry: {base: 0s}")
    ids = shop.queue("K1", "K2", channel="webhook")
    shop.crm("push", "send", "--until-empty", "--workers", "1")
    assert sorted(web_server.ids()) == sorted(ids * 2)
    assert set(shop.states().values()) == {"sent"}


@pytest.mark.parametrize("status", [301, 401, 404])
def test_what_is_not_the_messages_fault_costs_no_try(shop: "Shop", web_server: "WebServer", status: int) -> None:
    web_server.answer = lambda message, before: (status, {"Location": "http://127.0.0.1:1/"}, b"")
    configure(shop, web_server)
    shop.queue(channel="webhook")
    assert f"the server answers {status}" in shop.crm("push", "send", code=4).stderr
    assert {(row["state"], row["tries"]) for row in shop.rows()} == {("queued", 0)}


def test_a_promised_receipt_that_does_not_come_leads_to_another_try(shop: "Shop", web_server: "WebServer") -> None:
    configure(shop, web_server, "acknowledge_within: {webhook: 1h}, retry: {tries: 2}")
    one, two = shop.queue("K1", "K2", channel="webhook")
    shop.crm("push", "send")
    shop.crm("push", "ack", one)
    shop.crm("push", "send")
    assert len(web_server.taken) == 2
    shop.later(sent=timedelta(hours=2))
    shop.crm("push", "send")
    assert web_server.ids().count(two) == 2
    assert web_server.ids().count(one) == 1
    shop.later(sent=timedelta(hours=2))
    assert "not acknowledged in time" in shop.crm("push", "send").stderr
    assert shop.states() == {"K1": "acknowledged", "K2": "failed"}
    assert len(web_server.taken) == 3


@pytest.mark.parametrize(
    ("webhook", "said"),
    [
        ("{}", "push.webhook.url"),
        ("{url: 'http://shop.example/in'}", "anybody on the way can read"),
        ("{url: 'ftp://shop.example'}", "no address"),
        ("{url: 'https://me:pw@shop.example/'}", "no address"),
        ("{url: 'http://127.0.0.1:1/'}", "cannot be reached"),
        ("{url: 'https://shop.example/', secret_env: NO_SUCH}", "NO_SUCH"),
    ],
    ids=["none", "http", "ftp", "password", "nobody there", "no secret"],
)
def test_a_wrong_configuration_loses_nothing(shop: "Shop", webhook: str, said: str) -> None:
    shop.configure(f"webhook: {webhook}")
    shop.queue("K1", channel="webhook")
    assert said in shop.crm("push", "send", code=4).stderr
    assert [(row["state"], row["tries"]) for row in shop.rows()] == [("queued", 0)]

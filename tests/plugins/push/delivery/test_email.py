"""Mails go to a real server, whatever it does: nothing is lost, and what it has taken is not sent anew."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crm.delivery import GiveUpError, Message
from plugins.push.channels.mail import Stationery, address_of, mail

if TYPE_CHECKING:
    from tests.plugins.push.delivery.conftest import MailServer, Shop

Start = Callable[..., "MailServer"]
FROM = 'from: "Shop <news@shop.example>"'


def plain(shop: "Shop", server: "MailServer", more: str = "") -> None:
    shop.configure(f"smtp: {{host: 127.0.0.1, port: {server.port}, tls: none, timeout: 1s, {FROM}}}, {more}")


def counts(shop: "Shop", *words: str, code: int = 0) -> dict[str, int]:
    """What `push send` says: messages by state."""
    import json

    found = json.loads(shop.crm("push", "send", *words, "-f", "json", code=code).stdout)
    return {row["state"]: row["messages"] for row in found}


def test_mails_are_what_they_should_be(shop: "Shop", mail_server: Start) -> None:
    server = mail_server()
    plain(shop, server, "unsubscribe: {url: 'https://shop.example/u/{message}', mailto: no@shop.example}")
    (one, two) = shop.queue("K1", "K2")
    assert counts(shop) == {"sent": 2}
    mails = dict(server.taken)
    chinese, english = mails["k1@example.com"], mails["k2@example.com"]
    assert chinese["Message-ID"] == f"<{one}@shop.example>"
    assert chinese["From"].addresses[0].addr_spec == "news@shop.example"
    assert chinese["To"] == "k1@example.com"
    assert chinese["Date"].datetime is not None
    assert chinese["Auto-Submitted"] == "auto-generated"
    assert chinese["List-Unsubscribe"].startswith(f"<https://shop.example/u/{one}>, <mailto:no@shop.example?subject=")
    assert chinese["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "王芳，您好！" in chinese.get_body(("plain",)).get_content()
    assert f'<a href="https://shop.example/u/{one}">' in chinese.get_body(("html",)).get_content()
    assert "Dear Li Si," in english.get_body(("plain",)).get_content()
    assert english["Message-ID"] == f"<{two}@shop.example>"
    assert counts(shop) == {}


def test_a_chinese_subject_arrives(shop: "Shop", mail_server: Start, tmp_path: Path) -> None:
    server = mail_server()
    (tmp_path / "ws" / "t").mkdir()
    (tmp_path / "ws" / "t" / "new.txt").write_text(
        "Subject: {{ data.word }} 春季新品，限时优惠！\n\n好\n", encoding="utf-8"
    )
    plain(shop, server, "templates: t")
    shop.queue("K1", template="new", data='{"word": "a\\r\\nBcc: all@example.com\\r\\n"}')
    assert counts(shop) == {"sent": 1}
    ((_, got),) = server.taken
    assert got["Subject"] == "a Bcc: all@example.com 春季新品，限时优惠！"
    assert got["Bcc"] is None
    assert not got.is_multipart()


def test_addresses_that_are_kept_encrypted_are_opened(shop_on: "Shop", mail_server: Start) -> None:
    server = mail_server()
    shop_on.crm.configure(
        f"protection: {{encrypt: true}}\npush: {{smtp: {{host: 127.0.0.1, port: {server.port}, tls: none, {FROM}}}}}\n"
    )
    shop_on.crm("customers", "encrypt")
    shop_on.queue("K1", data='{"secret": "planted"}')
    assert counts(shop_on) == {"sent": 1}
    assert [recipient for recipient, _ in server.taken] == ["k1@example.com"]
    (raw,) = shop_on.crm.open().records.batches("outbox", columns=["data"], raw=True)
    assert raw["data"][0].startswith("enc1:")


def test_each_recipient_has_a_fate_of_its_own(shop: "Shop", mail_server: Start) -> None:
    server = mail_server()
    fate = {"k1@example.com": "refuse", "k2@example.com": "later", "k3@example.com": "spam"}
    server.faults = lambda recipient, before: fate.get(recipient)
    plain(shop, server)
    ids = shop.queue()
    assert counts(shop) == {"queued": 1, "sent": 1, "failed": 2}
    assert shop.states() == {"K1": "failed", "K2": "queued", "K3": "failed", "K4": "sent"}
    assert [shop.row(each)["error"] for each in ids] == [
        "the mail server refuses the recipient (550)",
        "the mail server refuses the recipient for now (451)",
        "the mail server refuses the mail (554)",
        None,
    ]
    assert counts(shop) == {}


@pytest.mark.parametrize("fault", ["drop", "slow"])
def test_what_may_have_been_taken_is_sent_again_with_the_same_id(shop: "Shop", mail_server: Start, fault: str) -> None:
    server = mail_server()
    server.faults = lambda recipient, before: fault if recipient == "k2@example.com" and before == 0 else None
    plain(shop, server, "retry: {base: 1s}")
    ids = shop.queue("K1", "K2", "K3")
    assert counts(shop, "--workers", "1") == {"queued": 1, "sent": 2}
    assert "has not said whether it took it" in shop.row(ids[1])["error"]
    assert counts(shop, "--until-empty") == {"sent": 1}
    assert sorted(server.ids()) == sorted([*ids, ids[1]])
    assert shop.row(ids[1])["tries"] == 2


def test_a_kept_connection_that_the_server_has_closed_is_made_anew(shop: "Shop", mail_server: Start) -> None:
    import time

    from crm.app import App
    from plugins import DEFAULT_PLUGINS
    from plugins.push.channels.email import CHANNEL

    server = mail_server()
    server.faults = lambda recipient, before: "hang up"
    plain(shop, server)
    assert CHANNEL.open is not None
    sender = CHANNEL.open(App(DEFAULT_PLUGINS, shop.crm.workspace))
    for number in "abc":
        assert not sender.send(Message(number * 26, "K1", "k1@example.com", "spring", "subject", "text"))
        time.sleep(0.3)
    sender.close()
    assert server.ids() == [number * 26 for number in "abc"]


def test_after_enough_tries_a_message_has_failed(shop: "Shop", mail_server: Start) -> None:
    server = mail_server()
    server.faults = lambda recipient, before: "later"
    plain(shop, server, "retry: {base: 0s, tries: 3}")
    (one,) = shop.queue("K1")
    assert counts(shop, "--until-empty")["failed"] == 1
    assert server.tried["k1@example.com"] == 3
    assert shop.row(one)["error"].endswith("; tried 3 times")


def test_a_server_that_cannot_be_used_costs_no_try(shop: "Shop", mail_server: Start) -> None:
    server = mail_server()
    server.greet = False
    plain(shop, server)
    shop.queue()
    result = shop.crm("push", "send", code=4)
    assert "the mail server of `push.smtp` cannot be used" in result.stderr
    assert {row["state"] for row in shop.rows()} == {"queued"}
    assert {row["tries"] for row in shop.rows()} == {0}
    server.greet = True
    assert counts(shop) == {"sent": 4}


@pytest.mark.parametrize(
    ("smtp", "said"),
    [
        ("{}", "push.smtp.host"),
        (f"{{host: no.invalid, {FROM}}}", "cannot be used"),
        ("{host: 127.0.0.1}", "push.smtp.from"),
        ("{host: 127.0.0.1, from: 'a@b, c@d'}", "no mail address"),
        (f"{{host: 127.0.0.1, login: me, {FROM}}}", "needs a password"),
        (f"{{host: 127.0.0.1, login: me, password_env: NO_SUCH, {FROM}}}", "NO_SUCH"),
        (f"{{host: mail.example, tls: none, login: me, password_file: pw, {FROM}}}", "could read the password"),
    ],
    ids=["no host", "unknown host", "no sender", "two senders", "no password", "no variable", "in the clear"],
)
def test_a_wrong_configuration_loses_nothing(shop: "Shop", smtp: str, said: str) -> None:
    file = shop.crm.workspace / "pw"
    file.touch(mode=0o600)
    file.write_text("secret")
    shop.configure(f"smtp: {smtp}")
    shop.queue("K1")
    result = shop.crm("push", "send", code=4)
    assert said in result.stderr
    assert [(row["state"], row["tries"]) for row in shop.rows()] == [("queued", 0)]


def test_other_channels_go_on_where_one_is_unusable(shop: "Shop") -> None:
    shop.queue("K1")
    shop.queue("K2", channel="file")
    assert counts(shop, code=4) == {"queued": 1, "acknowledged": 1}
    assert shop.states() == {"K1": "queued", "K2": "acknowledged"}


def test_encryption_is_checked_and_the_login_used(
    shop: "Shop", mail_server: Start, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mail_server(tls_context=certificate[1], require_starttls=True, password="yes")
    smtp = f"host: 127.0.0.1, port: {server.port}, login: me, password_env: SMTP_PASSWORD, {FROM}"
    (one,) = shop.queue("K1")
    monkeypatch.setenv("SMTP_PASSWORD", "right horse")
    shop.configure(f"smtp: {{{smtp}}}, retry: {{base: 0s}}")
    assert "is not safe" in shop.crm("push", "send", "--limit-messages", "1", code=4).stderr
    shop.configure(f"smtp: {{{smtp}, ca_file: {certificate[0]}}}, retry: {{base: 0s}}")
    monkeypatch.setenv("SMTP_PASSWORD", "wrong")
    assert "refuses the login (535)" in shop.crm("push", "send", "--limit-messages", "1", code=4).stderr
    monkeypatch.setenv("SMTP_PASSWORD", "right horse")
    assert counts(shop) == {"sent": 1}
    assert server.ids() == [one]
    assert set(server.logins) == {"me"}


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b, c@d", "a@b\r\nRCPT TO:<c@d>", "a b@c", "<a@b> <c@d>", "Group: a@b;"]
)
def test_what_is_no_address_is_given_up(address: str) -> None:
    message = Message("a" * 26, "K1", address, "spring", "subject", "text")
    paper = Stationery(address_of("Shop <news@shop.example>"))
    from datetime import UTC, datetime

    try:
        made = mail(message, paper, datetime.now(UTC))
    except GiveUpError:
        return
    assert len(made["To"].addresses) == 1
    assert made["To"].addresses[0].addr_spec == "a@b"

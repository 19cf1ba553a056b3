"""What `push send` does whatever the channel: consent, templates, expiry, other runs, and runs that were killed."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.units import Duration
from plugins.push.backoff import pause
from plugins.push.channel_config import RetryConfig
from plugins.push.quiet import awake_at
from plugins.push.sending import alone
from tests.plugins.push.delivery.conftest import NAMES

if TYPE_CHECKING:
    from tests.plugins.push.delivery.conftest import Shop


def templates(shop: "Shop", **files: str) -> None:
    folder = shop.crm.workspace / "t"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    shop.configure("templates: t, retry: {base: 0s}")


def test_consent_is_asked_again_when_it_is_sent(shop_on: "Shop") -> None:
    ids = shop_on.queue(channel="file")
    shop_on.crm("customers", "consent", "K2", "--channel", "file", "--withdraw")
    shop_on.crm("customers", "forget", "K3", "--yes")
    shop_on.crm("push", "send")
    assert shop_on.states() == {"K1": "acknowledged", "K2": "failed", "K4": "acknowledged"}
    assert shop_on.row(ids[1])["error"] == "the customer does not agree to the channel file"


def test_what_was_agreed_to_before_a_merge_counts(shop: "Shop") -> None:
    file = shop.crm.folder / "more.csv"
    file.write_text(
        "id,name,phone,email\nA1,周小明,13812345678,zhou@example.com\nA2,周小明,13812345678,zhou@example.com\n",
        encoding="utf-8",
    )
    shop.crm("customers", "import", file)
    shop.crm("customers", "consent", "A2", "--grant", "--channel", "all")
    shop.queue("A2", channel="file")
    shop.crm("customers", "dedupe", "--apply")
    shop.crm("push", "send")
    assert shop.states() == {"A2": "acknowledged"}
    (out,) = (shop.crm.workspace / "outbox").glob("*.ndjson")
    assert json.loads(out.read_text(encoding="utf-8"))["customer"] == "A1"


def test_a_template_that_fails_for_one_customer_stops_no_other(shop: "Shop") -> None:
    templates(
        shop, t_txt="Subject: {{ customer.name }}\n\n{{ 1 / (customer.customer | replace('K', '') | int - 2) }}\n"
    )
    ids = shop.queue(channel="file", template="t")
    result = shop.crm("push", "send")
    assert shop.states() == {"K1": "acknowledged", "K2": "failed", "K3": "acknowledged", "K4": "acknowledged"}
    assert shop.row(ids[1])["error"] == "the template t.txt fails: ZeroDivisionError"
    assert "1 failed: the template t.txt fails" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Subject: x\n\n{{ customer.", "line 3"),
        ("no subject\n", "does not begin with a line `Subject"),
        ("Subject: x\n{% include 'none.txt' %}", "none.txt"),
    ],
)
def test_a_template_that_is_none_loses_nothing(shop: "Shop", text: str, said: str) -> None:
    templates(shop, t_txt=text)
    shop.queue(channel="file", template="t")
    shop.queue("K1", channel="file", campaign="other")
    assert said in shop.crm("push", "send", code=4).stderr
    assert sorted(row["state"] for row in shop.rows()) == ["acknowledged"] + ["queued"] * 4
    assert "did you mean `default`" in shop.crm("push", "preview", "defualt", code=4).stderr
    templates(shop, t_txt="Subject: x\n\nfine\n")
    shop.crm("push", "send", "--until-empty")
    assert {row["state"] for row in shop.rows()} == {"acknowledged"}


def test_templates_reach_nothing_outside(shop: "Shop") -> None:
    for text in (
        "{{ ''.__class__.__mro__ }}",
        "{{ customer.__init__.__globals__ }}",
        "{% include '../crm.yaml' %}",
        "{{ nothing }}",
    ):
        templates(shop, t_txt=f"Subject: x\n{text}")
        shop.crm("push", "preview", "t", code=4)


def test_the_language_is_the_nearest_there_is(shop: "Shop") -> None:
    templates(shop, t_txt="Subject: any\n", t_zh_txt="Subject: zh\n", **{"t_zh-TW_txt": "Subject: tw\n"})
    for language, wanted in {"zh-CN": "zh", "zh_tw": "tw", "ZH": "zh", "fr": "any", "en": "any"}.items():
        assert shop.crm("push", "preview", "t", "--language", language).stdout.startswith(f"Subject: {wanted}\n")
    names = [(row["template"], row["language"]) for row in shop.crm.rows("push", "templates")]
    names = [name for name in names if not name[0].startswith("ticket-")]  # those of notices are built in, too
    assert names == [("default", ""), ("default", "en"), ("default", "zh"), ("t", ""), ("t", "zh"), ("t", "zh-TW")]


def test_ones_own_default_takes_the_place_of_the_builtin_one(shop: "Shop") -> None:
    templates(shop, default_txt="Subject: own\n\nmine\n")
    shop.queue("K1", channel="file")  # whose language is Chinese
    shop.crm("push", "send")
    (out,) = (shop.crm.workspace / "outbox").glob("*.ndjson")
    sent = json.loads(out.read_text(encoding="utf-8"))
    assert (sent["subject"], sent["text"], sent["html"]) == ("own", "mine\n", None)


def test_what_is_over_expires_and_what_is_early_waits(shop: "Shop") -> None:
    now = datetime.now(UTC)
    shop.queue("K1", channel="file", expires=now - timedelta(seconds=1))
    shop.queue("K2", channel="file", send_after=now + timedelta(hours=1))
    shop.queue("K3", channel="file", expires=now + timedelta(hours=1))
    shop.crm("push", "send")
    assert shop.states() == {"K1": "expired", "K2": "queued", "K3": "acknowledged"}


def test_nothing_goes_out_at_night_however_late_it_is_sent(shop: "Shop") -> None:
    now = datetime.now(UTC)
    night = [(now - timedelta(hours=1)).strftime("%H:%M"), (now + timedelta(hours=1)).strftime("%H:%M")]
    day = [night[1], night[0]]
    shop.queue("K1", channel="file", data=json.dumps({"quiet": night}))
    shop.queue("K2", channel="file", data=json.dumps({"quiet": day}))
    shop.queue("K3", channel="file", data=json.dumps({"quiet": True}))
    dry = shop.crm("push", "send", "--dry-run")
    assert "it is in quiet hours" in dry.stdout + dry.stderr
    shop.crm("push", "send")
    assert shop.states() == {"K1": "queued", "K2": "acknowledged", "K3": "acknowledged"}
    (waiting,) = (row for row in shop.rows() if row["state"] == "queued")
    assert (waiting["tries"], waiting["sender"]) == (0, None)
    wait = waiting["next_try"] - now
    assert timedelta(minutes=58) <= wait <= timedelta(minutes=61)
    (file,) = (shop.crm.workspace / "outbox").glob("*.ndjson")
    assert all("quiet" not in json.loads(line)["data"] for line in file.read_text().splitlines())


def test_a_rehearsal_changes_nothing(shop: "Shop") -> None:
    shop.queue("K1", "K2", channel="file")
    shop.crm("customers", "consent", "K2", "--withdraw")
    before = shop.rows()
    result = shop.crm("push", "send", "--dry-run", "-f", "json")
    assert json.loads(result.stdout) == [
        {"state": "would be sent", "messages": 1},
        {"state": "would fail", "messages": 1},
    ]
    assert shop.rows() == before
    assert not (shop.crm.workspace / "outbox").exists()


def test_a_rehearsal_sees_what_is_wrong_with_a_channel(shop: "Shop") -> None:
    plain = shop.crm.folder / "plain"
    plain.write_text("")
    shop.configure(f"file: {{folder: {plain}/out}}, webhook: {{url: 'http://shop.example'}}")
    for channel in ("email", "webhook", "file"):
        shop.queue("K1", channel=channel)
    result = shop.crm("push", "send", "--dry-run", "-f", "json", code=4)
    assert json.loads(result.stdout) == [{"state": "would wait", "messages": 3}]
    assert "channel email: no mail server is named" in result.stderr
    assert "channel webhook: `push.webhook.url` is http" in result.stderr
    assert "channel file: messages cannot be written to" in result.stderr


def test_times_are_stored_without_fractions_that_say_nothing(shop: "Shop") -> None:
    shop.queue("K1", channel="file")
    (pulled,) = shop.queue("K2", channel="pull")
    shop.crm("push", "send")
    shop.crm("push", "pull", "K2")
    shop.crm("push", "ack", pulled)
    shop.crm("customers", "consent", "K1", "--withdraw")
    times = [row[name] for row in shop.rows() for name in ("queued", "send_after", "sent", "acknowledged")]
    assert not any(time.microsecond for time in times)
    said = shop.crm.open().records.frame("consents")["ts"]
    assert not any(time.microsecond % 1000 for time in said)


def test_two_runs_at_once_are_one_too_many(shop: "Shop") -> None:
    shop.queue("K1", channel="file")
    with alone(shop.crm.open()):
        assert "another `crm push send` is running" in shop.crm("push", "send", code=5).stderr
    shop.crm("push", "send")
    assert shop.states() == {"K1": "acknowledged"}


def test_a_channel_must_be_there_and_send(shop: "Shop") -> None:
    assert "did you mean `email`" in shop.crm("push", "send", "--channel", "emial", code=2).stderr
    assert "wait until they are pulled" in shop.crm("push", "send", "--channel", "pull", code=2).stderr
    shop.queue("K1", channel="pigeon")
    assert "1 message for the channel pigeon" in shop.crm("push", "send").stderr
    assert shop.states() == {"K1": "queued"}


def test_a_plugin_brings_a_channel_and_may_break(shop: "Shop") -> None:
    shop.crm.plugin(
        "pigeons",
        """
from crm import Channel
class Sender:
    def send(self, message):
        if message.customer == "K2":
            raise RuntimeError("no pigeon")
        return True
    def close(self):
        raise RuntimeError("the loft is shut")
@hookimpl
def push_channels():
    return [Channel("pigeon", lambda app: Sender(), consent="post")]
""",
    )
    shop.crm("customers", "consent", "K3", "--channel", "post", "--withdraw")
    ids = shop.queue("K1", "K2", "K3", channel="pigeon")
    shop.crm("push", "send", "--channel", "pigeon")
    assert shop.states() == {"K1": "acknowledged", "K2": "queued", "K3": "failed"}
    assert shop.row(ids[1])["error"] == "the channel fails: RuntimeError"


def test_what_a_killed_run_had_claimed_is_sent_by_the_next_one(shop: "Shop") -> None:
    program = """
import os, signal, sys
from plugins.push.channels.file import FileSender
write = FileSender.send
def send(self, message):
    write(self, message)
    os.kill(os.getpid(), signal.SIGKILL)
FileSender.send = send
from cli.main import run; run()
"""
    ids = shop.queue(channel="file")
    killed = shop.crm.process("push", "send", "--workers", "1", program=program)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert set(shop.states().values()) == {"sending"}
    shop.crm("push", "send")
    assert set(shop.states().values()) == {"acknowledged"}
    (out,) = (shop.crm.workspace / "outbox").glob("*.ndjson")
    assert sorted(json.loads(line)["id"] for line in out.read_text(encoding="utf-8").splitlines()) == sorted(ids)
    assert {row["tries"] for row in shop.rows()} == {1}


def test_a_message_that_kills_its_sender_fails_after_so_many_tries_and_no_other_does(shop: "Shop") -> None:
    program = """
import os, signal
from plugins.push.channels.file import FileSender
write = FileSender.send
def send(self, message):
    if message.customer == "K2":
        os.kill(os.getpid(), signal.SIGKILL)
    return write(self, message)
FileSender.send = send
from cli.main import run; run()
"""
    shop.configure("retry: {tries: 2}")
    (deadly,) = (each for each, who in zip(shop.queue(channel="file"), NAMES, strict=True) if who == "K2")
    codes = []
    for _ in range(6):
        process = shop.crm.process("push", "send", "--workers", "1", program=program)
        process.communicate()
        codes.append(process.returncode)
        if process.returncode == 0:
            break
    assert codes == [-signal.SIGKILL] * (len(codes) - 1) + [0]
    assert shop.states() == {**dict.fromkeys(NAMES, "acknowledged"), "K2": "failed"}
    assert shop.row(deadly)["tries"] == 2
    assert shop.row(deadly)["error"] == "its sender ended while it had it, and nothing else, time and again"


def test_quiet_hours_are_asked_when_it_goes_out_and_when_it_is_tried_again(shop: "Shop") -> None:
    now = datetime.now(UTC)
    hours = [f"{moment:%H:%M}" for moment in (now - timedelta(hours=1), now + timedelta(hours=2))]
    quiet, loud = shop.queue("K1", "K2", channel="file", data=json.dumps({"quiet": hours}))
    workspace = shop.crm.open()
    with workspace.records.begin() as connection:
        there = workspace.records.frame("customers", connection=connection).filter(customer="K2")
        zone = pl.lit("Etc/GMT-12").alias("zone")
        workspace.records.upsert(connection, "customers", there.select("customer", zone))
    assert "it is in quiet hours" in shop.crm("push", "send").stderr
    assert shop.row(loud)["state"] == "acknowledged"
    waits = shop.row(quiet)
    assert (waits["state"], waits["tries"]) == ("queued", 0)
    assert timedelta(hours=1) < waits["next_try"] - now <= timedelta(hours=2)
    shop.later(next_try=timedelta(hours=3))
    shop.crm("push", "send")
    assert shop.row(quiet)["state"] == "queued"
    for odd in ({}, {"quiet": "nights"}, {"quiet": [1, 2]}, {"quiet": ["22:00"]}):
        assert awake_at(odd, None, "UTC", now) == now


def test_it_is_in_the_audit_log(shop: "Shop") -> None:
    shop.queue("K1", channel="file")
    shop.crm("push", "send")
    (entry,) = [row for row in shop.crm.rows("audit", "log") if row["action"] == "send"]
    assert (entry["what"], entry["rows"]) == ("1 acknowledged", 1)


@given(tries=st.integers(1, 200), name=st.text(max_size=30), after=st.integers(0, 10**6) | st.none())
def test_pauses_grow_within_bounds_and_repeat(tries: int, name: str, after: int | None) -> None:
    config = RetryConfig(base=Duration(minutes=1), cap=Duration(hours=6))
    wanted = None if after is None else timedelta(seconds=after)
    found = pause(name, tries, config, wanted)
    most = min(timedelta(hours=6), timedelta(minutes=1) * 2 ** min(tries - 1, 20))
    assert timedelta() <= found <= max(most, wanted or timedelta())
    assert found >= (wanted or timedelta())
    assert found == pause(name, tries, config, wanted)

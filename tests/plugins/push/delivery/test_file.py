"""Messages are written to files, each once, also where a run was killed in the middle of a line."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crm.delivery import Message
from crm.errors import Locked
from plugins.push.channels.file import FileSender

if TYPE_CHECKING:
    from tests.plugins.push.delivery.conftest import Shop


def message(number: int) -> Message:
    return Message(f"{'a' * 22}{'bcdefghij'[number % 9]}{'234567'[number // 9 % 6]}ab", "K1", "", "spring", "s", "t\nt")


def lines(folder: Path) -> list[str]:
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.ndjson"))]
    return [json.loads(line)["id"] for text in texts for line in text.splitlines()]


def test_messages_are_lines(shop: "Shop") -> None:
    ids = shop.queue(channel="file")
    shop.crm("push", "send")
    (file,) = (shop.crm.workspace / "outbox").glob("*.ndjson")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert {row["id"] for row in rows} == set(ids)
    (first,) = [row for row in rows if row["customer"] == "K1"]
    assert first["subject"] == "1001"
    assert first["data"]["items"][0]["id"] == "1001"
    assert set(shop.states().values()) == {"acknowledged"}
    assert file.stat().st_mode & 0o77 == 0


def test_what_a_campaign_says_of_items_is_in_the_message_and_no_script(shop: "Shop") -> None:
    items = {"a": {"title": "<b>A</b>", "url": "javascript:alert(1)", "price": 9.9, "reason": "you like B"}}
    items["b"] = {"title": "B", "url": "https://shop.example/b"}
    shop.queue("K2", channel="file", items=["a", "b"], data=json.dumps({"items": items}))
    shop.crm("push", "send")
    (file,) = (shop.crm.workspace / "outbox").glob("*.ndjson")
    message = json.loads(file.read_text(encoding="utf-8"))
    assert message["subject"] == "<b>A</b> and more"
    assert "- <b>A</b>, 9.90\n  you like B\n- B\n  https://shop.example/b\n" in message["text"]
    assert "&lt;b&gt;A&lt;/b&gt;" in message["html"]
    assert '<a href="https://shop.example/b">B</a>' in message["html"]
    assert "javascript" not in message["html"] + message["text"]


def test_a_line_that_was_written_is_not_written_again(tmp_path: Path) -> None:
    sender = FileSender(tmp_path)
    assert sender.send(message(1))
    assert sender.send(message(2))
    sender.close()
    (file,) = tmp_path.glob("*.ndjson")
    with file.open("ab") as out:
        out.write(b'{"id": "' + message(3).id.encode() + b'", "cust')  # the run was killed here
    sender = FileSender(tmp_path)
    for number in (1, 2, 3):
        assert sender.send(message(number))
    sender.close()
    assert lines(tmp_path) == [message(number).id for number in (1, 2, 3)]


def test_many_write_at_once(tmp_path: Path) -> None:
    sender = FileSender(tmp_path)
    wanted = [message(number) for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(sender.send, wanted))
    sender.close()
    assert sorted(lines(tmp_path)) == sorted(each.id for each in wanted)


def test_one_program_writes_at_a_time(tmp_path: Path) -> None:
    sender = FileSender(tmp_path)
    with pytest.raises(Locked):
        FileSender(tmp_path)
    sender.close()
    FileSender(tmp_path).close()


def test_the_folder_is_beside_the_configuration(shop: "Shop") -> None:
    shop.configure("file: {folder: ../drop}")
    shop.queue("K1", channel="file")
    shop.crm("push", "send")
    assert len(lines(shop.crm.folder / "drop")) == 1


def test_a_folder_that_cannot_be_made_loses_nothing(shop: "Shop") -> None:
    (shop.crm.folder / "drop").touch()
    shop.configure("file: {folder: ../drop}")
    shop.queue("K1", channel="file")
    assert "cannot be written to" in shop.crm("push", "send", code=4).stderr
    assert shop.states() == {"K1": "queued"}

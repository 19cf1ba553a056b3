"""One run at a time writes to a workspace."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


def test_a_second_process_exits_with_5_at_once_and_the_first_goes_on(crm: "Crm") -> None:
    log = crm.log("access.log", *crm.lines(5))
    with crm.process("logs", "mine", "-") as first:
        assert first.stdin is not None
        while not (crm.workspace / "lake").exists() and first.poll() is None:
            time.sleep(0.01)  # until it holds the lock and waits for its input
            if (crm.workspace / "records.db").exists():
                break
        began = time.monotonic()
        with crm.process("logs", "mine", log) as second:
            _, said = second.communicate(timeout=60)
        took = time.monotonic() - began
        assert second.returncode == 5
        assert b"another run is writing to the workspace" in said
        assert took < 20
        assert first.poll() is None
        _, said = first.communicate(log.read_bytes(), timeout=60)
        assert (first.returncode, said) == (0, b"")
    assert crm.counts() == (5, 1)

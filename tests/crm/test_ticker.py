"""The line that says for how long a command has been working."""

import io
import re
import time
from types import SimpleNamespace

import pytest

from crm import ticker
from crm.ticker import Ticker


class Screen(io.StringIO):
    def __init__(self, *, terminal: bool = True) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    made = Screen()
    monkeypatch.setattr(ticker, "sys", SimpleNamespace(stderr=made))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(ticker, "PATIENCE_S", 0.01)
    monkeypatch.setattr(ticker, "INTERVAL_S", 0.01)
    return made


def written(screen: Screen, times: int = 2) -> str:
    """What is on the screen once the line has been written so many times."""
    end = time.monotonic() + 10
    while screen.getvalue().count("work") < times and time.monotonic() < end:
        time.sleep(0.005)
    return screen.getvalue()


def test_it_comes_after_a_while_and_goes_at_the_end(screen: Screen) -> None:
    with Ticker("work"):
        text = written(screen)
    assert re.fullmatch(r"(\r\x1b\[Kwork: \d+ s){2,}", text)
    assert screen.getvalue().endswith(" s\r\x1b[K")


def test_it_makes_room_for_a_message_and_comes_again(screen: Screen) -> None:
    with Ticker("work") as shown:
        written(screen)
        shown.clear()
        before = screen.getvalue().count("work")
        assert written(screen, before + 1).count("work") > before


def test_nothing_is_written_once_output_has_begun(screen: Screen) -> None:
    with Ticker("work") as shown:
        written(screen)
        shown.stop()
        text = screen.getvalue()
        time.sleep(0.05)
        assert screen.getvalue() == text
    assert screen.getvalue() == text


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_a_pipe_and_a_quiet_run_see_nothing(screen: Screen, terminal: bool, quiet: bool) -> None:
    screen.terminal = terminal
    with Ticker("work", quiet=quiet):
        time.sleep(0.05)
    assert screen.getvalue() == ""


def test_a_terminal_that_cannot_take_a_line_back_sees_nothing(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with Ticker("work"):
        time.sleep(0.05)
    assert screen.getvalue() == ""

"""The file of a campaign: what it may say, and what is said of mistakes."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Unusable
from plugins.push.campaign import Quiet, read
from plugins.push.quiet import after, is_quiet, send_after

ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("segmnet: x", "unknown key `segmnet` (did you mean `segment`?)"),
        ("items: {categorys: [food]}", "`items`: unknown key `categorys` (did you mean `categories`?)"),
        ("cap: {all: {messages: 0, within: 7d}}", "`cap.all.messages`: expected `int` >= 1"),
        ("cap: {all: {messages: 1}}", "`cap.all`: object missing required field `within`"),
        ("quiet: nights", "`quiet`: expected two times of the day such as 21:00-08:00, got `nights`"),
        ("quiet: 08:00-08:00", "`quiet`: expected two times"),
        ("levels: [3, 4]", "`levels[1]`: expected one of 1, 2, 3, got `4`"),
        ("levels: [1, 3]", "`levels` go from 3 to 1"),
        ("channels: [email, email]", "`channels` has something twice"),
        ("send_at: soon", "`send_at`: `soon` is no time"),
        ("control: 1", "`control`: expected `float` < 1.0"),
        ("least_weight: .nan", "`least_weight`: expected a finite number"),
        ("skip: [bougt]", "`skip[0]`: expected one of bought, seen, sent, got `bougt` (did you mean `bought`?)"),
        ("expires: 0s", "`expires`: expected more than no time, such as 30m, got `0s`"),
        ("cap: {this: {messages: 1, within: 0d}}", "`cap.this.within`: expected more than no time"),
        ("expires: 3 days", "`expires`: expected a duration such as 30m"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "spring.yaml"
    file.write_text(f"{text}\n")
    with pytest.raises(Unusable) as error:
        read(file)
    assert str(error.value).startswith(f"{file}: ")
    assert said in str(error.value)


def test_a_campaign_without_a_name_is_called_as_its_file(tmp_path: Path) -> None:
    file = tmp_path / "spring.yaml"
    file.write_text("quiet: 21:00-08:00\nsend_at: 2026-03-20\n")
    found = read(file)
    assert found.name == "spring"
    assert found.quiet == "21:00-08:00"
    assert found.quiet.times() == (time(21), time(8))
    assert found.send_at is not None
    assert found.send_at.at("Asia/Shanghai", datetime.now(UTC)) == datetime(2026, 3, 19, 16, tzinfo=UTC)


def test_the_campaign_that_can_be_copied_is_one() -> None:
    assert read(Path(__file__).parents[3] / "configs" / "campaign.yaml").name == "spring"


times = st.tuples(st.integers(0, 23), st.sampled_from((0, 15, 30))).map(lambda each: time(*each))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    st.sampled_from(ZONES),
    st.tuples(times, times).filter(lambda each: each[0] != each[1]),
)
def test_what_would_come_in_quiet_hours_comes_when_they_end(at: datetime, zone: str, hours: tuple[time, time]) -> None:
    at = at.replace(tzinfo=UTC, microsecond=0)
    found = after(at, zone, *hours)
    assert found >= at
    assert not is_quiet(found, zone, *hours)
    if found > at:
        assert is_quiet(at, zone, *hours)
        # All between is quiet, but for an hour in which clocks are put forward over the end.
        before = found - timedelta(hours=1, minutes=1)
        assert before < at or is_quiet(before, zone, *hours)


@pytest.mark.parametrize(
    ("at", "quiet", "wanted"),
    [
        ("2026-03-08T04:00Z", "21:00-02:30", "2026-03-08T07:30Z"),  # 02:30 does not come on this day
        ("2026-11-01T05:10Z", "21:00-01:30", "2026-11-01T05:30Z"),  # 01:30 comes twice: the first
        ("2026-11-01T06:10Z", "21:00-01:30", "2026-11-01T06:30Z"),  # the second
        ("2026-07-01T12:00Z", "21:00-08:00", "2026-07-01T12:00Z"),
    ],
)
def test_quiet_hours_when_clocks_change(at: str, quiet: str, wanted: str) -> None:
    found = after(datetime.fromisoformat(at), "America/New_York", *Quiet.parse(quiet).times())
    assert found == datetime.fromisoformat(wanted)
    assert found.tzinfo is UTC


def test_each_customer_has_a_zone_of_its_own() -> None:
    people = pl.DataFrame({"customer": ["a", "b", "c", "d"], "zone": ["Asia/Shanghai", None, "Mars/Olympus", "UTC"]})
    at = datetime(2026, 3, 16, 15, tzinfo=UTC)
    found = send_after(people, at, (time(21), time(8)), "Europe/Berlin")
    wanted = [datetime(2026, 3, 17, 8, tzinfo=ZoneInfo("Asia/Shanghai")), at, at, at]
    assert found["send_after"].to_list() == wanted

"""Who is in the control group."""

import polars as pl
import pytest

from plugins.push import arms

KEY = bytes(range(32))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_control_groups_have_their_share_and_grow_with_it(share: float) -> None:
    who = pl.Series([f"c{n}" for n in range(4000)])
    small, large = (set(who.filter(arms.drawn(KEY, "spring", who, part) == "control")) for part in (share, share + 0.2))
    assert abs(len(small) / 4000 - share) < 0.03
    assert small < large
    other = set(who.filter(arms.drawn(KEY, "spring", who, share, seed=1) == "control"))
    assert abs(len(small & other) / 4000 - share**2) < 0.03


def test_who_has_an_arm_keeps_it() -> None:
    people = pl.DataFrame({"customer": ["a", "b", "c"], "arm": ["control", "treated", "treated"]})
    stored = pl.DataFrame({"customer": ["a", "b"], "arm": ["treated", "control"]})
    assert arms.arms(people, stored)["arm"].to_list() == ["treated", "control", "treated"]

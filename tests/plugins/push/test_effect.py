"""What campaigns have brought."""

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm.proportions import wilson
from plugins.push import effect
from plugins.push.intervals import customers_needed, fisher, newcombe

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hits", "trials", "others", "other_trials", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
        (0, 10, 0, 20, -0.1611, 0.2775),
    ],
)
def test_intervals_are_those_that_newcombe_published(
    hits: int, trials: int, others: int, other_trials: int, low: float, high: float
) -> None:
    assert newcombe(hits, trials, others, other_trials) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_where_the_score_is_at_its_bound() -> None:
    for hits, trials in ((3, 10), (81, 263), (15, 148)):
        for bound in wilson(hits, trials):
            score = (hits / trials - bound) / math.sqrt(bound * (1 - bound) / trials)
            assert abs(score) == pytest.approx(1.959964, abs=1e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0, 1)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_lift_is_within_its_interval(trials: int, other_trials: int, data: st.DataObject) -> None:
    hits, others = data.draw(st.integers(0, trials)), data.draw(st.integers(0, other_trials))
    low, high = newcombe(hits, trials, others, other_trials)
    lift = hits / trials - others / other_trials
    assert -1 - 1e-9 <= low <= lift + 1e-9
    assert lift - 1e-9 <= high <= 1 + 1e-9
    mirror = newcombe(others, other_trials, hits, trials)
    assert mirror == pytest.approx((-high, -low))


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.sampled_from((0.25, 1.0, 3.0)))
def test_so_many_customers_have_the_power(share: float, other: float, ratio: float) -> None:
    assume(abs(share - other) > 0.05)
    needed = customers_needed(share, other, ratio)
    assert needed is not None
    first = needed / (1 + ratio)
    mean = (share + ratio * other) / (1 + ratio)
    null = math.sqrt(mean * (1 - mean) * (1 / first + 1 / (ratio * first)))
    real = math.sqrt(share * (1 - share) / first + other * (1 - other) / (ratio * first))
    power = 0.5 * math.erfc(-(abs(share - other) - 1.959964 * null) / real / math.sqrt(2))
    assert power >= 0.79
    assert power <= 0.8 + 3 / needed + 0.03 or needed < 40
    assert customers_needed(share, share, ratio) is None


def rows_of(arms: list[tuple[str, str]], messages: list[str], orders: list[tuple[str, int, float]]) -> pl.DataFrame:
    people = effect.people(
        pl.DataFrame([(who, arm, AT) for who, arm in arms], ["customer", "arm", "ts"], orient="row"),
        pl.DataFrame(
            [(who, AT + timedelta(days=1), AT, None) for who in messages],
            {"customer": pl.String, "sent": pl.Datetime("us", "UTC"), "queued": pl.Datetime("us", "UTC"),
             "acknowledged": pl.Datetime("us", "UTC")},
            orient="row",
        ).drop("acknowledged"),
    )  # fmt: skip
    sent = pl.DataFrame({"customer": messages}, {"customer": pl.String}).with_columns(
        pl.lit(AT).alias("sent"), pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("acknowledged")
    )
    feedback = pl.DataFrame({"customer": ["a"], "event": ["clicked"]})
    lines = [(who, AT + timedelta(days=day), amount) for who, day, amount in orders]
    bought = pl.DataFrame(
        lines, {"customer": pl.String, "ts": pl.Datetime("us", "UTC"), "amount": pl.Float64}, orient="row"
    )
    flagged = effect.marks(people, sent, feedback)
    return effect.effect("spring", effect.bought(flagged, bought, timedelta(days=14)))


def test_orders_count_from_the_message_on_and_in_the_control_group_from_the_draw() -> None:
    arms = [("a", "treated"), ("b", "treated"), ("c", "control"), ("d", "control")]
    orders = [("a", 0, 9.0), ("b", 2, 10.0), ("b", 3, -4.0), ("c", 0, 5.0), ("d", 14, 7.0)]
    rows = {(row["arm"], row["what"]): row for row in rows_of(arms, ["a", "b"], orders).to_dicts()}
    assert rows["treated", "sent"]["number"] == 2
    assert rows["treated", "opened"]["number"] == rows["treated", "clicked"]["number"] == 1
    assert rows["treated", "delivered"]["number"] == 1  # who clicks has got it
    assert (rows["treated", "ordered"]["number"], rows["treated", "revenue"]["number"]) == (1, 6.0)
    assert (rows["control", "ordered"]["number"], rows["control", "revenue"]["rate"]) == (1, 2.5)
    lift = rows["lift", "ordered"]
    assert (lift["rate"], lift["significant"], lift["more"]) == (0.0, "not yet", None)


def test_a_great_lift_is_significant() -> None:
    arms = [(f"t{n}", "treated") for n in range(40)] + [(f"c{n}", "control") for n in range(40)]
    orders = [(f"t{n}", 5, 1.0) for n in range(30)] + [(f"c{n}", 5, 1.0) for n in range(10)]
    lift = rows_of(arms, [f"t{n}" for n in range(40)], orders).filter(arm="lift").to_dicts()[0]
    assert lift["rate"] == pytest.approx(0.5)
    assert lift["p"] == pytest.approx(fisher(30, 40, 10, 40))
    assert (lift["significant"], lift["more"]) == ("yes", 0)
    assert (lift["low"], lift["high"]) == pytest.approx(newcombe(30, 40, 10, 40))

"""`crm interest summary`."""

from collections import defaultdict

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.interest.summing import summary

ROW = st.tuples(st.sampled_from("uvw"), st.sampled_from("13"), st.sampled_from("abc"))
WEIGHTS = st.dictionaries(ROW, st.tuples(st.integers(-2, 3), st.sampled_from([None, "wanted", "unwanted"])))
SCHEMA = {"who": pl.String, "level": pl.String, "key": pl.String, "weight": pl.Float64, "stance": pl.String}


@given(WEIGHTS)
def test_it_adds_up_what_everybody_is_interested_in(
    rows: dict[tuple[str, str, str], tuple[int, str | None]],
) -> None:
    found = summary(pl.DataFrame([(*key, *value) for key, value in rows.items()], SCHEMA, orient="row"))
    best: dict[tuple[str, str], int] = defaultdict(int)
    for (who, level, _), (weight, _) in rows.items():
        best[who, level] = max(best[who, level], weight)
    for row in found.iter_rows(named=True):
        its = {key: value for key, value in rows.items() if key[1:] == (row["level"], row["key"])}
        liked = {key: weight for key, (weight, _) in its.items() if weight > 0}
        assert (row["people"], row["weight"]) == (len(liked), pytest.approx(sum(liked.values())))
        assert row["first"] == sum(weight == best[key[:2]] for key, weight in liked.items())
        assert row["wanted"] == sum(stance == "wanted" for _, stance in its.values())
        assert row["unwanted"] == sum(stance == "unwanted" for _, stance in its.values())
    assert {(level, key) for level, key, *_ in found.iter_rows()} == {key[1:] for key in rows}

"""Files of models of churn."""

import json
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.learning.modelfiles import NoModelError, signed
from plugins.customers import churn, churn_features, churn_files


def learnable() -> tuple[Any, Any, Any, churn.Churn]:
    """Features, values, labels, and a model of them: of a number with gaps, and of words."""
    rng = np.random.default_rng(0)
    months, city = rng.integers(0, 60, 400), rng.choice(["北京", "广州", "成都"], 400)
    left = rng.random(400) < 1 / (1 + np.exp(0.08 * months - 1 - 2 * (city == "北京")))
    gaps = pl.Series(months.astype(str)).set(pl.Series(rng.random(400) < 0.05), "")
    frame, labels = pl.DataFrame({"月数": gaps, "城市": city}), left.astype(np.int64)
    features = churn_features.features_of(frame, ["月数", "城市"])
    values = churn_features.matrix(frame, features)
    validated = churn.cross_validated(features, values, labels, 4, 0)
    return features, values, labels, churn.learnt(features, values, labels, validated, 0)


def about_of(data: bytes) -> churn_files.AboutChurn:
    return churn_files.unpacked(data)[0]


@pytest.fixture(scope="module")
def packed() -> bytes:
    _, values, labels, fitted = learnable()
    about = churn_files.AboutChurn(
        crm_churn=1, created="", crm="", sklearn="", source="file", told="", as_of="", horizon_days=0.0,
        active_days=0.0,
        features=fitted.features, weights=tuple(fitted.weights.tolist()), intercept=fitted.intercept,
        lines={name: (line.slope, line.offset) for name, line in fitted.lines.items()}, chosen="average",
        fingerprint=churn_files.fingerprint(fitted.features, values, labels), rows=400, churned=1,
        metrics={},
    )  # fmt: skip
    return churn_files.packed(about, fitted.boosting)


def test_a_model_that_was_stored_gives_the_same_probabilities(packed: bytes) -> None:
    _, values, _, fitted = learnable()
    _, again = churn_files.unpacked(packed)
    for candidate in churn.CANDIDATES:
        assert (again.probabilities(values, candidate) == fitted.probabilities(values, candidate)).all()


@settings(max_examples=40)
@given(st.data())
def test_a_damaged_file_is_no_model(packed: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(packed) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != packed[at]))
    with pytest.raises(NoModelError):
        churn_files.unpacked(packed[:at] + bytes([other]) + packed[at + 1 :])


@pytest.mark.parametrize("change", ["features", "weights", "lines"])
def test_a_file_whose_parts_do_not_fit_is_no_model(packed: bytes, change: str) -> None:
    head, _, body = packed.partition(b"\n")
    about = about_of(packed)
    value: Any = {"features": about.features[:1], "weights": about.weights[:1], "lines": {}}[change]
    wrong = signed(msgspec.structs.replace(about, **{change: value}), body)
    with pytest.raises(NoModelError, match="something else"):
        churn_files.unpacked(msgspec.json.encode(wrong) + b"\n" + body)
    assert json.loads(head)["crm_churn"] == 1


@pytest.mark.parametrize(("field", "value"), [("left", 0), ("right", 10_000), ("feature_idx", 99), ("feature_idx", -1)])
def test_a_tree_that_leads_astray_is_no_model(packed: bytes, field: str, value: int) -> None:
    about, model = churn_files.unpacked(packed)
    tree = model.boosting._predictors[0][0]
    tree.nodes = tree.nodes.copy()
    tree.nodes[field][np.flatnonzero(tree.nodes["is_leaf"] == 0)[-1]] = value
    with pytest.raises(NoModelError, match="something else"):
        churn_files.unpacked(churn_files.packed(about, model.boosting))

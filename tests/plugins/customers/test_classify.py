"""`crm customers classify train`, `predict` and `evaluate`."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
import pytest
import skops.io
from click.testing import Result
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from crm.learning.modelfiles import NoModelError
from plugins.customers.models import unpacked

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

PAPER = "income_yuan,education,age,children,housing_m2"
CARS = "BuyingPrice,Maintenance,Doors,Persons,Boot,Safety"
CAR_SCALES = (
    "{BuyingPrice: [low, med, high, vhigh], Maintenance: [low, med, high, vhigh], Doors: {5more: 5}, "
    "Persons: {more: 5}, Boot: [small, med, big], Safety: [low, med, high]}"
)


def people(crm: "Crm", classes: int = 2, size: int = 30, seed: int = 0) -> Path:
    """Customers of some grades that overlap a little, with an income and an education."""
    rng = np.random.default_rng(seed)
    grade = rng.permutation(np.arange(classes).repeat(size))
    income = (grade * 3 + rng.normal(size=len(grade))).round(3)
    words = np.array(["low", "med", "high"])[rng.integers(0, 3, len(grade))]
    file = crm.folder / "people.csv"
    names = np.array(["bronze", "gold", "iron", "silver"])[grade]
    pl.DataFrame({"name": np.arange(len(grade)), "income": income, "edu": words, "grade": names}).write_csv(file)
    crm.log("words.yaml", "edu: {low: 1, med: 2, high: 3.6}")
    return file


def classify(crm: "Crm", what: str, *args: object, code: int = 0) -> Result:
    return crm("customers", "classify", what, *args, code=code)


def learning(crm: "Crm", file: Path) -> tuple[object, ...]:
    """Options that say what to learn of people."""
    words = ("--quantify", crm.folder / "words.yaml")
    return ("--input", file, "--label", "grade", "--features", "income,edu", *words)


def trained(crm: "Crm", file: Path, *args: object) -> Path:
    model = crm.folder / "grade.model"
    classify(crm, "train", *learning(crm, file), "--model", model, *args)
    return model


def predicted(crm: "Crm", file: Path, model: Path) -> list[dict[str, Any]]:
    return crm.rows("customers", "classify", "predict", "--input", file, "--model", model)


@pytest.mark.parametrize("options", [(), ("--kernel", "rbf", "--C", 10, "--gamma", 0.3), ("--scaling", "none")])
def test_a_model_predicts_what_a_pipeline_of_scikit_learn_predicts(crm: "Crm", options: tuple[object, ...]) -> None:
    file = people(crm)
    table = pl.read_csv(file).with_columns(pl.col("edu").replace_strict({"low": 1.0, "med": 2.0, "high": 3.6}))
    X, y = table.select("income", "edu").to_numpy(), table["grade"].to_numpy()  # noqa: N806 - scikit-learn's names
    given = dict(zip(options[::2], options[1::2], strict=True))
    svm = SVC(
        kernel=given.get("--kernel", "linear"), C=given.get("--C", 1), gamma=given.get("--gamma", "scale"), tol=1e-6
    )
    plain = svm if given.get("--scaling") else make_pipeline(StandardScaler(), svm)
    plain.fit(X, y)
    rows = predicted(crm, file, trained(crm, file, *options))
    assert [row["predicted"] for row in rows] == plain.predict(X).tolist()
    np.testing.assert_allclose([row["score"] for row in rows], plain.decision_function(X), atol=1e-4)
    assert list(rows[0]) == ["name", "income", "edu", "grade", "predicted", "score"]


def test_of_more_classes_the_score_is_above_0(crm: "Crm") -> None:
    file = people(crm, classes=4)
    rows = predicted(crm, file, trained(crm, file, "--strategy", "balanced"))
    assert all(row["score"] > 0 for row in rows)
    assert sum(row["predicted"] == row["grade"] for row in rows) > 0.8 * len(rows)


def test_a_model_names_its_machines(crm: "Crm") -> None:
    file = people(crm, classes=4)
    rows = crm.rows(*("customers", "classify", "train"), *learning(crm, file), "--model", crm.folder / "m")
    assert [row["node"] for row in rows] == [1, 2, 3]
    assert rows[0]["rows"] == 120
    assert {*rows[0]["positive"].split(", "), *rows[0]["negative"].split(", ")} == {"bronze", "gold", "iron", "silver"}
    assert list(rows[0])[-3:] == ["b", "w_income", "w_edu"]


def test_rows_without_a_feature_or_a_class_are_left_out(crm: "Crm") -> None:
    lines = ("income,edu,grade", "1,low,a", "2,low,a", "8,low,b", "9,low,b", ",low,a", "3,,b", "4,low,", "5,low, ")
    file = crm.log("some.csv", *lines)
    crm.log("words.yaml", "edu: {low: 1, med: 2, high: 3.6}")
    told = classify(crm, "train", *learning(crm, file), "--model", crm.folder / "m").stderr
    assert "2 of 8 rows left out: a feature is missing" in told
    assert "2 of 8 rows left out: the class is missing" in told
    assert "learnt 2 classes from 4 rows" in told
    rows = predicted(crm, file, crm.folder / "m")
    assert [row["predicted"] for row in rows] == ["a", "a", "b", "b", None, None, "a", "a"]
    assert [row["score"] is None for row in rows] == [row["predicted"] is None for row in rows]


def test_of_many_rows_some_of_each_class_are_taken(crm: "Crm") -> None:
    lines = [f"{n},low,{'rare' if n % 100 == 0 else 'usual'}" for n in range(1000)]
    file = crm.log("many.csv", "income,edu,grade", *lines)
    crm.log("words.yaml", "edu: [low]")
    told = classify(crm, "train", *learning(crm, file), "--model", crm.folder / "m", "--max-rows", 300).stderr
    assert "307 of 1,000 rows taken" in told  # all 10 of the rare one, 297 of 990


def test_what_a_model_says_of_itself(crm: "Crm") -> None:
    file = people(crm)
    first, _ = unpacked(trained(crm, file).read_bytes())
    assert (first.label, first.columns, first.classes) == ("grade", ("income", "edu"), ("bronze", "gold"))
    assert first.rows == 60
    assert set(first.metrics) == {"accuracy", "cross_validated_accuracy"}
    again, _ = unpacked(trained(crm, file, "--folds", 0).read_bytes())
    assert again.fingerprint == first.fingerprint
    assert set(again.metrics) == {"accuracy"}
    other, _ = unpacked(trained(crm, people(crm, seed=1)).read_bytes())
    assert other.fingerprint != first.fingerprint


def test_classes_in_the_file_are_compared(crm: "Crm") -> None:
    file = people(crm)
    model = trained(crm, file)
    told = classify(crm, "predict", "--input", file, "--model", model).stderr
    right = sum(row["predicted"] == row["grade"] for row in predicted(crm, file, model))
    assert f"{right} of the 60 rows that have `grade` are predicted as it says" in told
    assert "a score above 0 means gold, else bronze" in told


@pytest.mark.parametrize("strategy", ["chain", "balanced"])
def test_the_measures_are_those_of_scikit_learn(crm: "Crm", strategy: str) -> None:
    file = people(crm, classes=4)
    options = (*learning(crm, file), "--folds", 3, "--seed", 5, "--strategy", strategy)
    pairs = crm.rows("customers", "classify", "evaluate", *options, "--by", "pair")
    truth = [row["class"] for row in pairs for _ in range(row["rows"])]
    said = [row["predicted"] for row in pairs for _ in range(row["rows"])]
    rows = crm.rows("customers", "classify", "evaluate", *options)
    wanted = precision_recall_fscore_support(truth, said)
    for name, values in zip(("precision", "recall", "f1", "rows"), wanted, strict=True):
        np.testing.assert_allclose([row[name] for row in rows], values)
    folds = crm.rows("customers", "classify", "evaluate", *options, "--by", "fold")
    assert [row["fold"] for row in folds] == [1, 2, 3]
    assert sum(row["correct"] for row in folds) == sum(row["correct"] for row in rows)
    told = classify(crm, "evaluate", *options).stderr
    assert f"accuracy {accuracy_score(truth, said):.4f}" in told
    assert f"mean F1 of the classes {np.mean(wanted[2]):.4f}" in told
    shares = {name: sum(row["share"] for row in pairs if row["class"] == name) for name in truth}
    assert list(shares.values()) == pytest.approx([1] * 4)


def test_a_fold_is_predicted_from_the_others(crm: "Crm") -> None:
    file = people(crm, size=40, seed=3)
    noise = np.random.default_rng(0).normal(size=80) * 3  # so that it matters which rows are in a fold
    table = pl.read_csv(file).with_columns(income=pl.col("income") + noise)
    table.write_csv(file)
    X, y = table.select("income").to_numpy(), table["grade"].to_numpy()  # noqa: N806 - scikit-learn's names
    folds = StratifiedKFold(4, shuffle=True, random_state=2)
    plain = cross_val_predict(make_pipeline(StandardScaler(), SVC(kernel="linear", tol=1e-6)), X, y, cv=folds)
    options = ("--input", file, "--label", "grade", "--features", "income", "--folds", 4, "--seed", 2)
    rows = crm.rows("customers", "classify", "evaluate", *options)
    assert [row["predicted"] for row in rows] == [int((plain == name).sum()) for name in ("bronze", "gold")]
    assert [row["correct"] for row in rows] == [int(((plain == y) & (y == name)).sum()) for name in ("bronze", "gold")]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (("--label", "grad"), 2, "--label: there is no column `grad` (did you mean `grade`?)"),
        (("--features", "incom,edu"), 2, "--features: there is no column `incom` (did you mean `income`?)"),
        (("--features", "edu,grade"), 2, "--label grade is among --features"),
        (("--features", "edu,edu"), 2, "column `edu` is named twice"),
        (("--features", "edu,"), 2, "names of columns separated by commas"),
        (("--features", "income,edu,name", "--label", "name"), 2, "`name` is personal"),
        (("--gamma", "wide"), 2, "`wide` is neither a number above 0"),
        (("--C", 0), 2, "0"),
        (("--quantify", "nowhere.yaml"), 4, "nowhere.yaml: No such file"),
        (("--folds", 31), 2, "class `bronze` has only 30 of the rows"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(crm: "Crm", change: tuple[object, ...], code: int, said: str) -> None:
    told = classify(crm, "evaluate", *learning(crm, people(crm)), *change, code=code)
    assert said in " ".join(told.stderr.split())


@pytest.mark.parametrize(("place", "said"), [("people.csv", "would be overwritten"), ("none/m", "there is no folder")])
def test_a_model_is_not_written_where_it_cannot_or_must_not_be(crm: "Crm", place: str, said: str) -> None:
    file = people(crm)
    before = file.read_bytes()
    told = classify(crm, "train", *learning(crm, file), "--model", crm.folder / place, code=2)
    assert said in told.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize("option", ["--label", "--features"])
def test_a_personal_column_is_neither_class_nor_feature(crm: "Crm", option: str) -> None:
    file = crm.log("in.csv", "customer,income,grade", "zhang.san,1,a", "li.si,2,b")
    options = {"--label": "grade", "--features": "income"} | {option: "customer"}
    words = [word for pair in options.items() for word in pair]
    told = classify(crm, "evaluate", "--input", file, *words, "--folds", 2, code=2)
    assert "column `customer` is personal" in told.stderr
    assert "zhang" not in told.output


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        ([], 4, "has no class"),
        (["1,low,a"], 4, "only the class `a`"),
        (["1,low,a", "2,low,"], 4, "only the class `a`"),
        (["1,low,a", "x,low,b"], 4, "column `income`, row 2: `x` is no number; give its words numbers with --quantify"),
        ([f"{n},low,{n}" for n in range(101)], 2, "`grade` has 101 different values, too many for classes"),
    ],
)
def test_a_file_that_teaches_nothing_is_told(crm: "Crm", lines: list[str], code: int, said: str) -> None:
    file = crm.log("in.csv", "income,edu,grade", *lines)
    crm.log("words.yaml", "edu: [low]")
    told = classify(crm, "train", *learning(crm, file), "--model", crm.folder / "m", code=code)
    assert said in told.stderr
    assert not (crm.folder / "m").exists()


def test_a_class_of_one_row_is_learnt_without_cross_validation(crm: "Crm") -> None:
    file = crm.log("in.csv", "income,edu,grade", "1,low,a", "2,low,b", "3,low,b")
    crm.log("words.yaml", "edu: [low]")
    assert "not cross-validated" in classify(crm, "train", *learning(crm, file), "--model", crm.folder / "m").stderr


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        (["name,edu", "1,low"], 2, "no column `income`"),
        (["income,edu", "1,dr"], 4, "column `edu`, row 1: `dr` is no number; its words are low, med, high"),
        (["income,edu,score", "1,low,2"], 4, "has a column `score` already"),
    ],
)
def test_what_cannot_be_predicted_is_told(crm: "Crm", lines: list[str], code: int, said: str) -> None:
    model = trained(crm, people(crm))
    told = classify(crm, "predict", "--input", crm.log("new.csv", *lines), "--model", model, code=code)
    assert said in told.stderr


def test_no_rows_are_predicted_as_no_rows(crm: "Crm") -> None:
    model = trained(crm, people(crm))
    assert predicted(crm, crm.log("new.csv", "income,edu"), model) == []
    assert predicted(crm, crm.log("new.csv", "income,edu", ",low"), model)[0]["predicted"] is None


def test_any_change_of_a_model_is_found(crm: "Crm") -> None:
    data = trained(crm, people(crm)).read_bytes()
    for place in np.linspace(0, len(data) - 1, 150).astype(int).tolist():
        with pytest.raises(NoModelError):
            unpacked(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    for end in (0, 1, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(NoModelError):
            unpacked(data[:end])
    with pytest.raises(NoModelError):
        unpacked(data + b"\n")


def signed(data: bytes, *, body: bytes | None = None, **changes: object) -> bytes:
    """A model that somebody has changed, who knows how to make its digest."""
    about = json.loads(data[: data.index(b"\n")]) | changes | {"sha256": ""}
    body = data[data.index(b"\n") + 1 :] if body is None else body
    about["sha256"] = hashlib.sha256(msgspec.json.encode(about) + b"\n" + body).hexdigest()
    return msgspec.json.encode(about) + b"\n" + body


def refusal(crm: "Crm", data: bytes) -> str:
    file = crm.folder / "other.model"
    file.write_bytes(data)
    new = crm.log("new.csv", "income,edu", "1,low")
    return str(classify(crm, "predict", "--input", new, "--model", file, code=4).stderr)


class Foreign:
    """A type that no model has."""

    def __init__(self) -> None:
        self.value = 1


def test_what_is_no_model_of_ours_is_refused(crm: "Crm") -> None:
    data = trained(crm, people(crm)).read_bytes()
    assert predicted(crm, crm.log("new.csv", "income,edu", "1,low"), crm.folder / "grade.model")
    unpacked(signed(data))  # so that what follows is refused for its content
    assert "other.model: is no model" in refusal(crm, b"income,edu\n1,low\n")
    assert "is a model in format 2" in refusal(crm, signed(data, crm_model=2))
    assert "holds types that no model of ours has" in refusal(crm, signed(data, body=skops.io.dumps(Foreign())))
    fitted = LogisticRegression().fit([[0], [1]], [0, 1])
    assert "holds something else" in refusal(crm, signed(data, body=skops.io.dumps(fitted)))
    assert "holds something else" in refusal(crm, signed(data, columns=["income", "age"]))
    assert "holds something else" in refusal(crm, signed(data, classes=["gold", "iron"]))
    assert "cannot be read" in refusal(crm, signed(data, body=b"no archive"))
    assert "make it anew with `crm customers classify train`" in refusal(crm, data[:-1])


def test_a_model_that_is_not_there_is_told(crm: "Crm") -> None:
    told = classify(crm, "predict", "--input", people(crm), "--model", crm.folder / "none", code=4)
    assert "none: cannot be read: No such file" in told.stderr


@pytest.mark.parametrize(("strategy", "least"), [("chain", 0.95), ("balanced", 0.9)])
def test_ten_digits_are_told_apart(crm: "Crm", strategy: str, least: float) -> None:
    values, digits = load_digits(return_X_y=True)
    file = crm.folder / "digits.parquet"
    names = [f"p{at}" for at in range(64)]
    pl.DataFrame(values, schema=names).with_columns(digit=digits).write_parquet(file)
    options = ("--input", file, "--label", "digit", "--features", ",".join(names), "--strategy", strategy)
    folds = crm.rows("customers", "classify", "evaluate", *options, "--by", "fold")
    assert np.mean([row["accuracy"] for row in folds]) >= least


@pytest.mark.reference
def test_the_worked_example_of_a_paper_comes_out(crm: "Crm", reference_data: Path) -> None:
    table = reference_data / "svm_paper/table1.csv"
    words = crm.log("words.yaml", "education: {本科: 1, 硕士: 2, 博士: 3, 博士后: 3.6}")
    model = crm.folder / "car.model"
    options = ("--label", "class", "--features", PAPER, "--quantify", words, "--scaling", "max", "--C", 10)
    (row,) = crm.rows("customers", "classify", "train", "--input", table, *options, "--model", model)
    assert (row["positive"], row["negative"], row["rows"], row["support_vectors"]) == ("1", "-1", 15, 9)
    weights = [row[f"w_{name}"] for name in PAPER.split(",")]
    assert [*weights, row["b"]] == pytest.approx([4.5215, 1.8022, 2.0172, -3.1786, 4.0344, -6.6712], abs=5e-5)
    assert all(row["class"] == row["predicted"] for row in predicted(crm, table, model))
    new = crm.log("new.csv", PAPER, "11000,硕士,35,1,140", "5000,本科,40,1,90")
    first, second = predicted(crm, new, model)
    assert (first["predicted"], second["predicted"]) == ("1", "-1")
    assert [first["score"], second["score"]] == pytest.approx([0.7633, -2.4425], abs=5e-5)


@pytest.mark.reference
def test_cars_are_told_apart(crm: "Crm", reference_data: Path) -> None:
    words = crm.log("words.yaml", CAR_SCALES)
    file = ("--input", reference_data / "car_evaluation/car.data", "--input-format", "csv")
    learning = ("--label", "Condition", "--features", CARS, "--quantify", words, "--kernel", "rbf", "--C", 100)
    rows = crm.rows("customers", "classify", "evaluate", *file, *learning, "--folds", 10)
    assert sum(row["correct"] for row in rows) / sum(row["rows"] for row in rows) >= 0.99


def test_the_workspaces_customers_are_classified_and_words_are_quantified_by_the_configuration(crm: "Crm") -> None:
    kinds = ("博士后,high", "本科,low")
    rows = [f"K{at},{kinds[at % 2]}" for at in range(40)]
    file = crm.folder / "people.csv"
    file.write_text("\n".join(["客户编号,学历,grade", *rows]) + "\n", "utf-8")
    crm.configure("access: {shown: [学历, grade]}\ncustomers: {quantify: {学历: {本科: 1, 博士后: 3.6}}}\n")
    crm("customers", "import", file)
    model = crm.folder / "grade.model"
    crm("customers", "classify", "train", "--label", "grade", "--features", "学历", "--model", model)
    found = crm.rows("customers", "classify", "predict", "--model", model)
    assert [row["predicted"] for row in found] == ["low" if row["学历"] == "本科" else "high" for row in found]
    assert len(found) == 40
    told = crm("customers", "classify", "train", "--label", "grade", "--features", "phone", "--model", model, code=2)
    assert "personal" in told.stderr

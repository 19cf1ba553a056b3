"""`crm tickets classify train`, `predict`, `evaluate` and `review`."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from crm.learning.modelfiles import signed
from plugins.tickets.classify.files import AboutClasses

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

WORDS = {
    "wear": ("制动片磨损", "轴承异响", "brake pads worn out", "bearing noise"),
    "material": ("水泵渗油", "外壳开裂", "housing cracked", "pump leaks oil"),
    "assembly": ("螺栓松动", "线束插错", "bolt loose", "wrong connector"),
}
FILLING = ("车主反映", "进店检查", "建议更换", "已修复", "customer says", "checked", "replaced", "冷启动时")


def texts(count: int, seed: int = 0) -> pl.DataFrame:
    """Texts of three classes; some say nothing of their class."""
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.resize(sorted(WORDS), count))
    said = [f"{rng.choice(FILLING)} {rng.choice(WORDS[each])} {rng.choice(FILLING)}" for each in classes]
    vague = rng.random(count) < 0.1
    said = [str(rng.choice(FILLING)) if empty else text for text, empty in zip(said, vague, strict=True)]
    return pl.DataFrame({"text": said, "kind": classes, "row": np.arange(count)})


def written(crm: "Crm", frame: pl.DataFrame, name: str = "texts.csv") -> Path:
    file = crm.folder / name
    frame.write_csv(file)
    return file


def learning(file: Path) -> tuple[object, ...]:
    return ("--input", file, "--text", "text", "--label", "kind", "--classifier", "linear-svm")


def trained(crm: "Crm", file: Path, *more: object) -> Path:
    model = crm.folder / "kind.model"
    crm("tickets", "classify", "train", *learning(file), "--model", model, *more)
    return model


def centre(crm: "Crm", count: int = 60) -> pl.DataFrame:
    """Tickets in the workspace, two thirds of which a person has classed."""
    frame = texts(count)
    names = [f"T{n:03d}" for n in range(count)]
    opened = pl.lit(datetime(2026, 3, 2, 10, tzinfo=UTC)).cast(pl.Datetime("us", "UTC"))
    tickets = pl.DataFrame({"ticket": names, "fault_text": frame["text"]}).with_columns(opened=opened, amount=100.0)
    crm("workspace", "info")
    records = crm.open().records
    with records.begin() as connection:
        records.append(connection, "tickets", tickets)
    classes = pl.DataFrame({"ticket": names, "class": frame["kind"]})
    written(crm, classes.head(count * 2 // 3), "classes.csv")
    crm("centre", "classes", "import", crm.folder / "classes.csv")
    return classes


def stored(crm: "Crm") -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["ticket"], row["origin"]): row for row in crm.open().records.frame("ticket_classes").to_dicts()}


def test_train_and_predict_tell_classes_confidence_and_what_spoke_for_them(crm: "Crm") -> None:
    model = trained(crm, written(crm, texts(240)))
    new = pl.DataFrame({"text": ["客户说水泵渗油", "BEARING  NOISE again", "螺栓松动"], "who": ["a", "b", "c"]})
    rows = crm.rows("tickets", "classify", "predict", "--model", model, "--input", written(crm, new, "new.csv"))
    assert [row["class"] for row in rows] == ["material", "wear", "assembly"]
    assert all(row["confidence"] > 0.7 and row["sure"] for row in rows)
    assert set(rows[0]["reasons"].split(", ")) & {"渗油", "水泵", "泵渗"}
    assert "noise" in rows[1]["reasons"] or "bearing" in rows[1]["reasons"]


def test_a_text_that_says_nothing_is_not_sure(crm: "Crm") -> None:
    model = trained(crm, written(crm, texts(240)))
    file = written(crm, pl.DataFrame({"text": ["已修复", ""]}), "new.csv")
    rows = crm.rows("tickets", "classify", "predict", "--model", model, "--input", file, "--confidence", 0.8)
    assert not any(row["sure"] for row in rows)
    assert rows[1]["reasons"] is None
    every = crm.rows("tickets", "classify", "predict", "--model", model, "--input", file, "--confidence", 0)
    assert all(row["sure"] for row in every)


def test_training_twice_gives_the_same_model(crm: "Crm") -> None:
    file = written(crm, texts(120))
    heads = []
    for name in ("one.model", "two.model"):
        crm("tickets", "classify", "train", *learning(file), "--model", crm.folder / name)
        about = json.loads((crm.folder / name).read_bytes().partition(b"\n")[0])
        heads.append({key: value for key, value in about.items() if key not in ("created", "sha256")})
    assert heads[0] == heads[1]


def test_auto_tries_all_classifiers_and_takes_the_best(crm: "Crm") -> None:
    file = written(crm, texts(150))
    rows = crm.rows(
        *("tickets", "classify", "train", "--input", file, "--text", "text", "--label", "kind"),
        *("--model", crm.folder / "m"),
    )
    assert {row["classifier"] for row in rows} == {"linear-svm", "svm-tree"}
    best = next(row for row in rows if row["chosen"])
    assert best["accuracy"] == max(row["accuracy"] for row in rows)
    assert sum(row["chosen"] for row in rows) == 1


def test_a_damaged_model_is_refused(crm: "Crm") -> None:
    file = written(crm, texts(60))
    model = trained(crm, file)
    data = model.read_bytes()
    head, _, body = data.partition(b"\n")
    about = json.loads(head)
    other = json.dumps(about | {"classes": ["x", *about["classes"][1:]]}).encode()
    for broken in (data[:-1], other + b"\n" + body, head + b"\n", b"", b"{}\n", b"PK"):
        model.write_bytes(broken)
        result = crm("tickets", "classify", "predict", "--model", model, "--input", file, code=4)
        assert "make it anew with `crm tickets classify train`" in result.stderr


def test_a_model_whose_parts_do_not_fit_is_refused_though_its_digest_is_right(crm: "Crm") -> None:
    import msgspec

    file = written(crm, texts(60))
    model = trained(crm, file)
    head, _, body = model.read_bytes().partition(b"\n")
    about = msgspec.json.decode(head, type=AboutClasses)
    for change in (
        {"classes": (*about.classes, "more")},
        {"offsets": about.offsets[:-1]},
        {"lapse": 1.5},
        {"codes": ("part",)},
        {"classifier": "nobody"},
        {"texts": ()},
    ):
        wrong = signed(msgspec.structs.replace(about, **change), body)
        model.write_bytes(msgspec.json.encode(wrong) + b"\n" + body)
        crm("tickets", "classify", "predict", "--model", model, "--input", file, code=4)


def test_evaluate_agrees_with_scikit_learn(crm: "Crm") -> None:
    file = written(crm, texts(200))
    by = {
        view: crm.rows("tickets", "classify", "evaluate", *learning(file), "--by", view)
        for view in ("class", "pair", "fold", "coverage", "confidence")
    }
    names = sorted(WORDS)
    matrix = np.array([row["rows"] for row in by["pair"]]).reshape(3, 3)
    truth, told = zip(*((a, b) for a in range(3) for b in range(3) for _ in range(matrix[a, b])), strict=True)
    assert (confusion_matrix(truth, told) == matrix).all()
    assert [row["class"] for row in by["class"]] == names
    assert [row["f1"] for row in by["class"]] == pytest.approx(f1_score(truth, told, average=None).tolist())
    assert sum(row["correct"] for row in by["fold"]) / 200 == pytest.approx(accuracy_score(truth, told))
    everything = next(row for row in by["coverage"] if row["at"] == "100%")
    assert everything["correct"] == np.trace(matrix)
    assert sum(row["rows"] for row in by["confidence"]) == 200


def test_evaluate_says_what_the_surest_are_worth(crm: "Crm") -> None:
    file = written(crm, texts(200))
    result = crm("tickets", "classify", "evaluate", *learning(file), "--by", "coverage", "-f", "json")
    rows = {row["at"]: row for row in json.loads(result.stdout)}
    assert "macro F1" in result.stderr
    assert f"the surest 90%: accuracy {rows['90%']['accuracy']:.4f}" in result.stderr
    assert rows["90%"]["rows"] == 180
    assert rows["90%"]["accuracy"] > rows["100%"]["accuracy"] > 0.85
    assert rows["confidence"]["persons"] == 200 - rows["confidence"]["rows"]


def test_the_same_text_in_several_folds_is_told_and_can_be_kept_together(crm: "Crm") -> None:
    frame = texts(60)
    rng = np.random.default_rng(1)
    noise = pl.DataFrame({"text": [f"text {n}" for n in range(60)], "kind": rng.choice(sorted(WORDS), 60), "row": 0})
    twice = pl.concat([frame.with_columns(pl.col("row").cast(pl.Int32)), noise.cast({"row": pl.Int32})])
    file = written(crm, pl.concat([twice, twice]))
    apart = crm("tickets", "classify", "evaluate", *learning(file))
    together = crm("tickets", "classify", "evaluate", *learning(file), "--together")
    assert "--together keeps them in a fold" in apart.stderr
    accuracy = [float(text.stderr.split("accuracy ")[1][:6]) for text in (apart, together)]
    assert accuracy[0] > accuracy[1] + 0.1  # who has seen the same text knows its class


def test_tickets_are_classed_reviewed_and_learnt_from(crm_on: "Crm") -> None:
    truth = dict(centre(crm_on).iter_rows())
    model = crm_on.folder / "q.model"
    crm_on("tickets", "classify", "train", "--model", model, "--classifier", "linear-svm")
    rows = crm_on.rows("tickets", "classify", "predict", "--model", model, "--store")
    assert len(rows) == 60
    told = stored(crm_on)
    assert {ticket for ticket, origin in told if origin == "model"} == set(truth)
    assert all(told[ticket, "model"]["confidence"] is not None for ticket in truth)
    assert crm_on.rows("tickets", "classify", "predict", "--model", model, "--new") == []

    sheet = crm_on.folder / "sheet.csv"
    crm_on("tickets", "classify", "review", "-o", sheet, "--confidence", 1)
    with sheet.open(encoding="utf-8") as lines:
        found = list(csv.DictReader(lines))
    assert len(found) == 20
    assert [float(row["confidence"]) for row in found] == sorted(float(row["confidence"]) for row in found)
    assert {row["answer"] for row in found} == {""}
    answered = [row | {"answer": truth[row["ticket"]]} for row in found[:15]]
    pl.DataFrame([*answered, *found[15:]]).write_csv(sheet)
    first = crm_on("tickets", "classify", "review", "--read", sheet)
    assert "15 answers stored, 0 known already, 0 rejected, 5 rows without an answer" in first.stderr
    again = crm_on("tickets", "classify", "review", "--read", sheet)
    assert "0 answers stored, 15 known already" in again.stderr
    said = {ticket: row["class"] for (ticket, origin), row in stored(crm_on).items() if origin == "person"}
    assert len(said) == 55
    assert all(truth[ticket] == each for ticket, each in said.items())
    more = crm_on("tickets", "classify", "train", "--model", model, "--classifier", "linear-svm")
    assert "from 55 rows" in more.stderr


def test_answers_that_cannot_be_taken_are_listed_with_reasons(crm: "Crm") -> None:
    centre(crm, 30)
    rows = [
        ("T025", "waer"),
        ("T999", "wear"),
        ("T026", "wear"),
        ("T027", "wear"),
        ("T027", "material"),
        ("T028", "batch"),
        ("T029", ""),
        ("T000", None),
    ]
    sheet = written(crm, pl.DataFrame(rows, schema=["ticket", "answer"], orient="row"), "sheet.csv")
    rejected = {row["row"]: row for row in crm.rows("tickets", "classify", "review", "--read", sheet)}
    assert sorted(rejected) == [1, 2, 4, 5, 6]
    assert "did you mean" in rejected[1]["reason"]
    assert rejected[2]["reason"] == "there is no such ticket"
    assert "something else" in rejected[4]["reason"]
    assert ("T026", "person") in stored(crm)
    assert ("T028", "person") not in stored(crm)
    left = crm.rows("tickets", "classify", "review", "--read", sheet, "--new-classes")
    assert [row["row"] for row in left] == [2, 4, 5]
    assert stored(crm)["T028", "person"]["class"] == "batch"


def test_a_mixed_sheet_has_tickets_of_which_the_model_is_sure(crm: "Crm") -> None:
    centre(crm, 90)
    model = crm.folder / "q.model"
    crm("tickets", "classify", "train", "--model", model, "--classifier", "linear-svm")
    crm("tickets", "classify", "predict", "--model", model, "--store")
    rows = crm.rows("tickets", "classify", "review", "--count", 10, "--mix", 0.5, "--confidence", 0.6)
    assert sum(row["confidence"] >= 0.6 for row in rows) == 5
    assert rows == crm.rows("tickets", "classify", "review", "--count", 10, "--mix", 0.5, "--confidence", 0.6)
    other = crm.rows("tickets", "classify", "review", "--count", 10, "--mix", 0.5, "--confidence", 0.6, "--seed", 1)
    assert rows != other


def test_a_plugin_brings_a_classifier(crm: "Crm") -> None:
    body = (
        "from crm.hookspecs import TicketClassifier\n"
        "@hookimpl\ndef ticket_classifiers():\n"
        "    from sklearn.naive_bayes import ComplementNB\n"
        "    return [TicketClassifier('bayes', ComplementNB, 'naive Bayes', {'alpha': (0.3, 1.0)})]\n"
    )
    crm.plugin("bayes", body)
    file = written(crm, texts(120))
    model = crm.folder / "b.model"
    named = ("--input", file, "--text", "text", "--label", "kind", "--classifier", "bayes")
    rows = crm.rows("tickets", "classify", "train", *named, "--model", model)
    assert [row["parameters"] for row in rows] == ["alpha=0.3", "alpha=1.0"]
    told = crm.rows("tickets", "classify", "predict", "--model", model, "--input", file)
    assert np.mean([row["class"] == row["kind"] for row in told]) > 0.85
    crm.configure("")
    gone = crm("tickets", "classify", "predict", "--model", model, "--input", file, code=4)
    assert "no plugin brings it" in gone.stderr


WRONG = {
    "no label": (("--text", "text"), 2, "--label names the column"),
    "unknown text": (("--text", "txt", "--label", "kind"), 2, "did you mean"),
    "label as text": (("--text", "kind", "--label", "kind"), 2, "tell itself"),
    "no text": (("--label", "kind"), 2, "--text"),
    "many classes": (("--text", "text", "--label", "row"), 2, "too many for classes"),
    "one class": (("--text", "text", "--label", "kind", "--where", "kind = 'wear'"), 4, "two at least"),
    "classifier": (("--text", "text", "--label", "kind", "--classifier", "linear"), 2, "linear-svm"),
    "personal": (("--text", "customer", "--label", "kind"), 2, "personal"),
    "folds": (("--text", "text", "--label", "kind", "--folds", "80"), 2, "take fewer folds"),
    "twice": (("--text", "text,text", "--label", "kind"), 2, "named twice"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_mistakes_are_told(crm: "Crm", name: str) -> None:
    words, code, said = WRONG[name]
    file = written(crm, texts(210).with_columns(customer=pl.lit("王")))
    result = crm("tickets", "classify", "evaluate", "--input", file, *words, code=code)
    assert said in result.stderr


def test_options_that_would_do_nothing_are_refused(crm: "Crm") -> None:
    centre(crm, 30)
    sheet = written(crm, pl.DataFrame({"ticket": ["T001"], "answer": ["wear"]}), "sheet.csv")
    crm("tickets", "classify", "review", "--read", sheet, "--mix", 0.5, code=2)
    crm("tickets", "classify", "review", "--new-classes", code=2)
    assert "predict --model FILE --store" in crm("tickets", "classify", "review", code=6).stderr


@pytest.mark.reference
def test_reviews_are_told_apart_as_promised(crm: "Crm", reference_data: Path) -> None:
    file = reference_data / "reviews_zh" / "reviews_9_categories.csv.gz"
    words = ("--input", file, "--text", "review", "--label", "cat", "--classifier", "linear-svm", "--by", "fold")
    rows = crm.rows("tickets", "classify", "evaluate", *words)
    assert np.mean([row["accuracy"] for row in rows]) >= 0.875
    assert np.mean([row["f1"] for row in rows]) >= 0.87

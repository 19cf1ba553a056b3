"""How fast quality classes of many tickets are told, beside a plain pipeline of scikit-learn; and how well.

    python benchmarks/classify_tickets.py
    python benchmarks/classify_tickets.py --tickets 20000
    python benchmarks/classify_tickets.py --input reviews.csv --text review --label cat

Tickets are those of the sample's generator, one in five of which is learnt from. Each side works in a process of its
own, of which the peak of the memory is told. The peer sees the same: runs of one and two characters and words, codes
one by one, numbers scaled; `LinearSVC`, calibrated by `CalibratedClassifierCV` with three folds. With --input, both are
judged by five folds on the texts of a file.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1] / "sample_data"))

TEXT: Final = "fault_text"
CODES: Final = ("labour_code", "fault_code", "part", "part_category", "model", "vehicle_type")
NUMBERS: Final = ("mileage", "quantity", "parts_cost", "labour_cost", "amount")


def ours(frame: pl.DataFrame, columns: tuple[Any, ...], label: str) -> Callable[[pl.DataFrame], np.ndarray]:
    """Learn; gives what tells classes."""
    from plugins.tickets.classify.classifiers import CLASSIFIERS
    from plugins.tickets.classify.features import Columns
    from plugins.tickets.classify.learning import Candidate, Known, learnt
    from plugins.tickets.classify.predicting import predictions

    classes, codes = np.unique(frame[label].to_numpy(), return_inverse=True)
    known = Known(frame, tuple(classes), codes, Columns(*columns))
    model = learnt(known, Candidate(CLASSIFIERS[0]), 0)
    return lambda asked: predictions(model, asked)["class"].to_numpy()


def peer(frame: pl.DataFrame, columns: tuple[Any, ...], label: str) -> Callable[[pl.DataFrame], np.ndarray]:
    """The same with what scikit-learn brings."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import make_column_transformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder
    from sklearn.svm import LinearSVC

    texts, codes, numbers = columns
    runs = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
    words = TfidfVectorizer(token_pattern=r"[A-Za-z0-9]+", ngram_range=(1, 2), sublinear_tf=True)
    union = make_union(runs, words) if codes else runs
    parts: list[Any] = [(union, 0)]
    if codes:
        places = list(range(1, 1 + len(codes)))
        parts.append((OneHotEncoder(handle_unknown="ignore"), places))
        parts.append((MaxAbsScaler(), list(range(1 + len(codes), 1 + len(codes) + len(numbers)))))
    svm = CalibratedClassifierCV(LinearSVC(C=0.5), cv=3)
    pipeline = make_pipeline(make_column_transformer(*parts), svm)

    def table(rows: pl.DataFrame) -> np.ndarray:
        filled = [rows[texts[0]].fill_null("")]
        filled += [rows[name].cast(pl.String).fill_null("") for name in codes]
        filled += [rows[name].fill_null(0.0) for name in numbers]
        return np.column_stack([np.array(each.to_list(), dtype=object) for each in filled])

    pipeline.fit(table(frame), frame[label].to_numpy())
    classes = pipeline.classes_
    return lambda asked: classes[pipeline.predict_proba(table(asked)).argmax(axis=1)]


SIDES: Final = {"crm": ours, "scikit-learn": peer}


def worked(name: str, known: pl.DataFrame, asked: pl.DataFrame, columns: tuple[Any, ...], out: Any) -> None:
    """Learn and tell, in a process of its own."""
    start = time.perf_counter()
    tell = SIDES[name](known, columns, "class")
    learnt = time.perf_counter()
    told = tell(asked)
    done = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out.put((learnt - start, done - learnt, memory, float((told == asked["class"].to_numpy()).mean())))


def speed(count: int) -> None:
    """Print times and memory of both sides."""
    from generate_tickets import tickets

    made = tickets(1, count, story=False)
    every = made["tickets"].join(made["classes"], on="ticket")
    columns = ((TEXT,), CODES, NUMBERS)
    context = multiprocessing.get_context("spawn")
    times = {}
    for name in SIDES:
        out = context.Queue()
        process = context.Process(target=worked, args=(name, every.gather_every(5), every, columns, out))
        process.start()
        fit, predict, memory, accuracy = out.get()
        process.join()
        times[name] = predict
        print(f"{name:13} learnt from {count // 5:,} in {fit:.1f} s, told {count:,} in {predict:.1f} s", end=", ")
        print(f"{memory:,.0f} MB, accuracy {accuracy:.4f}")
    print(f"crm takes {times['crm'] / times['scikit-learn']:.2f} of the time, and tells reasons")


def quality(file: Path, text: str, label: str) -> None:
    """Print accuracy and macro F1 of both sides by five folds."""
    from sklearn.metrics import f1_score
    from sklearn.model_selection import StratifiedKFold

    frame = pl.read_csv(file)
    truth = frame[label].to_numpy()
    for name, learn in SIDES.items():
        rows = []
        for others, own in StratifiedKFold(5, shuffle=True, random_state=0).split(truth, truth):
            start = time.perf_counter()
            tell = learn(frame[others], ((text,), (), ()), label)
            fit = time.perf_counter() - start
            told = tell(frame[own])
            rows.append(((told == truth[own]).mean(), f1_score(truth[own], told, average="macro"), fit))
        accuracy, f1, fit = np.mean(rows, axis=0)
        print(f"{name:13} accuracy {accuracy:.4f}, macro F1 {f1:.4f}, {fit:.1f} s a fit")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=100_000, metavar="N", help="how many (default: 100,000)")
    parser.add_argument("--input", type=Path, metavar="FILE", help="judge by the texts of this file instead")
    parser.add_argument("--text", default="text", metavar="COLUMN")
    parser.add_argument("--label", default="label", metavar="COLUMN")
    given = parser.parse_args()
    if given.input is not None:
        quality(given.input, given.text, given.label)
    else:
        speed(given.tickets)


if __name__ == "__main__":
    main()

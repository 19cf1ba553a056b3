"""Files of models of quality classes; how they are stored and believed: `crm.learning.modelfiles`."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import polars as pl
import skops.io

from crm.learning.modelfiles import NoModelError, headed, loaded, signed
from plugins.tickets.classify.calibration import Calibration
from plugins.tickets.classify.features import Columns, Features
from plugins.tickets.classify.learning import Known, Model
from plugins.tickets.classify.machines import LinearSVM, SVMTree
from plugins.tickets.classify.texts import LONGEST, Lexicon

if TYPE_CHECKING:
    from crm.hookspecs import TicketClassifier

FORMAT: Final = 1
_PARTS: Final = ("alphabet", "runs", "lengths", "words", "weights", "means", "spreads", "estimator")


class AboutClasses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says of its model.

    Attributes:
        crm_classes: The version of the file's format.
        created: When it was learnt, in UTC, ISO 8601.
        crm: The version of this program that wrote it.
        sklearn: The version of scikit-learn.
        classifier: The name of the classifier.
        used: The classifier with its parameters, for people.
        texts: Columns of text.
        codes: Columns of codes.
        numbers: Columns of numbers.
        known: The known codes of each column of codes.
        classes: The classes.
        scale: Of the calibration.
        offsets: Of the calibration.
        lapse: Of the calibration.
        rows: How many rows it was learnt from.
        fingerprint: SHA-256 of them.
        metrics: How good it is, by name.
        sha256: Of all of this, with this field empty, and the model.
    """

    crm_classes: int
    created: str
    crm: str
    sklearn: str
    classifier: str
    used: str
    texts: tuple[str, ...]
    codes: tuple[str, ...]
    numbers: tuple[str, ...]
    known: tuple[tuple[str, ...], ...]
    classes: tuple[str, ...]
    scale: float
    offsets: tuple[float, ...]
    lapse: float
    rows: int
    fingerprint: str
    metrics: dict[str, float]
    sha256: str = ""


def packed(about: AboutClasses, model: Model) -> bytes:
    """A model and what is said of it, as the bytes of a file."""
    lexicon = model.features.lexicon
    parts = {
        "alphabet": lexicon.alphabet,
        "runs": np.concatenate(lexicon.runs),
        "lengths": np.array([len(each) for each in lexicon.runs]),
        "words": np.frombuffer(msgspec.json.encode(lexicon.words.to_list()), dtype=np.uint8),
        "weights": lexicon.weights,
        "means": model.features.means,
        "spreads": model.features.spreads,
        "estimator": model.estimator,
    }
    body: bytes = skops.io.dumps(parts)
    return msgspec.json.encode(signed(about, body)) + b"\n" + body


def unpacked(data: bytes, classifiers: "Mapping[str, TicketClassifier]") -> tuple[AboutClasses, Model]:
    """The model in the bytes of a file, and what is said of it.

    Args:
        data: The bytes.
        classifiers: Those that there are; a model of one of them may hold its type.

    Raises:
        NoModelError: they are no model, or one that cannot be believed.
    """
    head, _, body = data.partition(b"\n")
    about = headed(head, AboutClasses, "crm_classes", FORMAT, "tickets classify train")
    if signed(about, body) != about:
        raise NoModelError("is damaged, or was changed after it was written")
    classifier = classifiers.get(about.classifier)
    if classifier is None:
        raise NoModelError(f"is of the classifier {about.classifier}, and no plugin brings it")
    parts = loaded(body, _trusted(classifier))
    try:
        model = _model(about, parts)
    except (AttributeError, TypeError, ValueError, KeyError, msgspec.DecodeError):
        model = None
    if model is None or not _fits(model, about):
        raise NoModelError("holds something else than a model of quality classes")
    return about, model


def _trusted(classifier: "TicketClassifier") -> list[str]:
    """The types of ours that a file may hold, and that of the classifier it is of."""
    kinds = dict.fromkeys([LinearSVM, SVMTree, type(classifier.make())])
    return [f"{each.__module__}.{each.__qualname__}" for each in kinds]


def _model(about: AboutClasses, parts: Any) -> Model | None:
    """The parts of a file put together."""
    if not isinstance(parts, dict) or set(parts) != set(_PARTS):
        return None
    ends = np.cumsum(parts["lengths"])[:-1]
    words = msgspec.json.decode(parts["words"].tobytes(), type=list[str])
    runs = tuple(np.split(parts["runs"], ends))
    lexicon = Lexicon(parts["alphabet"], runs, pl.Series(words, dtype=pl.String), parts["weights"])
    codes = tuple(pl.Series(each, dtype=pl.String) for each in about.known)
    columns = Columns(about.texts, about.codes, about.numbers)
    made = Features(columns, lexicon, codes, parts["means"], parts["spreads"])
    return Model(
        made, parts["estimator"], Calibration(about.scale, np.array(about.offsets), about.lapse), about.classes
    )


def _fits(model: Model, about: AboutClasses) -> bool:
    """Whether the parts are of the right kinds, and about the same features and classes."""
    made, lexicon, count = model.features, model.features.lexicon, len(about.classes)
    try:
        return bool(
            count >= 2
            and about.texts
            and len(about.known) == len(about.codes)
            and len(made.means) == len(made.spreads) == len(about.numbers)
            and len(about.offsets) == count
            and about.scale > 0
            and 0 <= about.lapse < 1
            and lexicon.alphabet.dtype == np.uint32
            and 1 <= len(lexicon.runs) <= LONGEST
            and all(each.dtype == np.uint64 for each in lexicon.runs)
            and len(lexicon.weights) == sum(map(len, lexicon.runs)) + len(lexicon.words)
            and _runs_fit(lexicon)
            and _estimator_fits(model.estimator, made.width, count)
        )
    except (AttributeError, TypeError, ValueError):
        return False


def _runs_fit(lexicon: Lexicon) -> bool:
    """Whether runs are ascending and of characters of the alphabet: they are looked up by halving, and told."""
    ascending: list[Any] = [*lexicon.runs, lexicon.alphabet]
    rising = all(bool((each[1:] > each[:-1]).all()) for each in ascending)
    return rising and all(
        not len(each) or int((each >> np.uint64(16 * at) & np.uint64(0xFFFF)).max()) <= len(lexicon.alphabet)
        for length, each in enumerate(lexicon.runs, start=1)
        for at in range(length)
    )


def _estimator_fits(estimator: Any, width: int, count: int) -> bool:
    """Whether it tells so many classes by so many features."""
    if list(estimator.classes_) != list(range(count)) or getattr(estimator, "n_features_in_", width) != width:
        return False
    if isinstance(estimator, LinearSVM | SVMTree):
        machines = 1 if count == 2 else count - isinstance(estimator, SVMTree)
        return estimator.coef_.shape == (machines, width) and estimator.intercept_.shape == (machines,)
    return True


def fingerprint(known: Known) -> str:
    """SHA-256 of what was learnt from: columns, their values, classes, and the order of the rows."""
    digest = hashlib.sha256(msgspec.json.encode([known.columns.all(), known.classes]))
    rows = known.frame.select(pl.concat_list(pl.all().cast(pl.String).fill_null("")).list.join("\0").alias("row"))
    digest.update("\n".join(rows["row"].to_list()).encode("utf-8", "surrogatepass"))
    digest.update(known.codes.astype("<i8").tobytes())
    return digest.hexdigest()

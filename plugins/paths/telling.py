"""What the commands that mine say on stderr: of how many sessions, and what was left out."""

from typing import TYPE_CHECKING

from crm.app import App
from crm.messages import counted
from plugins.paths.config import PathsConfig
from plugins.paths.corpus import Corpus
from plugins.paths.projection import fitting

if TYPE_CHECKING:
    from plugins.paths.rules import Rules
    from plugins.paths.source import Source


def mined_corpus(app: App, source: "Source", *, indexed: bool = True) -> Corpus:
    """The views that shall be mined for patterns, no more than memory holds; how many is told.

    Args:
        app: The run of the program.
        source: Where they come from.
        indexed: Whether the miner looks up what follows each view, which needs the most memory.
    """
    whole = source.corpus()
    corpus = fitting(whole) if indexed else whole
    if corpus is not whole:
        app.warn(f"{unfitting(whole, corpus)}; fewer views of each (--max-views) make room for more sessions")
    app.note(f"{counted(corpus.sessions, 'session')} with {counted(corpus.views, 'view')}")
    return corpus


def unfitting(whole: Corpus, corpus: Corpus) -> str:
    """Say what memory has left of the sessions."""
    longest = int(corpus.lengths.max(initial=0))
    cut = f", of each {longest:,} views at most" if longest < whole.lengths.max(initial=0) else ""
    return f"more do not fit in memory than the newest {corpus.sessions:,} of {whole.sessions:,} sessions{cut}"


def most_candidates(app: App) -> int:
    """How many patterns or sets may be kept."""
    return app.config.get("paths", PathsConfig).max_candidates


def left_out(app: App, what: str, asked: int, minimum: int, top: int | None = None) -> None:
    """Say which patterns or sets were left out since there were too many; those behind the `top` were not wanted."""
    most = most_candidates(app)
    if minimum > asked and (top is None or top > most):
        app.warn(
            f"there are more than {most:,} {what} (paths.max_candidates): all that are in {minimum:,} sessions or more "
            f"are here, those in fewer (down to {asked:,}) are not; ask for shorter ones, or for more support"
        )


def tell_rules(app: App, found: "Rules", *, everything: bool) -> None:
    """Say how many rules were tried, and left out."""
    if everything:
        app.note(f"{counted(found.tried, 'rule')} tried")
        return
    app.note(
        f"{counted(found.tried, 'rule')} tried; left out: {found.redundant:,} redundant, {found.insignificant:,} that "
        "may be chance (--all keeps them)"
    )

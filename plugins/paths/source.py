"""Where the sessions of a command come from: the workspace or a file, and what is done to their paths before mining."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from crm import segments
from crm.errors import Unusable, UsageError
from crm.messages import counted
from crm.people import owners
from crm.site import SiteConfig
from crm.stdin import given
from logparse.sessions import chronological
from plugins.paths import inputs
from plugins.paths.completion import complete, inferred
from plugins.paths.config import PathsConfig
from plugins.paths.corpus import Corpus
from plugins.paths.hits import logged_hosts, referrers_of
from plugins.paths.referrers import Site, referring_pages

if TYPE_CHECKING:
    from crm.app import App
    from crm.filters import Filters
    from crm.workspace import Workspace

STDIN: Final = Path("-")


@dataclass(frozen=True)
class Paths:
    """Sessions, and beside them the views that a miner works on.

    Attributes:
        sessions: One row a session, columns as in the table `sessions`; `path` and `times` as they were read.
        corpus: Their views, completed, put into categories and cut as the user wants. Session by session the same.
    """

    sessions: pl.DataFrame
    corpus: Corpus


@dataclass(frozen=True)
class Source:
    """The sessions that the user wants, and what shall be done to their paths.

    Attributes:
        app: The run of the program.
        file: The file to read, `-` for standard input; None for the workspace.
        file_format: One of `plugins.paths.inputs.FORMATS`; None to go by the file's name.
        filters: `--since`, `--until`, `--where`, each about sessions.
        segment: Only sessions of its members; None for all.
        with_robots: Also those of robots by behaviour.
        by_category: A view counts as one of its page's category.
        completed: Views that referrers show are added.
        max_views: Of each session, no more than its first so many views; None for the configuration's number.
    """

    app: "App"
    file: Path | None
    file_format: str | None
    filters: "Filters"
    segment: str | None
    with_robots: bool
    by_category: bool
    completed: bool
    max_views: int | None

    @property
    def is_plain(self) -> bool:
        """Whether the tables that are sums by date say it all: whole days of the workspace, paths as they are."""
        other = (self.file, self.segment, self.filters.where, self.max_views)
        changed = self.with_robots or self.by_category or self.completed
        return self.filters.whole_days and not changed and all(each is None for each in other)

    def workspace(self) -> "Workspace":
        """The workspace.

        Raises:
            UsageError: the sessions come from a file.
            Unusable: there is none.
        """
        if self.file is not None:
            raise UsageError("this needs the workspace, and --input names a file")
        return self.app.workspace()

    def scan(self) -> pl.LazyFrame:
        """The sessions, one a row, as in the table `sessions`; of a file also their `referrers`."""
        if self.file is not None:
            return self._filtered(self._read(self.file).lazy())
        workspace = self.workspace()
        sessions = workspace.scan("sessions")
        people = sessions if self.with_robots else sessions.filter(pl.col("bot").is_null())
        if self.segment is not None:
            people = _of_members(workspace, people, segments.members(workspace, self.segment))
        return self._filtered(people)

    def _filtered(self, sessions: pl.LazyFrame) -> pl.LazyFrame:
        if self.filters.since is None and self.filters.until is None:
            return self.filters.matching(self.app, sessions)
        if self.file is not None and sessions.select(pl.col("start").is_null().any()).collect().item():
            raise UsageError(f"--since and --until: {self.file} has no times (a column ts)")
        return self.filters.rows(self.app, sessions, "start")

    def _read(self, file: Path) -> pl.DataFrame:
        if self.segment is not None:
            raise UsageError("--segment is about the workspace, and --input names a file")
        kind = self.file_format or inputs.guess(file)
        found = inputs.read(_bytes(file), kind, "standard input" if file == STDIN else str(file))
        for reason, count in found.left_out.items():
            self.app.warn(f"{file}: {count:,} {'row' if count == 1 else 'rows'} {reason} left out")
        robots = found.sessions["bot"].is_not_null()
        if self.with_robots or not robots.any():
            return found.sessions
        self.app.note(f"{counted(int(robots.sum()), 'session')} of robots by behaviour left out (--with-robots)")
        return found.sessions.filter(~robots)

    def paths(self, *, capped: bool = True, ordered: bool = False) -> Paths:
        """The sessions in order of their start, and their views as a miner wants them; what is left out is told.

        Args:
            capped: Cut sessions at the longest length; a miner whose work grows faster than its input wants that.
                Where it does not, they are cut only if the user says so.
            ordered: The order of views matters; of baskets, which have none, the user is warned.
        """
        if ordered and self.file is not None and (self.file_format or inputs.guess(self.file)) == "baskets":
            self.app.warn("baskets have no order: their items are taken in that of their names, which says nothing")
        sessions = self.scan().collect()
        if self.file is None:
            sessions = chronological(sessions)
        corpus = Corpus.of(sessions["path"], sessions["times"])
        if self.completed:
            corpus = self._complete(sessions, corpus)
        return Paths(sessions, self.shaped(corpus, capped=capped))

    def shaped(self, corpus: Corpus, *, capped: bool) -> Corpus:
        """Views put into categories and cut as the user wants; what is left out is told."""
        if self.by_category:
            corpus = self._categories(corpus)
        if capped or self.max_views is not None:
            corpus = self._cut(corpus)
        return corpus

    def corpus(self, *, capped: bool = True, ordered: bool = False) -> Corpus:
        """The views of `paths` alone."""
        return self.paths(capped=capped, ordered=ordered).corpus

    def _cut(self, corpus: Corpus) -> Corpus:
        most = self.max_views or self.app.config.get("paths", PathsConfig).max_views
        longer = int((corpus.lengths > most).sum())
        if longer:
            sessions = "1 session has" if longer == 1 else f"{longer:,} sessions have"
            views = counted(most, "view")
            self.app.warn(f"{sessions} more than {views}, of which only the first {most:,} count (--max-views)")
            return corpus.first_views(most)
        return corpus

    def categories(self, pages: pl.Series, what: str = "--by category") -> pl.Series:
        """The category of each page, null where it has none; shape (pages,).

        Args:
            pages: Their names.
            what: What the user asked for, for the message.

        Raises:
            Unusable: the configuration has no categories.
        """
        rules = self.app.config.get("site", SiteConfig)
        if not rules.categories:
            raise Unusable(f"{what} needs site.categories in the configuration, which say what pages are about")
        return rules.category_of(pages)

    def _categories(self, corpus: Corpus) -> Corpus:
        named = corpus.renamed(self.categories(corpus.names))
        without = corpus.views - named.views
        if without:
            self.app.note(f"{without:,} of {corpus.views:,} views are left out: their pages have no category")
        return named

    def _complete(self, sessions: pl.DataFrame, corpus: Corpus) -> Corpus:
        """The corpus with the views that referrers show."""
        texts = self.referrers(sessions)
        if texts is None:
            raise UsageError(f"--complete: {self.file} has no referrers (a column `referrer`)")
        found = complete(corpus, referring_pages(corpus, texts, self.site()))
        back, cached = inferred(found)
        self.app.note(
            f"{counted(back + cached, 'view')} added to {corpus.views:,}: {back:,} by going back, "
            f"{cached:,} out of a cache"
        )
        return found

    def referrers(self, sessions: pl.DataFrame) -> pl.Series | None:
        """The referrer of every view of sessions as it was logged; None if they come from a file that has none."""
        if self.file is None:
            return referrers_of(self.workspace().scan("hits"), sessions)
        texts = sessions["referrers"].explode()
        return None if texts.null_count() == len(texts) else texts

    def site(self) -> Site:
        """The site's host names, and the rules by which it makes pages of addresses."""
        if self.file is not None:
            return Site.of({})
        workspace = self.workspace()
        runs = workspace.scan("runs").sort("run").select("rules").collect()
        sources = workspace.scan("sources").sort("run").select("charset").collect()
        if not runs.height or not sources.height:
            return Site.of({})
        hosts = logged_hosts(workspace.scan("hits"))
        return Site.of(json.loads(runs["rules"][-1]), hosts, sources["charset"][-1])


def _of_members(workspace: "Workspace", sessions: pl.LazyFrame, members: pl.Series) -> pl.LazyFrame:
    """Sessions of members, under whatever login; those without one count as the customers' whom their visitor has
    logged in as."""
    logins = sessions.select(pl.col("customer").drop_nulls().unique()).collect()["customer"]
    inside = members.implode()
    ids = pl.concat([members, owners(workspace, members)["who"]]).implode()
    theirs = owners(workspace, logins).filter(pl.col("who").is_in(ids))["customer"]
    own = pl.concat([theirs, logins.filter(logins.is_in(inside))]).implode()
    named = pl.col("customer").is_in(own) | pl.format(f"{segments.VISITOR}{{}}", "visitor").is_in(inside)
    known = sessions.filter(pl.col("customer").is_in(own)).select("visitor").unique().collect()["visitor"]
    anonymous = pl.col("customer").is_null() & pl.col("visitor").is_in(known.implode())
    return sessions.filter(named.fill_null(False) | anonymous)


def _bytes(file: Path) -> bytes:
    if file == STDIN:
        return given().buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise Unusable(f"cannot read {file}: {error.strerror or error}") from error

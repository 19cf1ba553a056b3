"""Referrers -> the pages of the site that views came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from logparse import pages, requests
from logparse.charsets import UTF8
from logparse.distinct import Distinct
from logparse.rules import PageRules
from plugins.paths.corpus import Codes, Corpus, Flags

ADDRESS: Final = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)"
"""The host of an address, without user and port."""

_ALIKE: Final = r"^www\.|:\d+$"
"""What makes no other site of a host."""


@dataclass(frozen=True)
class Site:
    """How pages are made of the site's addresses, and which addresses are its own.

    Attributes:
        pages: The page rules.
        hosts: Its host names in lower case, without `www.`; none if nobody knows them, and then they are guessed.
        charset: That of percent-encoded bytes which are not UTF-8.
    """

    pages: PageRules
    hosts: frozenset[str]
    charset: str

    @classmethod
    def of(cls, rules: Mapping[str, Any], hosts: pl.Series | None = None, charset: str = UTF8) -> "Site":
        """The site by the rules of a run.

        Args:
            rules: Those of the last run, as the table `runs` has them; empty for the default ones.
            hosts: The virtual hosts that the site's logs name, besides those of the rules.
            charset: The logs'.
        """
        told = pl.Series(rules.get("sessions", {}).get("sites", ()), dtype=pl.String)
        every = told if hosts is None else told.append(hosts)
        known = _alike(every.drop_nulls()).to_list()
        return cls(msgspec.convert(rules.get("pages", {}), PageRules), frozenset(known) - {""}, charset)


def referring_pages(corpus: Corpus, texts: pl.Series, site: Site) -> Codes:
    """The page that each view came from.

    A referrer is the address of a page on one of the site's hosts, or from its root (`/cart`), or a page as it is.

    Args:
        corpus: The views.
        texts: Their referrers as they were logged, null where there was none; shape (views,).
        site: Whose they are. Where its hosts are not known, `own_hosts` guesses them.

    Returns:
        Codes of pages; -1 where there is no referrer, or none of the site, or one that no session has viewed. Shape
        (views,).
    """
    known = Distinct.of(texts.cast(pl.String))
    plain = _codes(corpus, known.values)
    address = _addresses(known.values, site)
    named = _codes(corpus, address["page"])
    hosts = site.hosts or own_hosts(corpus, known, address, named)
    own = address["host"].is_in(list(hosts)).fill_null(False) | address["rooted"]
    found = np.where(plain >= 0, plain, np.where(own.to_numpy(), named, -1)).astype(np.int32)
    return _spread(known, found)


def own_hosts(corpus: Corpus, known: Distinct, address: pl.DataFrame, named: Codes) -> frozenset[str]:
    """Hosts that are the site's own, as far as the views tell.

    A view *proves* the host of its referrer if it comes from a page that was viewed earlier in its session. A host is
    the site's own if at least half of the views within sessions that come from it prove it, a quarter of all (of first
    views most come from elsewhere), and not all by one page, which a search engine may share with the site. Referrers
    without a path count for nothing: other sites let no more be known of themselves, and every site has such a page.

    Args:
        corpus: The views.
        known: Their referrers.
        address: `host` and `root` of the distinct ones.
        named: The codes of their pages.
    """
    hosts, which = np.unique(address["host"].fill_null("").to_numpy(), return_inverse=True)
    which[(address["root"] | address["host"].is_null()).to_numpy()] = -1
    host = _spread(known, which.astype(np.int32))
    page = np.where(host >= 0, _spread(known, named), -1).astype(np.int32)
    proves = viewed_before(corpus, page)
    first = np.zeros(corpus.views, dtype=np.bool_)
    first[corpus.offsets[:-1][corpus.lengths > 0]] = True
    every, within, proven = (
        np.bincount(host[(host >= 0) & which_views], minlength=len(hosts)) for which_views in (True, ~first, proves)
    )
    pairs = np.unique(host[proves].astype(np.int64) * corpus.pages + page[proves])
    several = np.bincount(pairs // max(corpus.pages, 1), minlength=len(hosts)) > 1
    return frozenset(hosts[several & (2 * proven >= within) & (4 * proven >= every)].tolist())


def viewed_before(corpus: Corpus, codes: Codes) -> Flags:
    """Whether a page was viewed earlier in the session of each view; shape (views,).

    Args:
        corpus: The views.
        codes: For each view a page, -1 for none; shape (views,).
    """
    session = corpus.session_of
    found = np.zeros(corpus.views, dtype=np.bool_)
    found[1:] = (codes[1:] == corpus.codes[:-1]) & (session[1:] == session[:-1])
    open_ = np.flatnonzero((codes >= 0) & ~found)
    if len(open_):
        asked = np.zeros(corpus.sessions, dtype=np.bool_)
        asked[session[open_]] = True
        rows = np.flatnonzero(asked[session])
        keys, first = np.unique(session[rows] * corpus.pages + corpus.codes[rows], return_index=True)
        wanted = session[open_] * corpus.pages + codes[open_]
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        found[open_] = (keys[at] == wanted) & (rows[first[at]] < open_)
    return found


def _addresses(texts: pl.Series, site: Site) -> pl.DataFrame:
    """Addresses taken apart: `host`, `page`, and whether it is the `root` of its host, or `rooted` without any."""
    lines = (pl.lit("GET ") + pl.col("text")).alias("request")
    frame = texts.to_frame("text").with_columns(
        pl.col("text").str.extract(ADDRESS).alias("host"),
        pl.col("text").str.starts_with("/").alias("rooted"),
    )
    parts = requests.split(frame.select(lines).to_series(), site.charset)
    frame = pl.concat([frame, parts], how="horizontal").with_columns(pages.page(site.pages).alias("page"))
    frame = frame.with_columns((pl.col("page") == "/").fill_null(False).alias("root"))
    frame = frame.with_columns(pages.hosted()) if site.pages.with_host else frame
    return frame.with_columns(_alike(frame["host"]))


def _alike(hosts: pl.Series) -> pl.Series:
    """Hosts as they are compared."""
    return hosts.str.to_lowercase().str.replace_all(_ALIKE, "")


def _codes(corpus: Corpus, names: pl.Series) -> Codes:
    """The code of each page by its name, -1 for others; shape (names,)."""
    known = pl.DataFrame({"page": corpus.names, "code": np.arange(corpus.pages, dtype=np.int32)})
    found = names.alias("page").to_frame().join(known, on="page", how="left", maintain_order="left")
    return found["code"].fill_null(-1).to_numpy()


def _spread(known: Distinct, of_values: Codes) -> Codes:
    """What was worked out for the distinct texts, for every row; -1 where there is no text."""
    return known.spread(pl.Series(of_values)).fill_null(-1).to_numpy()

"""Request lines -> method, path, query, page and kind, worked out once for each distinct request."""

from functools import partial

import polars as pl

from logparse import pages
from logparse.charsets import UTF8
from logparse.distinct import Distinct
from logparse.rules import PageRules
from logparse.text import map_where, readable

REQUEST = r"(?s)^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (.*?)(?: (HTTP/\d(?:\.\d)?))?$"
"""A request line (RFC 9112, 3): method, target, and since HTTP/1.0 the version."""

METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
VERSIONS = ("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/3")

COLUMNS = ("method", "path", "query", "page", "kind")


def with_requests(frame: pl.DataFrame, rules: PageRules, charset: str = UTF8) -> pl.DataFrame:
    """Replace `request` by `method`, `path`, `query`, `page` and `kind`.

    Args:
        frame: `request` (text; null where there was none) and `host`.
        rules: The page rules.
        charset: That of percent-encoded bytes which are not UTF-8.
    """
    requests = Distinct.of(frame["request"])
    page_and_kind = [pages.page(rules).alias("page"), pages.kind(rules).alias("kind")]
    known = split(requests.values, charset).lazy().with_columns(page_and_kind).collect()
    frame = frame.drop("request").with_columns(requests.spread_frame(known.select(COLUMNS)))
    if requests.codes.null_count():
        frame = frame.with_columns(pl.col("kind").cast(pl.String).fill_null("other"))
    return frame.with_columns(pages.hosted()) if rules.with_host else frame


def split(requests: pl.Series, charset: str = UTF8) -> pl.DataFrame:
    """`method`, `path` and `query` (percent-decoded as far as it is safe) of request lines.

    What is no request (TLS bytes, say) stays whole in `path`, with no method. An absolute target,
    `http://host/path`, loses scheme and host, and a fragment is cut off.
    """
    known = _parts(requests)
    if not known.select(pl.col("target").str.starts_with("/").all()).item() or _any(known["target"], "#"):
        bare = pl.col("target").str.replace(r"^(?i)[a-z][a-z0-9+.-]*://[^/?#]*", "").str.replace(r"(?s)#.*$", "")
        rooted = pl.when(bare.str.contains(r"^(?:\?|$)") & (bare != pl.col("target"))).then("/" + bare).otherwise(bare)
        known = known.with_columns(pl.coalesce(rooted, "request").alias("target"))
    parts = pl.col("target").str.splitn("?", 2).struct.rename_fields(["path", "query"])
    known = known.with_columns(parts.alias("parts")).unnest("parts")
    if known["method"].null_count():
        cut = pl.col("method").is_not_null()
        whole = pl.when(cut).then("path").otherwise("request").alias("path")
        known = known.with_columns(whole, pl.when(cut).then("query").alias("query"))
    known = known.with_columns(_logged())
    decode = partial(readable, charset=charset)
    return known.select(
        "method",
        map_where(known["path"], "%", decode).alias("path"),
        map_where(known["query"], "%", decode).alias("query"),
    )


def _logged() -> list[pl.Expr]:
    """`method` and `path` without a `-` for nothing, as balancers write requests that they could not read: `- - - `."""
    nothing = pl.col("method") == "-"
    path = pl.when(~(nothing & pl.col("path").str.contains("^[- ]*$")).fill_null(False)).then("path")
    return [pl.when(~nothing).then("method").alias("method"), path.alias("path")]


def _parts(requests: pl.Series) -> pl.DataFrame:
    """`request`, and its `method` and `target` (null where it is no request): by `REQUEST`, the plainest by a split."""
    names = ["method", "target", "version"]
    parts = pl.col("request").str.splitn(" ", 3).struct.rename_fields(names).struct.unnest()
    plain = pl.col("method").is_in(METHODS) & pl.col("version").is_in(VERSIONS) & (pl.col("target") != "")
    known = requests.to_frame("request").with_columns(parts).with_columns(plain.fill_null(False).alias("plain"))
    if known["plain"].all():
        return known.drop("version", "plain")
    odd = pl.col("request").str.extract_groups(REQUEST).struct
    rest = known.filter(~pl.col("plain")).with_columns(odd.field("1").alias("method"), odd.field("2").alias("target"))
    # The order of distinct requests is what their codes stand for, so the rest is put back in its places.
    places = known["plain"].arg_true().append((~known["plain"]).arg_true()).arg_sort()
    return pl.concat([known.filter("plain"), rest])[places].drop("version", "plain")


def _any(texts: pl.Series, mark: str) -> bool:
    return bool(texts.str.contains(mark, literal=True).any())

"""Target of a request -> path, query, page, and the kind of the hit (page, asset or other)."""

import re

import polars as pl

from logparse.rules import PageRules


def glob_expression(globs: tuple[str, ...]) -> str:
    """One regular expression for texts that any of the globs matches whole; `*` is anything."""
    parts = [".*".join(re.escape(part) for part in glob.split("*")) for glob in globs]
    return f"(?s)^(?:{'|'.join(parts)})$"


def page(rules: PageRules) -> pl.Expr:
    """The page of a hit from `path` and `query`, without its host; null where the request was none."""
    path = pl.col("path").str.replace_all("//+", "/")
    if rules.lower_case:
        path = path.str.to_lowercase()
    if rules.index:
        names = "|".join(re.escape(name) for name in rules.index)
        path = path.str.replace(f"(?i)/(?:{names})$", "/")
    if rules.numeric_ids:
        path = path.str.replace_all(r"/\d+(/|$)", "/*$1").str.replace_all(r"/\d+(/|$)", "/*$1")
    if not rules.trailing_slash:
        path = pl.when(path.str.len_bytes() > 1).then(path.str.strip_suffix("/")).otherwise(path)
    path = path + _kept_query(rules)
    return pl.when(pl.col("method").is_not_null()).then(path)


def _kept_query(rules: PageRules) -> pl.Expr:
    """`?key=value&...` of the keys that stay, sorted; nothing where none does."""
    if not rules.query_keep:
        return pl.lit("")
    keep = pl.lit(True) if "*" in rules.query_keep else _key().is_in(list(rules.query_keep))
    drop = _key().is_in(list(rules.query_drop))
    kept = pl.col("query").str.split("&").list.eval(pl.element().filter(keep & ~drop & (pl.element() != "")).sort())
    return pl.when(kept.list.len() > 0).then("?" + kept.list.join("&")).otherwise(pl.lit(""))


def _key() -> pl.Expr:
    return pl.element().str.splitn("=", 2).struct.field("field_0")


def kind(rules: PageRules) -> pl.Expr:
    """The kind of a hit: `asset` and `other` by the ending and the path, `page` for the rest that can be viewed."""
    ending = pl.col("path").str.extract(r"\.([A-Za-z0-9]{1,8})$").str.to_lowercase()
    viewed = pl.col("method").is_in(list(rules.methods))
    other = ending.is_in(list(rules.others))
    if rules.other_paths:
        other = other | pl.col("path").str.contains(glob_expression(rules.other_paths))
    return (
        pl.when(ending.is_in(list(rules.assets)))
        .then(pl.lit("asset"))
        .when(other.fill_null(False) | ~viewed.fill_null(False))
        .then(pl.lit("other"))
        .otherwise(pl.lit("page"))
    )


def hosted() -> pl.Expr:
    """The page with its virtual host, in lower case, before the path."""
    host = pl.col("host").cast(pl.String).str.to_lowercase().fill_null("")
    return (host + pl.col("page").cast(pl.String)).alias("page")


def with_pages(frame: pl.DataFrame, rules: PageRules) -> pl.DataFrame:
    """Add `page` and `kind` to hits that have `method`, `path`, `query` and `host`."""
    frame = frame.with_columns(page(rules).alias("page"), kind(rules).alias("kind"))
    return frame.with_columns(hosted()) if rules.with_host else frame

"""The section `site` of the configuration: what the pages of the site are about, for every plugin that asks."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from crm.errors import Unusable

if TYPE_CHECKING:
    import polars as pl

    from crm.plugins import PluginHost

_GROUP = re.compile(r"\$(\d+)")


def _pattern(page: str) -> str:
    return "(?s)^" + "(.*)".join(re.escape(part) for part in page.split("*")) + "$"


class PageRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pages, and what they are of."""

    page: Annotated[str, Meta(min_length=1, description="pages, with * for anything")]

    @property
    def of(self) -> str:
        """What they are of, with `$n` for what the n-th `*` stands for."""
        raise NotImplementedError

    def pattern(self) -> str:
        """The regular expression that the pages match, with a group for each `*`."""
        return _pattern(self.page)

    def replacement(self) -> str:
        """What they are of as Polars writes replacements: `${1}`, and `$$` for a dollar."""
        parts = _GROUP.split(self.of)
        return "".join(f"${{{part}}}" if at % 2 else part.replace("$", "$$") for at, part in enumerate(parts))

    def missing(self) -> str | None:
        """The first `$n` for which `page` has no `*`; None if there is none."""
        stars = self.page.count("*")
        return next((found[0] for found in _GROUP.finditer(self.of) if not 1 <= int(found[1]) <= stars), None)


class CategoryRule(PageRule, frozen=True, kw_only=True):
    """Pages of one category, or of categories that their names tell."""

    category: Annotated[
        str,
        Meta(min_length=1, description="their category; $1 is what the first * of `page` stands for, $2 the second"),
    ]

    @property
    def of(self) -> str:
        """The category."""
        return self.category


class ItemRule(PageRule, frozen=True, kw_only=True):
    """Pages of one item of the catalogue, or of items whose ids their names tell."""

    item: Annotated[
        str,
        Meta(min_length=1, description="id of their item; $1 is what the first * of `page` stands for, $2 the second"),
    ]

    @property
    def of(self) -> str:
        """The item's id."""
        return self.item


class SearchRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pages that show what was found for a term."""

    page: Annotated[str, Meta(min_length=1, description="pages, with * for anything")]
    parameter: Annotated[str, Meta(min_length=1, description="parameter of the query that holds the term")] = "q"


class CartRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Requests that put the item viewed last in the session into the cart."""

    path: Annotated[str, Meta(min_length=1, description="paths of requests, with * for anything")]
    method: Annotated[str, Meta(min_length=1, description="their method")] = "POST"


class SiteConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the pages of the site are about."""

    categories: Annotated[
        tuple[CategoryRule, ...],
        Meta(description="Categories of pages; the first rule that fits a page counts, and a page may have none."),
    ] = ()
    items: Annotated[
        tuple[ItemRule, ...],
        Meta(description="Items of the catalogue that pages are of; the first rule that fits a page counts."),
    ] = ()
    searches: Annotated[
        tuple[SearchRule, ...], Meta(description="Pages that show what was found for a term; read by `crm logs mine`.")
    ] = ()
    carts: Annotated[
        tuple[CartRule, ...],
        Meta(description="Requests that put the item viewed last into the cart; read by `crm logs mine`."),
    ] = ()

    def check(self, _host: "PluginHost") -> None:
        """See whether every `$n` has its `*`; `crm config check` asks for it.

        Raises:
            Unusable: one has none.
        """
        for name, rules in (("categories", self.categories), ("items", self.items)):
            for at, rule in enumerate(rules):
                if missing := rule.missing():
                    key = name.removesuffix("s") if name == "items" else "category"
                    raise Unusable(f"`site.{name}[{at}].{key}`: {missing} has no * in `{rule.page}` to stand for")

    def category_of(self, pages: "pl.Series") -> "pl.Series":
        """The category of each page, null where no rule fits; shape (pages,).

        Raises:
            Unusable: a rule cannot be used.
        """
        return self._of(pages, self.categories).alias("category")

    def item_of(self, pages: "pl.Series") -> "pl.Series":
        """The id of the item of each page, null where no rule fits; shape (pages,).

        Raises:
            Unusable: a rule cannot be used.
        """
        return self._of(pages, self.items).alias("item")

    def is_search(self, pages: "pl.Series") -> "pl.Expr":
        """Whether each page, in the column of this name, shows what was found for a term."""
        import polars as pl

        return pl.any_horizontal(
            pl.lit(False), *(pl.col(pages.name).str.contains(_pattern(rule.page)) for rule in self.searches)
        )

    def _of(self, pages: "pl.Series", rules: "Sequence[PageRule]") -> "pl.Series":
        import polars as pl

        self.check(None)  # type: ignore[arg-type]  # it looks at no plugin
        page = pl.col(pages.name)
        fitting = [
            pl.when(page.str.contains(rule.pattern())).then(page.str.replace(rule.pattern(), rule.replacement()))
            for rule in rules
        ]
        return pages.to_frame().with_columns(pl.coalesce(*fitting, pl.lit(None, dtype=pl.String)).alias("of"))["of"]

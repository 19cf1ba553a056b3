"""The section `site` of the configuration: what the pages of the site are about, for every plugin that groups them."""

import re
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from crm.errors import Unusable

if TYPE_CHECKING:
    import polars as pl

    from crm.plugins import PluginHost

_GROUP = re.compile(r"\$(\d+)")


class CategoryRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pages of one category, or of categories that their names tell."""

    page: Annotated[str, Meta(min_length=1, description="pages, with * for anything")]
    category: Annotated[
        str,
        Meta(min_length=1, description="their category; $1 is what the first * of `page` stands for, $2 the second"),
    ]

    def pattern(self) -> str:
        """The regular expression that the pages match, with a group for each `*`."""
        return "(?s)^" + "(.*)".join(re.escape(part) for part in self.page.split("*")) + "$"

    def replacement(self) -> str:
        """The category as Polars writes replacements: `${1}`, and `$$` for a dollar."""
        parts = _GROUP.split(self.category)
        return "".join(f"${{{part}}}" if at % 2 else part.replace("$", "$$") for at, part in enumerate(parts))

    def missing(self) -> str | None:
        """The first `$n` for which `page` has no `*`; None if there is none."""
        stars = self.page.count("*")
        return next((found[0] for found in _GROUP.finditer(self.category) if not 1 <= int(found[1]) <= stars), None)


class SiteConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the pages of the site are about."""

    categories: Annotated[
        tuple[CategoryRule, ...],
        Meta(description="Categories of pages; the first rule that fits a page counts, and a page may have none."),
    ] = ()

    def check(self, _host: "PluginHost") -> None:
        """See whether every `$n` has its `*`; `crm config check` asks for it.

        Raises:
            Unusable: one has none.
        """
        for at, rule in enumerate(self.categories):
            if missing := rule.missing():
                raise Unusable(f"`site.categories[{at}].category`: {missing} has no * in `{rule.page}` to stand for")

    def category_of(self, pages: "pl.Series") -> "pl.Series":
        """The category of each page, null where no rule fits; shape (pages,).

        Raises:
            Unusable: a rule cannot be used.
        """
        import polars as pl

        self.check(None)  # type: ignore[arg-type]  # it looks at no plugin
        page = pl.col(pages.name)
        fitting = [
            pl.when(page.str.contains(rule.pattern())).then(page.str.replace(rule.pattern(), rule.replacement()))
            for rule in self.categories
        ]
        return (
            pages.to_frame().select(pl.coalesce(*fitting, pl.lit(None, dtype=pl.String)).alias("category")).to_series()
        )

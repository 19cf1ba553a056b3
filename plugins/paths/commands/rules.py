"""`crm paths rules`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.options import SHARE
from crm.output import table_output
from plugins.paths.options import LIFT, current_source, from_sessions, max_items, min_support

if TYPE_CHECKING:
    import polars as pl

    from plugins.paths.support import Support


@click.command(name="rules")
@min_support("0.01")
@click.option(
    "--min-confidence",
    type=SHARE,
    default=0.5,
    show_default=True,
    metavar="SHARE",
    help="Share of the sessions with the antecedent that have the consequent, too, at least.",
)
@click.option(
    "--min-lift",
    type=LIFT,
    default=0.0,
    show_default=True,
    metavar="N",
    help="How many times as often, at least, as if both had nothing to do with each other.",
)
@max_items
@click.option(
    "--max-consequent", type=click.IntRange(min=1), default=1, show_default=True, help="Most pages of a consequent."
)
@click.option(
    "--significance",
    type=SHARE,
    default=0.05,
    show_default=True,
    metavar="P",
    help="Largest p-value of a rule, corrected for the number of rules tried.",
)
@click.option("--all", "everything", is_flag=True, help="Keep redundant and insignificant rules.")
@from_sessions
@table_output(columns="antecedent consequent support confidence lift leverage conviction p_value")
@pass_app
def command(
    app: App,
    min_support: "Support",
    min_confidence: float,
    min_lift: float,
    max_items: int | None,
    max_consequent: int,
    significance: float,
    everything: bool,
) -> "pl.DataFrame":
    """Find which pages imply which others in a session.

    Of the sessions that viewed all pages of `antecedent`, the share `confidence` also viewed `consequent`, in
    whatever order. `support` is the share of all sessions that viewed both, `lift` the confidence divided by the
    share of all sessions with the consequent, `leverage` by how much support exceeds what chance would give,
    `conviction` how many times as often the rule would fail by chance (infinite where it always holds). `p_value` is
    Fisher's exact test, corrected for all rules that were tried (Benjamini and Hochberg).

    A rule is left out as redundant where one with fewer pages in front, or none, is as sure, and as insignificant where
    it may be chance; --all keeps both. The surest come first, then by support and name.

    \b
    Examples:
      crm paths rules --min-support 5% --min-confidence 0.8
      crm paths rules --by category --max-consequent 2
      crm paths rules --input groceries.csv --input-format baskets \\
          --min-support 0.001 --min-confidence 0.8 --all
    """
    from plugins.paths.itemsets import itemsets
    from plugins.paths.rules import Choice, rules
    from plugins.paths.telling import left_out, mined_corpus, most_candidates, tell_rules

    corpus = mined_corpus(app, current_source(app))
    least = min_support.count(corpus.sessions)
    sets = itemsets(corpus, least, max_items=max_items, most=most_candidates(app))
    left_out(app, "sets", least, sets.minimum)
    choice = Choice(min_confidence, min_lift, max_consequent, significance, everything)
    found = rules(sets.groups, corpus.names, corpus.sessions, choice)
    tell_rules(app, found, everything=everything)
    return found.frame

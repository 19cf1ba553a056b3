"""What a report is made of: for each section the command whose rows it shows, and how they are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from crm.errors import Unusable
from crm.nearest import did_you_mean, one_of
from plugins.report.charts import customers, paths, tickets, traffic

if TYPE_CHECKING:
    import polars as pl

    from plugins.report.config import ReportConfig

Spec: TypeAlias = "dict[str, object]"
Chart: TypeAlias = "Callable[[pl.DataFrame], Spec]"


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        id: Its name in the configuration and in links.
        part: The heading under which it stands.
        title: What is to be seen.
        words: The command, without `crm`.
        chart: Its rows -> a chart in Vega-Lite; they are not empty.
        says: A sentence on how to read it.
        needs: Columns without which there is nothing to see.
    """

    id: str
    part: str
    title: str
    words: tuple[str, ...]
    chart: Chart
    says: str = ""
    needs: tuple[str, ...] = ()

    def has(self, rows: "pl.DataFrame") -> bool:
        """Whether there is something to see: in each column of `needs` a value, and of numbers one that is not 0."""
        values = (rows[name].drop_nulls() for name in self.needs)
        return all((each != 0).any() if each.dtype.is_numeric() else len(each) for each in values)


TRAFFIC: Final = "Traffic"
PATHS: Final = "Paths"
CUSTOMERS: Final = "Customers"
TICKETS: Final = "Tickets"

SECTIONS: Final = (
    Section("days", TRAFFIC, "Traffic by day", ("logs", "traffic", "--by", "day"), traffic.days,
            "Sessions are made of views; other hits are filtered: those of robots, and images, errors and the like."),
    Section("lines", TRAFFIC, "Where the lines of logs went", ("logs", "status"), traffic.lines,
            "Every line is a hit, filtered by a rule, rejected, or blank."),
    Section("hours", TRAFFIC, "Visits by hour and weekday", ("paths", "times"), traffic.hours),
    Section("pages", PATHS, "Pages", ("paths", "pages", "-n", "25"), paths.pages,
            "The colour is the exit rate: for how many of the views the page was the last of the session."),
    Section("flows", PATHS, "From the first page to the last", ("paths", "flows", "-n", "60"), paths.flows,
            f"Drawn are the {paths.PAGES} first and the {paths.PAGES} last pages of most sessions."),
    Section("transitions", PATHS, "Steps between pages", ("paths", "transitions", "-n", "60"), paths.transitions,
            f"Drawn are {paths.PAGES} pages: a line goes from one to the next, where its dot is; wider is more often."),
    Section("patterns", PATHS, "Patterns", ("paths", "patterns", "-n", "25"), paths.patterns,
            "Pages that many sessions view in this order, with others between them or not."),
    Section("rules", PATHS, "Rules", ("paths", "rules", "-n", "25"), paths.rules,
            "Sessions with the first pages have the second so many times as often as all have; the colour: how often."),
    Section("clusters", PATHS, "Sessions that are alike", ("paths", "clusters"), paths.clusters),
    Section("rfm", CUSTOMERS, "Customers by recency and frequency", ("customers", "rfm", "--grid"), customers.grid,
            "Scores from 1 to 5, the best; the darker, the more customers."),
    Section("segments", CUSTOMERS, "Segments", ("customers", "segments"), customers.segments),
    Section("interests", CUSTOMERS, "Interests", ("interest", "summary", "--level", "3", "-n", "25"),
            customers.interests, "The sum of the weights of all people, by category of level 3."),
    Section("effect", CUSTOMERS, "What campaigns have brought", ("push", "effect"), customers.effect,
            "Shares with their interval of 95 %."),
    Section("pareto", TICKETS, "What repairs cost, by cause of the fault",
            ("tickets", "quality", "--by", "fault_cause", "-n", "25"), tickets.pareto,
            "The dearest first; the line is the running share.", needs=("fault_cause", "loss")),
    Section("warnings", TICKETS, "Early warnings", ("tickets", "warnings", "--no-store"), tickets.warnings,
            "So many times as many tickets as vehicles and usual rates let expect."),
)  # fmt: skip
"""All sections but the funnel, in their order."""

FUNNEL: Final = "funnel"
IDS: Final = (*(each.id for each in SECTIONS), FUNNEL)
"""The ids of all sections."""


def sections(config: "ReportConfig") -> list[Section]:
    """The sections that a configuration wants.

    Raises:
        Unusable: it names one that there is not.
    """
    unknown = [name for name in config.without if name not in IDS]
    if unknown:
        near = did_you_mean(unknown[0], IDS)
        raise Unusable(f"report.without: there is no section `{unknown[0]}`{near}; there are: {one_of(IDS)}")
    found = list(SECTIONS)
    if config.funnel:
        at = next(number for number, each in enumerate(found) if each.id == "flows")
        words = ("paths", "funnel", *config.funnel)
        funnel = Section(
            FUNNEL,
            PATHS,
            "Funnel",
            words,
            paths.funnel,
            "How many sessions go how far, in this order.",
            needs=("sessions",),
        )
        found.insert(at, funnel)
    return [each for each in found if each.id not in config.without]

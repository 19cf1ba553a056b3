"""Contracts of the tables that `paths` owns.

Some are sums by date, so that any span of dates is their sum; others are made of the newest sessions.
"""

from crm.tables import Column, Table

PAGES = Table(
    "pages",
    "Pages by the UTC date on which their sessions began.",
    (
        Column("date", "date", "UTC date of the session's start"),
        Column("page", "string", "the page"),
        Column("views", "int64", "how often it was viewed"),
        Column("sessions", "int64", "in how many sessions"),
        Column("entries", "int64", "sessions that began with it"),
        Column("exits", "int64", "sessions that ended with it"),
        Column("bounces", "int64", "sessions that viewed nothing else"),
        Column("timed", "int64", "views that another view followed"),
        Column("dwell_s", "float64", "time from these to the next view, summed", unit="seconds"),
    ),
    owner="paths",
)

TRANSITIONS = Table(
    "transitions",
    "Steps from a view to the next in the same session, by the UTC date on which the session began.",
    (
        Column("date", "date", "UTC date of the session's start"),
        Column("page", "string", "the page that was left"),
        Column("next", "string", "the page that was viewed next"),
        Column("count", "int64", "how often"),
        Column("sessions", "int64", "in how many sessions"),
    ),
    owner="paths",
)

TOP_PATHS = Table(
    "top_paths",
    "The most frequent whole paths by the UTC date on which their sessions began.",
    (
        Column("date", "date", "UTC date of the sessions' start"),
        Column("path", "list[string]", "pages of the views in order"),
        Column("length", "int64", "how many views"),
        Column("sessions", "int64", "how many sessions have it"),
    ),
    owner="paths",
)

PATTERNS = Table(
    "patterns",
    "Sequences of pages that many of the newest sessions share, other views between or not.",
    (
        Column("pattern", "string", "the pages in order, with ` > ` between"),
        Column("length", "int64", "how many pages"),
        Column("support", "int64", "in how many sessions"),
        Column("share", "float64", "in which share of the sessions"),
    ),
    owner="paths",
    by_date=False,
)

RULES = Table(
    "rules",
    "Which pages imply which others in the newest sessions.",
    (
        Column("antecedent", "string", "the pages in front, by name, with `, ` between"),
        Column("consequent", "string", "the pages behind"),
        Column("support", "float64", "share of the sessions that have all"),
        Column("confidence", "float64", "share of the sessions with the antecedent that have the consequent"),
        Column("lift", "float64", "confidence by the share of all sessions with the consequent"),
        Column("leverage", "float64", "by how much support exceeds what chance would give"),
        Column("conviction", "float64", "how many times as often the rule would fail by chance"),
        Column("p_value", "float64", "Fisher's exact test, corrected for all rules tried"),
    ),
    owner="paths",
    by_date=False,
)

TABLES = (PAGES, TRANSITIONS, TOP_PATHS, PATTERNS, RULES)

"""Contracts of the tables that `paths` owns: sums by date, so that any span of dates is their sum."""

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

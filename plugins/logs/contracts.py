"""Contracts of the tables that `logs` owns."""

from crm.tables import Column, Table

HITS = Table(
    "hits",
    "One row a stored line of a log.",
    (
        Column("date", "date", "UTC date of `ts`"),
        Column("ts", "timestamp", "when the server logged the request, UTC"),
        Column("visitor", "int64", "who sent it: a keyed hash of cookie, query id, or address and user agent"),
        Column("login", "string", "the user name that the server logged", mask="name"),
        Column("address", "string", "the client's address, as the rules let it be stored", mask="address"),
        Column("host", "string", "the virtual host"),
        Column("method", "string", "request method; null where the request was none"),
        Column("path", "string", "path as requested, percent-decoded as far as it is safe"),
        Column("page", "string", "path made one by the page rules"),
        Column("query", "string", "query string, percent-decoded as far as it is safe"),
        Column("status", "int16", "status of the response"),
        Column("bytes", "int64", "size of the response", unit="bytes"),
        Column("referrer", "string", "where the request came from"),
        Column("agent", "string", "user agent"),
        Column("bot", "string", "name of the robot; null for all others"),
        Column("kind", "string", "page, asset or other"),
        Column("source", "int64", "number of the source, as `logs status` shows it"),
        Column("line", "int64", "number of the line in its source, from 1"),
        Column("run", "int64", "number of the run that stored it"),
    ),
    owner="logs",
    person="login",
)

SESSIONS = Table(
    "sessions",
    "One row a session: one visitor's hits without a long gap, with at least one view; none of robots by name.",
    (
        Column("date", "date", "UTC date of `start`"),
        Column("session", "int64", "id"),
        Column("visitor", "int64", "whose"),
        Column("customer", "string", "the login of the session, also for its hits before the login", mask="name"),
        Column("start", "timestamp", "first hit, UTC"),
        Column("end", "timestamp", "last hit, UTC"),
        Column("duration_s", "float64", "from the first hit to the last", unit="seconds"),
        Column("hits", "int64", "hits of any kind"),
        Column("views", "int64", "views"),
        Column("entry", "string", "page of the first view"),
        Column("exit", "string", "page of the last view"),
        Column("bot", "string", "why its run is taken for a robot's by behaviour; null for people"),
        Column("path", "list[string]", "pages of the views in order"),
        Column("times", "list[timestamp]", "times of the views in order, UTC"),
    ),
    owner="logs",
    person="customer",
)

SOURCES = Table(
    "sources",
    "The ledger: what each run read of each source. A row counts once its run has been committed.",
    (
        Column("source", "int64", "number of the source"),
        Column("run", "int64", "number of the run"),
        Column("fingerprint", "string", "hash of the first 4 KiB of lines that are no comments"),
        Column("head", "int64", "how much of them the hash covers", unit="bytes"),
        Column("offset", "int64", "where the next run goes on, in uncompressed bytes", unit="bytes"),
        Column("tail", "string", "hash of the last line read"),
        Column("tail_bytes", "int64", "its length", unit="bytes"),
        Column("format", "string", "name of the log format"),
        Column("pattern", "string", "pattern of the log format"),
        Column("charset", "string", "its charset"),
        Column("tz", "string", "time zone of its times; empty where they have an offset"),
        Column("cut", "string", "what became of its last line, if that was read without its end, JSON"),
        Column("name", "string", "path under which it was read last"),
        Column("first_ts", "timestamp", "time of its first hit"),
        Column("newest_ts", "timestamp", "latest time of a hit of this run"),
        Column("lines", "int64", "lines read by this run"),
        Column("hits", "int64", "lines stored by this run"),
        Column("blank", "int64", "empty lines and comments"),
        Column("filtered", "string", "lines dropped by rules, by reason, JSON"),
        Column("rejected", "string", "lines that could not be parsed, by reason, JSON"),
    ),
    owner="logs",
    store="records",
    by_date=False,
    key=("source", "run"),
    local=True,
)

FILES = Table(
    "files",
    "What was known of each path when it was read last; only says that a file need not be opened.",
    (
        Column("name", "string", "absolute path"),
        Column("size", "int64", "size of the file", unit="bytes"),
        Column("mtime_ns", "int64", "time of its last change; -1 if too recent to trust", unit="ns since 1970"),
        Column("inode", "int64", "inode"),
        Column("source", "int64", "number of the source in it"),
        Column("run", "int64", "number of the run that wrote this row"),
    ),
    owner="logs",
    store="records",
    by_date=False,
    key=("name",),
    local=True,
)

RUNS = Table(
    "runs",
    "One row a run that wrote to the workspace.",
    (
        Column("run", "int64", "number of the run"),
        Column("kind", "string", "mine, drop, prune or rebuild"),
        Column("started", "timestamp", "when it began"),
        Column("rules", "string", "the rules by which it worked, JSON"),
        Column("dropped", "string", "numbers of the sources that it dropped, or the date to which it pruned, JSON"),
        Column("version", "string", "version of the program"),
    ),
    owner="logs",
    store="records",
    by_date=False,
    key=("run",),
    local=True,
)

TABLES = (HITS, SESSIONS, SOURCES, FILES, RUNS)

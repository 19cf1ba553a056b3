"""The rules that a user may change, each a section of the configuration: plain data, checked by msgspec."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class BehaviourRules(msgspec.Struct, frozen=True, kw_only=True):
    """By what a run is taken for a robot's, whatever its user agent says.

    Attributes:
        robots_txt: It asks for /robots.txt.
        no_assets: It has so many views, or more, and not one asset; None to leave this aside.
        rate_views: So many of its views in a row are no further apart than `rate_window`; None to leave this aside.
        rate_window: From the first of them to the last.
    """

    robots_txt: bool = True
    no_assets: int | None = 30
    rate_views: int | None = 60
    rate_window: timedelta = timedelta(minutes=1)


class SessionRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a visitor's hits are cut into sessions, and whose they are.

    Attributes:
        idle: A longer gap between two hits ends the session.
        max_length: Longest time from the first hit of a session to its last; None for no limit.
        max_hits: Most hits in one session; None for no limit.
        new_referrer: A view that comes from another site than before begins a session.
        sites: Host names of the site itself, for `new_referrer`, beside the logged virtual host.
        robots: By what runs are taken for a robot's; None to judge none.
    """

    idle: timedelta = timedelta(minutes=30)
    max_length: timedelta | None = None
    max_hits: int | None = None
    new_referrer: bool = False
    sites: tuple[str, ...] = ()
    robots: BehaviourRules | None = None


class VisitorRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who a visitor is, and how an address is stored."""

    cookie: Annotated[str, Meta(description="the logged cookie that names the visitor")] = ""
    query_key: Annotated[str, Meta(description="the key of the query string that names the visitor")] = ""
    forwarded: Annotated[
        Literal["first", "last", "ignore"],
        Meta(description="which address of a logged X-Forwarded-For is the client's"),
    ] = "first"
    addresses: Annotated[
        Literal["full", "truncated", "none"],
        Meta(description="how addresses are stored; truncated keeps /24 of IPv4 and /48 of IPv6"),
    ] = "truncated"


class PageRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a path becomes a page, and which hits are pages at all."""

    query_keep: Annotated[
        tuple[str, ...], Meta(description='keys of the query string that stay in the page; ["*"] keeps all')
    ] = ()
    query_drop: Annotated[
        tuple[str, ...], Meta(description="keys that never stay in the page, whatever query_keep says")
    ] = ()
    index: Annotated[tuple[str, ...], Meta(description="file names that stand for their folder")] = (
        "index.html",
        "index.htm",
        "index.php",
        "index.jsp",
        "default.aspx",
        "default.asp",
    )
    numeric_ids: Annotated[
        bool, Meta(description="a path segment of digits alone becomes `*`: /item/17 is /item/*")
    ] = False
    trailing_slash: Annotated[bool, Meta(description="keep the slash at the end of a path")] = False
    lower_case: Annotated[bool, Meta(description="paths that differ in case alone are one page")] = False
    with_host: Annotated[bool, Meta(description="put the virtual host, in lower case, before the path")] = False
    assets: Annotated[
        tuple[str, ...], Meta(description="endings of paths that belong to a page and are no view")
    ] = (
        "css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "svg", "ico",
        "webp", "avif", "bmp", "tif", "tiff", "woff", "woff2", "ttf", "otf", "eot",
        "mp3", "mp4", "m4a", "webm", "ogg", "ogv", "wav", "flv", "wasm",
    )  # fmt: skip
    others: Annotated[tuple[str, ...], Meta(description="endings of paths that are neither page nor asset")] = (
        "txt",
        "xml",
        "json",
        "rss",
        "atom",
        "zip",
        "gz",
        "tgz",
        "bz2",
        "xz",
        "7z",
        "rar",
        "exe",
        "iso",
        "dmg",
    )
    other_paths: Annotated[
        tuple[str, ...], Meta(description="paths, with * for anything, that are neither page nor asset")
    ] = ("/api/*", "/.well-known/*")
    methods: Annotated[tuple[str, ...], Meta(description="request methods that can view a page")] = ("GET", "POST")


class DropRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hits that are not stored: those for which every condition that is given holds."""

    name: Annotated[str, Meta(min_length=1, description="the reason under which dropped hits are counted")]
    path: Annotated[tuple[str, ...], Meta(description="paths, with * for anything")] = ()
    page: Annotated[tuple[str, ...], Meta(description="pages, as the page rules make them, with * for anything")] = ()
    status: Annotated[tuple[int, ...], Meta(description="statuses")] = ()
    host: Annotated[tuple[str, ...], Meta(description="virtual hosts, with * for anything")] = ()
    method: Annotated[tuple[str, ...], Meta(description="request methods")] = ()
    agent: Annotated[tuple[str, ...], Meta(description="user agents, with * for anything")] = ()
    address: Annotated[tuple[str, ...], Meta(description="client addresses, with * for anything")] = ()


class RobotRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which hits are a robot's by the name of its user agent."""

    agents: Annotated[tuple[str, ...], Meta(description="further user agents of robots, with * for anything")] = ()
    humans: Annotated[tuple[str, ...], Meta(description="user agents that are no robots, whatever the list says")] = ()


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All rules by which hits are made of lines."""

    visitors: VisitorRules = VisitorRules()
    pages: PageRules = PageRules()
    robots: RobotRules = RobotRules()
    drop: tuple[DropRule, ...] = ()
    charset: str = "utf-8"
    """Codec of the logs' bytes (`logparse.charsets.charset`)."""
    tz: str = "UTC"
    """Time zone of times without an offset, by its name in the tz database."""

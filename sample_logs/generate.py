"""Write the sample web log of a small online shop, and beside it what is true of it.

Visitors are simulated, one session after another, and their hits are then mixed by time as on a server. So
the truth is known while the log is made and needs no parser, which makes it a fair check of any parser.

A session is a script of words for ``Browser.play``: ``/cart`` (view that page), ``POST:302:/cart`` (method,
status, target), ``+60`` (the next hit comes 60 s after the last), ``as:li.wei`` (log in), ``out`` (be logged
in no more), ``from:URL`` (come from there).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import quote

from shop_robots import REASONS, ROBOTS, crawl, disguise

Trip = tuple[str, int, bool]  # kind of session, steps of the funnel, whether it reads the shipping help
SITE = "https://shop.example"
ZONE = timezone(timedelta(hours=8))
FIRST_DAY = int(datetime(2026, 3, 2, tzinfo=ZONE).timestamp())
DAYS, DAY, HOUR, IDLE = 14, 86_400, 3600, 1800
# Level-3 categories, and what people type to find them.
CATEGORIES = """food/grain/rice food/grain/noodles food/oil/peanut food/oil/sesame home/kitchen/wok
home/kitchen/knife home/bath/towel baby/care/diaper sport/shoes/running digital/phone/android
digital/phone/case digital/audio/earphone""".split()  # noqa: SIM905 - shorter
TERMS = "大米 面条 花生油 芝麻油 炒锅 菜刀 毛巾 纸尿裤 跑鞋 手机 手机壳 耳机".split()  # noqa: SIM905 - shorter
ITEMS = {str(1001 + n): CATEGORIES[n // 5] for n in range(5 * len(CATEGORIES))}
RULE = ["/c/food/grain/rice", "/c/food/oil/peanut"]
PATTERN = ["/help/shipping", "/cart"]
FUNNEL = ["/cart", "/checkout", "/checkout/pay", "/order/done"]
REACH = [90, 66, 48, 36]  # sessions that get at least as far as each step of the funnel
GUEST_CARTS = 10  # of those that stop at the cart
DEAD_LINKS = ["/sale/2025", "/item/9999", "/c/food/tea/puer"]
UNTIDY = {"/": "/index.html", "/c/food": "/c/food/", "/help/shipping": "/help/shipping/"}
LOGINS = """li.wei wang.fang zhang.min liu.yang chen.jing yang.lei zhao.na huang.bo zhou.ting wu.hao xu.mei
sun.qiang hu.lan zhu.ming gao.xin lin.yue he.jun guo.ping ma.chao luo.dan liang.yi song.kai zheng.shu xie.wen
han.bing feng.ye yu.qing dong.liang xiao.he cheng.fei cao.ying yuan.zhi deng.hui""".split()  # noqa: SIM905 - shorter
KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/122.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:123.0) Gecko/20100101 Firefox/123.0",
    f"{IPHONE} Version/17.3 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.47 NetType/WIFI Language/zh_CN",
    f"Mozilla/5.0 (Linux; Android 13; PGT-AN00) {KIT} Chrome/114.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 12; NOH-AN00) {KIT} Chrome/99.0.4844.88 HuaweiBrowser/14.0.2",
]
QUOTED_AGENT = f'Mozilla/5.0 (Linux; Android 13; "K 60") {KIT} Chrome/114.0.0.0 Mobile Safari/537.36'
ASSETS = ["/static/site.css?v=12", "/static/site.js", "/static/logo.png", "/favicon.ico"]
ENGINES = ["https://www.baidu.com/s?wd=", "https://cn.bing.com/search?q=", "https://www.sogou.com/web?query="]
CASES = [  # planted edge cases, each in a browser of its own
    ("gap_of_the_limit", "/c/home/kitchen/wok /item/1021 +1800 /c/home/kitchen/knife"),
    ("gap_over_the_limit", "/c/home/kitchen/wok /item/1022 +1801 /c/home/kitchen/knife"),
    ("kept_by_an_asset", "/item/1021 +1200 GET:200:/img/item/1021-2.png +1200 /item/1022"),
    ("second_login", "/ as:li.wei +1 / GET:302:/logout out +1 / as:wang.fang +1 / /c/home"),
    ("second_login", "/ as:hu.lan +1 / /c/home as:gao.xin +1 / /c/sport"),  # over the first one's login
    ("escaped_referrer", "from:https://www.so.com/s?q=炒锅 /c/home/kitchen/wok /item/1023"),
    ("escaped_referrer", 'from:https://forum.example/t?title="好用的炒锅" /item/1023 /c/home/kitchen/wok'),
    ("odd_spelling", "/ /c/food /c/digital/phone/case /item/1046 /help/退货 /help/shipping"),
    ("head", "HEAD:200:/item/1031 +2 /item/1031"),
    ("error_first", "GET:404:/sale/2025 /"),
    ("session_then_assets", "/c/home/bath/towel +7200 GET:200:/img/item/1031.png GET:304:/favicon.ico"),
    ("no_view", "from:https://forum.example/t/88 GET:200:/img/item/1001.png GET:200:/img/item/1002.png"),
    ("no_view", "GET:404:/item/9999 GET:404:/sale/2025"),
    ("no_view", "GET:404:/sale/2025 GET:500:/search?q=米 +1 GET:200:/favicon.ico GET:404:/static/old.css"),
    ("no_view", "GET:200:/api/cart GET:302:/checkout"),
    ("no_request", r"RAW:400:\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("no_request", "RAW:408:- RAW:408:-"),
]
BROKEN = [
    '198.51.100.9 - - [05/Mar/2026:11:02:17 +0800] "GET /c/food/oil/pea',
    f'198.51.100.9 - - [09/Mar/2026:20:41:05 +0800] "GET / HTTP/1.1" 200 8123 "{SITE}/" "Mozilla/5.0 (Wind',
    *("worker 3 stopped: out of memory", "服务器重新启动", '"GET / HTTP/1.1" 200'),
]
BLANK = ["", "# log turned over at midnight", "", "#Software: sample"]


class Hit(NamedTuple):
    """One request, as far as the truth needs it, and its line in the log."""

    time: int
    visitor: tuple[str, str]
    status: int
    kind: str
    referrer: str | None
    line: str


@dataclass
class Visit:
    """A session, if it holds a view and is no named robot's; ``kind``: of session, or what robot it is and why."""

    visitor: tuple[str, str]  # whom the server can tell apart: address and user agent, unescaped
    kind: str
    case: str = ""
    customer: str | None = None
    hits: list[Hit] = field(default_factory=list)
    path: list[str] = field(default_factory=list)


class Shop:
    """All visits so far, and the visitors with the days on which they have not come yet."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.visits: list[Visit] = []
        self.days: dict[tuple[str, str], list[int]] = {}
        # Addresses reserved for documentation (RFC 5737, RFC 3849), nobody's real ones; some are shared.
        hosts = [f"{net}.{n}" for net in ("192.0.2", "198.51.100", "203.0.113") for n in range(10, 240, 5)]
        hosts += [f"2001:db8:{n:x}::{n * n:x}" for n in range(30, 60)]
        self.hosts = self.dice.sample(hosts + hosts[::6], len(hosts + hosts[::6]))

    def newcomer(self, agent: str = "") -> tuple[str, str]:
        """Return a visitor who has not been here before."""
        visitor = self.hosts.pop(), agent or self.dice.choice(AGENTS)
        if visitor in self.days:
            return self.newcomer(agent)
        self.days[visitor] = self.dice.sample(range(DAYS), DAYS)
        return visitor

    def enter(self, visitor: tuple[str, str], kind: str, case: str = "", hour: float = 0) -> Browser:
        """Begin a visit, at that hour of the log or on a fresh day, so that a visitor's visits lie apart."""
        hour = hour or self.days[visitor].pop() * 24 + self.dice.uniform(7.5, 21.5)
        return Browser(self, Visit(visitor, kind, case), FIRST_DAY + int(hour * HOUR))


class Browser:
    """One visitor's browser: its clock (the time of its last hit), login, cache, and what it shows."""

    def __init__(self, shop: Shop, visit: Visit, start: int) -> None:
        self.visits, self.dice, self.visit, self.clock = shop.visits, shop.dice, visit, start
        self.login: str | None = None
        self.cached: set[str] = set()
        self.protocol = self.dice.choice(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/2.0"])
        self.shown: str | None = None
        self.listing: str | None = None  # items are opened from the last list, which the cache shows again
        self.visits.append(visit)

    def send(self, method: str, target: str, status: int, after: int) -> None:
        """Log one request, ``after`` so many seconds."""
        self.clock += after
        (address, agent), page = self.visit.visitor, target.partition("?")[0]
        kind = "asset" if page.startswith(("/static/", "/img/", "/favicon")) else "page"
        kind = "other" if method in ("RAW", "HEAD") or page.startswith(("/api/", "/robots.txt")) else kind
        if method == "GET" and (self.dice.random() < 0.08 or self.visit.case == "odd_spelling"):
            target = UNTIDY.get(target, target)
        target = target if method == "RAW" else quote(target, safe="/?&=")
        request = target if method == "RAW" else f"{method} {target} {self.protocol}"
        size = str(self.dice.randint(180, 30_000 if status == 200 else 900))
        size = "-" if status in (304, 408) or method == "HEAD" else size
        referrer = self.listing if page.startswith("/item/") else self.shown
        # The month is written by hand, since strftime follows the locale.
        time = datetime.fromtimestamp(self.clock, ZONE).strftime("%d/Mar/%Y:%H:%M:%S %z")
        line = f'{address} - {self.login or "-"} [{time}] "{request}" {status} {size}'
        line = f'{line} "{escape(referrer)}" "{escape(agent)}"'
        self.visit.hits.append(Hit(self.clock, self.visit.visitor, status, kind, referrer, line))
        if kind == "page" and status in (200, 304) and self.visit.kind not in ROBOTS:
            self.visit.path.append(page)
            self.shown = SITE + target
            self.listing = self.listing if page.startswith("/item/") else self.shown

    def view(self, target: str, after: int) -> None:
        """Open a page and load its assets; the cache has most, or asks whether they are still good (304)."""
        again = target in self.cached and self.dice.random() < 0.3
        self.send("GET", target, 304 if again else 200, after)
        picture = f"/img{target}.png" if target.startswith("/item/") else "/static/fonts/han.woff2"
        for asset in [*ASSETS, picture]:
            known = asset in self.cached
            if self.dice.random() < (0.03 if known else 0.4):
                fresh = known or self.dice.random() < 0.15
                self.send("GET", asset, 304 if fresh else 200, self.dice.randint(0, 1))
                self.cached.add(asset)
        self.cached.add(target)

    def play(self, script: str) -> None:
        """Follow the script; clicks that it does not time come after a pause below the idle limit."""
        pause = 0
        for word in script.replace("as:", "/login POST:302:/login as:").split():
            name, _, rest = word.partition(":")
            if name.startswith("+"):
                pause = int(name)
                continue
            long = self.dice.random() < 0.02
            pause = pause or (self.dice.randint(1000, 1700) if long else self.dice.randint(6, 150))
            if pause > IDLE or (name == "as" and self.visit.customer):  # another login begins a new session
                self.visit = Visit(self.visit.visitor, self.visit.kind, self.visit.case)
                self.visits.append(self.visit)
            if name == "from":
                self.shown = self.listing = rest
            elif name == "as":
                self.login = self.visit.customer = rest
            elif name == "out":
                self.login = None
            elif rest:
                status, target = rest.split(":", 1)
                self.send(name, target, int(status), pause)
            else:
                self.view(word, pause)
            pause = 0


def escape(text: str | None) -> str:
    """Write a header as Apache does: a backslash before quotes, bytes beyond ASCII as ``\\xHH``."""
    plain = "-" if text is None else text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(chr(byte) if byte < 128 else f"\\x{byte:02x}" for byte in plain.encode())


def browsing(dice: Random, category: str, count: int, deep: bool) -> str:
    """Down to a category and its items. Most who see rice go on to peanut oil: the planted rule."""
    one, two, _ = category.split("/")
    order = dice.choice(["", "", "?sort=price", "?sort=sold&page=2"])
    levels = f"/c/{one} /c/{one}/{two} " if deep else ""
    script = f"{levels}/c/{category}{order} {some_items(dice, category, count)}"
    return f"{script} {RULE[1]}" if f"/c/{category}" == RULE[0] and dice.random() < 0.85 else script


def some_items(dice: Random, category: str, count: int) -> str:
    """Pick items of a category."""
    picked = dice.sample([item for item, where in ITEMS.items() if where == category], count)
    return " ".join(f"/item/{item}" for item in picked)


def searching(dice: Random, category: str, count: int) -> str:
    """Look for a category by its name: the page asks for suggestions, then shows what it found."""
    query = f"?q={TERMS[CATEGORIES.index(category)]}"
    return f"GET:200:/api/suggest{query} +2 /search{query} {some_items(dice, category, count)}"


def buying(dice: Random, steps: int, helped: bool, who: str | None) -> str:
    """The funnel, so many steps of it; the checkout sends ``who`` to the login, if he still has to."""
    words = ["POST:200:/api/cart", "/help/shipping" if helped else "", "/cart", "+1 GET:200:/api/cart"]
    if steps > 1:
        words.append(f"GET:302:/checkout as:{who} +1 /checkout" if who else "/checkout")
    for page, following in pairwise(FUNNEL[1:steps]):
        words.append(f"POST:500:{page}" if dice.random() < 0.1 else "")
        words.append(f"POST:302:{page} +1 {following}")
    return " ".join(words)


def journey(dice: Random, trip: Trip, taste: str, who: str | None) -> str:
    """The script of one session around one taste; ``who`` logs in early or in the middle of it."""
    (kind, steps, helped), early, count = trip, dice.random() < 0.5, dice.randint(2, 3)
    other = dice.choice([category for category in CATEGORIES if category != taste])
    engine = dice.choice(ENGINES) + quote(TERMS[CATEGORIES.index(taste)])
    source = f"from:{engine}" if dice.random() < 0.5 else ""
    start = "/" if kind == "browser" or dice.random() < 0.5 else ""
    login = f"as:{who} +1 /" if who else ""
    if kind == "searcher":
        first = searching(dice, taste, count)
        last = searching(dice, other, 1) if dice.random() < 0.6 else ""
    else:
        first = browsing(dice, taste, count, deep=kind == "browser")
        last = browsing(dice, other, dice.randint(0, 1), deep=True) + (" /help/shipping" if helped else "")
    if kind == "buyer":
        last = buying(dice, steps, helped, None if early else who)
    lost = f"GET:404:{dice.choice(DEAD_LINKS)}" if dice.random() < 0.06 else ""
    late = "" if early or kind == "buyer" else login
    return " ".join([source, start, login if early else "", first, lost, late, last])


def run_trips(shop: Shop) -> dict[str, str]:
    """Play the ordinary sessions; return each customer's taste. Only customers get past the cart."""
    dice = shop.dice
    buys: list[Trip] = [("buyer", sum(n < reach for reach in REACH), n % 3 != 2) for n in range(REACH[0])]
    calls: list[Trip] = [("browser", 0, n < 8) for n in range(95)] + [("searcher", 0, False)] * 80
    calls = dice.sample(calls, len(calls))
    known = dice.sample(buys[:-GUEST_CARTS] + calls[:85], len(buys) - GUEST_CARTS + 85)
    tastes = {login: CATEGORIES[n % len(CATEGORIES)] for n, login in enumerate(LOGINS)}
    for n, login in enumerate(LOGINS):
        devices = [shop.newcomer() for _ in range(2 if n % 4 == 0 else 1)]
        for trip in known[n :: len(LOGINS)]:
            who = login if trip[0] == "buyer" or dice.random() < 0.85 else None
            shop.enter(dice.choice(devices), trip[0]).play(journey(dice, trip, tastes[login], who))
    guests = [shop.newcomer() for _ in range(75)]
    for n, trip in enumerate(buys[-GUEST_CARTS:] + calls[85:]):
        shop.enter(guests[n % 75], trip[0]).play(journey(dice, trip, dice.choice(CATEGORIES), None))
    return tastes


def plant(shop: Shop) -> None:
    """Play the edge cases."""
    agents = {"odd_spelling": QUOTED_AGENT, "no_request": "-"}
    for case, script in CASES:
        shop.enter(shop.newcomer(agents.get(case, "")), "browser", case).play(script)
    for hour in (3 * 24 + 7.9, 4 * 24 + 7.9, 8 * 24 + 23.9):  # 08:00 in the shop is midnight UTC
        shop.enter(shop.newcomer(), "browser", hour=hour).play("/ +600 /c/sport/shoes/running")


def described(visit: Visit) -> dict[str, object]:
    """One session of the truth, in names and units that need no knowledge of this program."""
    start, end = (datetime.fromtimestamp(visit.hits[n].time, UTC).isoformat() for n in (0, -1))
    who = {"address": visit.visitor[0], "agent": visit.visitor[1], "customer": visit.customer}
    what = {"kind": visit.kind, "referrer": visit.hits[0].referrer, "start": start, "end": end}
    return {**who, **what, "hits": len(visit.hits), "views": len(visit.path), "path": visit.path}


def follows(path: list[str], steps: list[str]) -> bool:
    """Whether the steps stand in the path in this order; other pages may lie between them."""
    rest = iter(path)
    return all(step in rest for step in steps)


def true_facts(shop: Shop, hits: list[Hit], tastes: dict[str, str]) -> dict[str, object]:
    """What the simulation knows, apart from where things stand in the file."""
    every = sorted((v for v in shop.visits if v.path), key=lambda v: (v.hits[0].time, v.visitor))
    visits, robots = ([v for v in every if (v.kind in REASONS) == judged] for judged in (False, True))
    paths = [visit.path for visit in visits]
    cases: dict[str, list[int]] = {}
    for number, visit in enumerate(visits):
        over = visit.hits[0].time // DAY < visit.hits[-1].time // DAY
        for case in filter(None, [visit.case, "over_midnight_utc" if over else ""]):
            cases.setdefault(case, []).append(number)
    seen = Counter(page for path in paths for page in set(path))
    return {
        "hits_by_status": Counter(str(hit.status) for hit in hits),
        "hits_by_kind": Counter(hit.kind for hit in hits),
        "robot_hits": Counter(v.kind for v in shop.visits if v.kind in ROBOTS for _ in v.hits),
        "views": sum(map(len, paths)),
        "idle_limit_s": IDLE,
        "runs_without_session": sum(not v.path and v.kind not in ROBOTS for v in shop.visits),
        "session_kinds": Counter(visit.kind for visit in visits),
        "funnel": {page: sum(follows(p, FUNNEL[: n + 1]) for p in paths) for n, page in enumerate(FUNNEL)},
        "rule": {**{page: seen[page] for page in RULE}, "both": sum(set(RULE) <= set(p) for p in paths)},
        "pattern": {
            **{page: seen[page] for page in PATTERN},
            "both": sum(follows(p, PATTERN) for p in paths),
        },
        "tastes": tastes,
        "items": ITEMS,
        "cases": cases,
        "sessions": [described(visit) for visit in visits],
        "robot_sessions": [described(visit) for visit in robots],
    }


def build(seed: int) -> tuple[bytes, dict[str, object]]:
    """Return the bytes of the log and the truth about it, made from the seed alone."""
    shop = Shop(seed)
    tastes = run_trips(shop)
    plant(shop)
    pages = ["/", *(f"/c/{c}" for c in CATEGORIES), *(f"/item/{i}" for i in ITEMS)]
    crawl(shop, pages, DEAD_LINKS, DAYS)
    disguise(shop, pages, DAYS)
    hits = sorted((hit for visit in shop.visits for hit in visit.hits), key=lambda hit: hit.time)
    for n in range(1, len(hits), 2):  # a slow request is written after a quicker one that began later
        one, two = hits[n - 1 : n + 1]
        if one.visitor == two.visitor and 0 < two.time - one.time <= 3 and shop.dice.random() < 0.08:
            hits[n - 1 : n + 1] = two, one
    lines = [hit.line for hit in hits]
    for text in BROKEN + BLANK:
        lines.insert(shop.dice.randint(1, len(lines)), text)
    facts: dict[str, object] = {"seed": seed, "lines": len(lines), "hits": len(hits)}
    late = {hit.line for before, hit in pairwise(hits) if hit.time < before.time}
    for name, some in {"rejected": BROKEN, "blank": BLANK, "out_of_order": late}.items():
        facts[name] = [number for number, line in enumerate(lines, start=1) if line in some]
    return "".join(f"{line}\n" for line in lines).encode(), {**facts, **true_facts(shop, hits, tastes)}


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description="Write shop.log and shop.truth.json.")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another log (default: 7)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to")
    options = parser.parse_args()
    log, truth = build(options.seed)
    text = json.dumps(truth, ensure_ascii=False).replace('{"address"', '\n{"address"')  # one session a line
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "shop.log").write_bytes(log)
    (options.out / "shop.truth.json").write_bytes(f"{text}\n".encode())


if __name__ == "__main__":
    main()

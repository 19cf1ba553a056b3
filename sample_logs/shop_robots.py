"""The robots of the sample log: some say who they are, others bear a browser's agent and give themselves away.

The latter are planted so that each is a robot for the reasons of its row, and people come as near to a reason as
they can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from generate import Shop

ROBOTS = {
    "Googlebot": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Baiduspider": "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "bingbot": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "YisouSpider": "Mozilla/5.0 (compatible; YisouSpider/5.0; +http://www.yisou.com/spider.html)",
    "curl": "curl/8.5.0",
    "python-requests": "python-requests/2.31.0",
}
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0"


class Disguise(NamedTuple):
    """Who comes with a browser's agent: why it is a robot (nothing: a person), and what it does in each run."""

    reason: str
    address: str
    agent: str
    runs: int
    views: int
    pause: tuple[int, int]  # seconds between two views, from and to
    asks: bool = False  # for robots.txt, first of all
    assets: bool = False  # loads what belongs to a page
    icon: bool = False  # loads the site's icon, and no other asset


DISGUISES = [
    Disguise("robots.txt", "192.0.2.7", CHROME, 3, 7, (4, 40), asks=True, assets=True),
    Disguise("no assets", "198.51.100.7", FIREFOX, 2, 30, (8, 45)),
    Disguise("inhuman rate", "203.0.113.7", CHROME, 1, 60, (0, 0), assets=True),
    Disguise("robots.txt + no assets + inhuman rate", "2001:db8:5::7", FIREFOX, 1, 61, (0, 0), asks=True),
    Disguise("", "192.0.2.8", FIREFOX, 1, 29, (8, 45)),
    Disguise("", "198.51.100.8", CHROME, 1, 31, (8, 45), icon=True),
    Disguise("", "203.0.113.8", CHROME, 1, 59, (0, 0), assets=True),
]
REASONS = {disguise.reason for disguise in DISGUISES if disguise.reason}


def crawl(shop: Shop, pages: list[str], lost: list[str], days: int) -> None:
    """Named robots, in bursts by day and night: crawlers, a monitor (curl), a reader of stocks (requests)."""
    dice = shop.dice
    more = {"python-requests": "/api/stock?id=1001", "Googlebot": "/static/site.css?v=12"}
    for n, (name, agent) in enumerate(ROBOTS.items(), start=1):
        visitor = (f"192.0.2.{n}" if n % 3 else f"2001:db8:5::{n}", agent)
        for day in dice.sample(range(days), 7):
            browser = shop.enter(visitor, name, hour=24 * day + dice.uniform(0.1, 22))
            for _ in range(3 if name == "curl" else dice.randint(6, 14)):
                target = more.get(name, "/") if dice.random() < 0.2 else dice.choice([*pages, *lost])
                status = 404 if target in lost else 304 if dice.random() < 0.08 else 200
                browser.send("HEAD" if name == "curl" else "GET", target, status, dice.randint(1, 90))


def disguise(shop: Shop, pages: list[str], days: int) -> None:
    """Robots with a browser's agent, and people who are nearly taken for one."""
    dice = shop.dice
    for who in DISGUISES:
        for day in dice.sample(range(days), who.runs):
            kind, case = (who.reason, "") if who.reason else ("browser", "nearly_a_robot")
            browser = shop.enter((who.address, who.agent), kind, case, hour=24 * day + dice.uniform(0.1, 22))
            if who.asks:
                browser.send("GET", "/robots.txt", 200, 0)
            for page in dice.choices(pages, k=who.views):
                pause = dice.randint(*who.pause)
                if who.assets:
                    browser.view(page, pause)
                else:
                    browser.send("GET", page, 200, pause)
            if who.icon:
                browser.send("GET", "/favicon.ico", 200, 1)
            if who.assets:
                browser.send("GET", "/static/logo.png", 200, 1)

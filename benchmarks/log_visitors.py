"""The invented visitors of the web shop that `make_log.py` writes about: addresses, browsers and robots.

They are made once for a seed and the two counts, and are the same for every day of the log.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from log_site import Floats, Ints, draw, zipf_cdf

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_DESKTOPS: Final = ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64")
# The agent of a robot ({}: a version of Chrome) and the network that it comes from.
_ROBOTS: Final = (
    (
        f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {_WEBKIT} Chrome/{{}} "
        "Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "66.249.{}.{}",
    ),
    (
        f"Mozilla/5.0 {_WEBKIT[:-1]}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) "
        "Chrome/{} Safari/537.36",
        "157.55.{}.{}",
    ),
    ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", "116.179.{}.{}"),
    ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "54.36.{}.{}"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "66.249.{}.{}"),
    ("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "5.255.{}.{}"),
    ("Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", "85.208.{}.{}"),
    ("Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)", "123.126.{}.{}"),
    (
        f"Mozilla/5.0 (Linux; Android 5.0) {_WEBKIT} Mobile Safari/537.36 "
        "(compatible; Bytespider; https://zhanzhang.toutiao.com/)",
        "110.249.{}.{}",
    ),
)
# First octets of the people; the crawlers' networks and everything private or reserved are left out.
_RESERVED: Final = {5, 10, 54, 66, 85, 100, 110, 116, 123, 127, 157, 169, 172, 192, 198, 203}
_OCTETS: Final = [octet for octet in range(1, 224) if octet not in _RESERVED]


@dataclass(frozen=True)
class Visitors:
    """Addresses, agents, and the pairs that occur: a visitor is a row of `pair_address` and `pair_agent`.

    The visitors of address a are the `pairs[a]` from row `first[a]`; the addresses are in the order of how
    often they come (`address_cdf`). Robots are no part of these three: they are the last `robots` addresses
    and visitors.
    """

    addresses: pl.Series
    agents: pl.Series
    first: Ints
    pairs: Ints
    pair_address: Ints
    pair_agent: Ints
    address_cdf: Floats
    robots: int


def _chrome(rnd: random.Random) -> str:
    major = rnd.randint(98, 146)
    return f"{major}.0.{4_758 + (major - 98) * 61}.{rnd.randint(20, 220)}"


def _android(rnd: random.Random) -> str:
    models = (
        f"SM-{rnd.choice('AGSN')}{rnd.randint(9_000, 9_999)}",
        f"V2{rnd.randint(200, 559)}A",
        f"2{rnd.randint(1, 5)}{rnd.randint(1, 12):02}{rnd.randint(100, 139)}{rnd.choice('CGI')}",
        f"RMX{rnd.randint(3_000, 5_100)}",
        f"{rnd.choice(('NOH', 'ALN', 'LIO', 'PGT', 'BVL'))}-AN{rnd.choice(('00', '10', '20'))}",
        f"Pixel {rnd.randint(5, 10)}",
    )
    return f"Mozilla/5.0 (Linux; Android {rnd.randint(10, 16)}; {rnd.choice(models)}) {_WEBKIT}"


def _firefox(major: int) -> str:
    return f"Mozilla/5.0 ({_DESKTOPS[0]}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0"


def _iphone(rnd: random.Random) -> str:
    version = f"{rnd.randint(14, 19)}_{rnd.randint(0, 7)}_{rnd.randint(0, 3)}"
    system = f"iPhone; CPU iPhone OS {version} like Mac OS X"
    return f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko)"


def _wechat(rnd: random.Random, chrome: str) -> str:
    """The browser inside WeChat, on either kind of phone."""
    tail = f"MicroMessenger/8.0.{rnd.randint(28, 66)} NetType/{rnd.choice(('WIFI', '4G'))} Language/zh_CN"
    if rnd.random() < 0.6:
        return f"{_iphone(rnd)} Mobile/{rnd.randint(15, 22)}E148 {tail}"
    kit = f"XWEB/{rnd.randint(5_000, 14_000)} MMWEBSDK/2025{rnd.randint(1, 12):02}01"
    return f"{_android(rnd)} Version/4.0 Chrome/{chrome} Mobile Safari/537.36 {kit} {tail}"


def _agent(rnd: random.Random) -> str:
    """The agent of one more browser: of a computer (half of them), a phone, or WeChat on a phone (4 %)."""
    kind, chrome = rnd.random(), _chrome(rnd)
    if kind < 0.36:
        return f"Mozilla/5.0 ({rnd.choices(_DESKTOPS, (6, 3, 1))[0]}) {_WEBKIT} Chrome/{chrome} Safari/537.36"
    if kind < 0.41:
        major = chrome.partition(".")[0]
        return f"Mozilla/5.0 ({_DESKTOPS[0]}) {_WEBKIT} Chrome/{major}.0.0.0 Safari/537.36 Edg/{chrome}"
    if kind < 0.47:
        return _firefox(rnd.randint(100, 148))
    if kind < 0.88:
        return f"{_android(rnd)} Chrome/{chrome} Mobile Safari/537.36"
    if kind < 0.96:
        return f"{_iphone(rnd)} Version/{rnd.randint(14, 26)}.{rnd.randint(0, 6)} Mobile/15E148 Safari/604.1"
    return _wechat(rnd, chrome)


def _distinct(rnd: random.Random, count: int, first: list[str]) -> list[str]:
    """`count` different agents, `first` first."""
    found = dict.fromkeys(first[:count])
    while len(found) < count:
        found[_agent(rnd)] = None
    return list(found)


def _robots(rnd: random.Random, count: int) -> dict[str, str]:
    """`count` different agents of robots, the well-known first, and the network that each comes from."""
    found: dict[str, str] = {}
    while len(found) < count:
        kind = len(found) if len(found) < len(_ROBOTS) else rnd.randrange(2)
        agent, net = _ROBOTS[kind]
        found[agent.format(_chrome(rnd))] = net
    return found


def _usual_agents() -> list[str]:
    """The most used browsers, which send a shortened version and no model: the first ranks of the agents."""
    majors = range(145, 133, -1)
    recent = [f"{_WEBKIT} Chrome/{major}.0.0.0" for major in majors]
    windows, mac = ([f"Mozilla/5.0 ({system}) {chrome} Safari/537.36" for chrome in recent] for system in _DESKTOPS[:2])
    phones = [f"Mozilla/5.0 (Linux; Android 10; K) {chrome} Mobile Safari/537.36" for chrome in recent]
    firefox = [_firefox(major) for major in majors]
    return [agent for four in zip(windows, phones, firefox, mac, strict=True) for agent in four]


def _people_addresses(rnd: random.Random, count: int) -> list[str]:
    """`count` different addresses, 1.5 % of them IPv6."""
    found: dict[str, None] = {}
    while len(found) < count:
        if rnd.random() < 0.015:
            groups = ":".join(f"{rnd.randint(0x1000, 0xFFFF):x}" for _ in range(6))
            found[f"{rnd.choice(('2409', '240e', '2408'))}:{rnd.randint(0x8000, 0x8FFF):x}:{groups}"] = None
        else:
            found[f"{rnd.choice(_OCTETS)}.{rnd.randint(0, 255)}.{rnd.randint(0, 255)}.{rnd.randint(1, 254)}"] = None
    return list(found)


def _robot_addresses(rnd: random.Random, nets: list[str]) -> list[str]:
    """A different address in each of `nets`."""
    found: dict[str, None] = {}
    for net in nets:
        before = len(found)
        while len(found) == before:
            found[net.format(rnd.randint(64, 95), rnd.randint(1, 254))] = None
    return list(found)


def make_visitors(seed: int, addresses: int, agents: int) -> Visitors:
    """`addresses` different addresses and `agents` different agents, each of which some address uses first.

    One address in a hundred, at least 10, is a robot's. Of the others 58 % have one agent, 27 % two, 11 %
    three and the rest (among them the most active: offices, carriers) 4 to 24.
    """
    rnd, rng = random.Random(f"visitors {seed}"), np.random.default_rng([seed, 2])
    robots = _robots(rnd, max(4, agents // 250))
    crawlers, people = max(10, addresses // 100), addresses - max(10, addresses // 100)
    browsers = _distinct(rnd, agents - len(robots), _usual_agents())
    crawler_agent = np.concatenate([np.arange(len(robots)), draw(rng, zipf_cdf(len(robots), 1.0, 1), crawlers)])[
        :crawlers
    ]
    nets = list(robots.values())
    pairs = rng.choice([1, 2, 3, 4, 5, 6, 8], people, p=[0.58, 0.27, 0.11, 0.02, 0.01, 0.005, 0.005])
    pairs[: people // 200] = rng.integers(4, 25, people // 200)
    first = np.cumsum(pairs) - pairs
    popularity = zipf_cdf(len(browsers), 0.95, 3)
    pair_agent = draw(rng, popularity, int(pairs.sum()))
    pair_agent[rng.permutation(first)[: len(browsers)]] = np.arange(len(browsers))
    return Visitors(
        addresses=pl.Series(_people_addresses(rnd, people) + _robot_addresses(rnd, [nets[a] for a in crawler_agent])),
        agents=pl.Series([*browsers, *robots]),
        first=first,
        pairs=pairs,
        pair_address=np.concatenate([np.repeat(np.arange(people), pairs), people + np.arange(crawlers)]),
        pair_agent=np.concatenate([pair_agent, len(browsers) + crawler_agent]),
        address_cdf=zipf_cdf(people, 0.9, 50),
        robots=crawlers,
    )

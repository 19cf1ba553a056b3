"""Robots by their user agents: the lists' own matcher agrees, names, the user's rules, bounded memory."""

import gzip
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from crawlerdetect.crawlerdetect import get_compiled_crawler_regex, get_compiled_exclusions_regex
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.robots import Robots, list_version
from logparse.rules import RobotRules

Line = Callable[..., str]

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
MOBILE = f"Mozilla/5.0 (Linux; Android 14; 23127PN0CC Build/UKQ1.230804.001; wv) {WEBKIT} Version/4.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT}"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"
BROWSERS = [
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36",
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87",
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0",
    f"{WINDOWS} Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36",
    f"{WINDOWS} Chrome/122.0.6261.95 Safari/537.36 Vivaldi/6.6",
    f"{WINDOWS} Chrome/86.0.4240.198 Safari/537.36 QIHU 360SE",
    f"{WINDOWS} Chrome/109.0.5414.74 Safari/537.36 SE 2.X MetaSr 1.0",
    f"{WINDOWS} Chrome/109.0.5414.120 Safari/537.36 QQBrowser/12.5.5782.400",
    f"{WINDOWS} Chrome/116.0.0.0 Safari/537.36 NetType/WIFI MicroMessenger/7.0.20 WindowsWechat",
    f"{WINDOWS} Chrome/100.0.4896.75 Safari/537.36 LBBROWSER",
    f"{WINDOWS} Chrome/108.0.5359.95 Safari/537.36 2345Explorer/11.6",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI} Safari/605.1.15",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/125.0.0.0 Safari/537.36",
    f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1",
    f"{IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
    f"{IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15",
    f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/4G Language/zh_CN",
    f"{IPHONE} Mobile/21F90 AliApp(AP/10.6.0.6000) Nebula AlipayDefined(nt:WIFI)",
    f"{IPHONE} Mobile/15E148 Safari/604.1 baiduboxapp/13.60.0.10 (Baidu; P2 17.5)",
    f"{MOBILE} Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MicroMessenger/8.0.49.2600",
    f"{MOBILE} Chrome/100.0.4896.127 Mobile Safari/537.36 baiduboxapp/13.59.0.10 (Baidu; P1 14)",
    f"{MOBILE} Chrome/114.0.5735.196 Mobile Safari/537.36 DingTalk/7.5.20 Channel/700159 language/zh-CN",
    f"{MOBILE} Chrome/89.0.4389.72 MQQBrowser/6.2 TBS/046295 Mobile Safari/537.36 V1_AND_SQ_9.0.60",
    f"{MOBILE} Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/18.5.40525",
    f"{MOBILE} Chrome/100.0.4896.58 UCBrowser/16.6.2.1312 Mobile Safari/537.36",
    f"{MOBILE} Chrome/99.0.4844.88 Mobile Safari/537.36 HuaweiBrowser/14.0.5.303",
    f"{MOBILE} Chrome/115.0.5790.168 Mobile Safari/537.36 VivoBrowser/21.7.2.0",
    f"{MOBILE} Chrome/115.0.5790.168 Mobile Safari/537.36 HeyTapBrowser/40.8.36.1",
    f"Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) {WEBKIT} SamsungBrowser/25.0 Chrome/121.0.0.0",
    f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 9; CUBOT X19) {WEBKIT} Chrome/83.0.4103.106 Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 11; KFTRWI) {WEBKIT} Silk/108.4.6 like Chrome/108.0.5359.160 Safari/537.36",
    f"Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) {SAFARI} Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0; .NET CLR 2.0.50727)",
    "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; zh) Presto/2.12.423 Version/12.16",
    "Dalvik/2.1.0 (Linux; U; Android 13; M2012K11AC Build/TKQ1.220829.002)",
    "-",
    "",
]
ROBOTS = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "Googlebot",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": "bingbot",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)": "Baiduspider",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)": "Sogou web",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)": "Yandex",
    "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)": "Yandex",
    "curl/8.5.0": "curl",
    "Wget/1.21.4": "Wget",
    "python-requests/2.32.3": "python-requests",
    "Go-http-client/1.1": "Go-http-client",
}


def names(agents: list[str | None], /, **rules: tuple[str, ...]) -> list[str | None]:
    return Robots(RobotRules(**rules)).names(pl.Series("agent", agents, dtype=pl.String)).to_list()


def by_the_lists_own_matcher(agent: str) -> str | None:
    """The robot's name by the package that keeps the lists; what is left is trimmed, as in PHP."""
    left = get_compiled_exclusions_regex().sub("", agent).strip()
    found = get_compiled_crawler_regex().search(left)
    return found.group() if found else None


def test_browsers_are_no_robots() -> None:
    assert [agent for agent, name in zip(BROWSERS, names([*BROWSERS]), strict=True) if name] == []
    assert [agent for agent in BROWSERS if by_the_lists_own_matcher(agent)] == []


def test_robots_are_named() -> None:
    assert dict(zip(ROBOTS, names([*ROBOTS]), strict=True)) == ROBOTS


def test_no_agent_is_no_robot() -> None:
    assert names([None, "curl/8", None]) == [None, "curl", None]
    assert names([]) == []


@pytest.mark.reference
def test_every_robot_of_a_public_list_is_found_and_named_as_by_the_lists_own_matcher(
    reference_data: Path,
) -> None:
    with gzip.open(reference_data / "bot_user_agents" / "bots.txt.gz", "rt", encoding="utf-8") as file:
        agents = file.read().splitlines()
    found = names([*agents])
    assert len(agents) == 3720
    assert sum(name is not None for name in found) / len(agents) == 1.0  # the recall
    assert found == [by_the_lists_own_matcher(agent) for agent in agents]


words = st.sampled_from(
    [
        *[
            "Yandex",
            "YandexSearch",
            "YandexBot",
            "yandexsearch",
            "Corax",
            "ureq",
            "Nuclei",
            "git/2",
            "Java/17",
        ],
        *["b0t", "bot", "Googlebot", "curl", "spider", "Mozilla/5.0", "Firefox/1", "Linux", "Opera", "X11"],
        *[
            "compatible",
            '"Yandex"',
            "(",
            ")",
            "; ",
            " ",
            "  ",
            "/",
            "+",
            "1.0",
            "客户",
            "http://a.b/",
            "CUBOT",
        ],
        *["cubot", "; M bot", "Build", "x64", "Mozilla"],
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(words, max_size=6).map(" ".join) | st.lists(words, max_size=6).map("".join), max_size=20))
def test_any_agent_is_a_robot_just_where_the_lists_own_matcher_says_so(robots: Robots, agents: list[str]) -> None:
    found = robots.names(pl.Series("agent", agents, dtype=pl.String)).to_list()
    assert [name is not None for name in found] == [by_the_lists_own_matcher(agent) is not None for agent in agents]


@pytest.fixture(scope="module")
def robots() -> Robots:
    return Robots(RobotRules())


def test_rules_add_robots_by_globs() -> None:
    agents = ["ShopMonitor/1.0", "My ShopMonitor", "curl/8", "Firefox", None]
    assert names(agents, agents=("ShopMonitor*", "curl*")) == ["ShopMonitor/1.0", None, "curl", None, None]


def test_rules_except_humans_whatever_else_says() -> None:
    agents = ["curl/8 (office)", "curl/8", "ShopMonitor/1.0"]
    assert names(agents, humans=("*(office)",)) == [None, "curl", None]
    assert names(agents, agents=("Shop*",), humans=("*(office)", "Shop*")) == [None, "curl", None]


def test_globs_take_other_letters_literally() -> None:
    agents = ["a.c (x) [y]+", "abc (x) [y]+", "A.C (X) [Y]+", "a.c (x) [y]+\nz"]
    assert names(agents, agents=("a.c (x) [y]+",)) == ["a.c (x) [y]+", None, None, None]
    assert names(agents, agents=("a.c*",)) == ["a.c (x) [y]+", None, None, "a.c (x) [y]+\nz"]


def test_robot_s_name_is_kept_with_the_hit(engine: Any, combined: Line) -> None:
    hits = engine.hits("combined", combined(agent="curl/8"), combined(), combined(agent="-"))
    assert [hit["bot"] for hit in hits] == ["curl", None, None]


def test_remembered_agents_give_the_same_names(robots: Robots) -> None:
    agents = pl.Series("agent", [*ROBOTS, *BROWSERS, None] * 3)
    fresh = Robots(RobotRules()).names(agents).to_list()
    assert robots.names(agents).to_list() == robots.names(agents).to_list() == fresh


def test_memory_is_bounded() -> None:
    few = Robots(RobotRules(), limit=50)
    for start in range(0, 1000, 20):
        agents = [f"curl/{number}" if number % 2 else f"Browser {number}" for number in range(start, start + 20)]
        assert few.names(pl.Series("agent", agents)).to_list() == [None, "curl"] * 10
        assert len(few._known) <= 50


def test_one_memory_serves_several_threads() -> None:
    shared = Robots(RobotRules(), limit=100)
    wrong: list[object] = []

    def work(first: int) -> None:
        for start in range(first, first + 400, 40):
            agents = [f"curl/{number}" if number % 2 else f"Browser {number}" for number in range(start, start + 40)]
            found = shared.names(pl.Series("agent", agents)).to_list()
            if found != [None, "curl"] * 20:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_version_of_the_lists_is_told() -> None:
    assert list_version().startswith("crawlerdetect 0.")

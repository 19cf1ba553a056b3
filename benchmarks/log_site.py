"""The invented web shop that `make_log.py` writes about: its pages, assets and the sites that link to it.

It is made once for a seed, is small, and is the same for every day of the log.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SITE: Final = "https://shop.example"
PAGES: Final = 4_000
LINKS_PER_PAGE: Final = 8
IMAGES_PER_PAGE: Final = 3
SEARCH_REFERRERS: Final = 30_000


def _words(text: str) -> list[str]:
    return text.split()


_FIXED_PAGES: Final = _words(
    "/ /search /products/ /category/phones/ /cart /account/login /support/ /category/laptops/ /stores/ "
    "/checkout /account/orders /service/booking /about /blog/ /help/warranty /help/returns"
)
_ADJECTIVES: Final = _words(
    "wireless compact ultra-thin portable smart foldable waterproof noise-cancelling rugged fast-charging "
    "mechanical curved ergonomic dual-band solar magnetic refurbished professional"
)
_NOUNS: Final = _words(
    "phone laptop tablet earphones keyboard monitor router charger power-bank camera smart-watch speaker "
    "projector hard-drive docking-station phone-case screen-protector battery microphone e-reader"
)
_TOPICS: Final = _words(
    "how-to-choose care-and-cleaning battery-life repair-guide comparison first-look buying-guide "
    "ten-questions-about what-is-new-in troubleshooting"
)
_CHINESE_NOUNS: Final = _words(
    "手机 笔记本电脑 蓝牙耳机 机械键盘 显示器 路由器 充电宝 电池更换 "
    "屏幕维修 保修查询 售后服务 投影仪 智能手表 移动硬盘 平板电脑"
)
_QUALIFIERS: Final = _words("价格 推荐 官方 二手 怎么样 评测 附近 型号 对比 2026款 防水 轻薄 学生 多少钱 预约 教程")
_GONE: Final = _words("/wp-login.php /xmlrpc.php /.env /admin/ /old/index.asp /favicon-32.ico /phpmyadmin/")
_STATIC: Final = (("css", "css"), ("js", "js"), ("fonts", "woff2"), ("img", "svg"), ("img", "png"))
_OTHER_SITES: Final = (
    "https://mp.weixin.qq.com/s/{}", "https://www.zhihu.com/question/{}", "https://weibo.com/ttarticle/p/show?id={}",
    "https://www.reddit.com/r/gadgets/comments/{}/", "https://news.example.org/technology/{}.html",
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """What can be asked for. A target is a row of `targets`: first the pages, the most popular first.

    Row 0 of `referrers` is `-`, row 1 + t is the full address of target t, and then come the search engines
    (the range `search`) and other sites (`elsewhere`). `sizes` holds bytes per target; `links` of shape
    (PAGES, LINKS_PER_PAGE) holds pages; the variants of page p (with a query string) are the `variants[p]`
    targets from `first_variant[p]`, asked for with probability `variant_share[p]`.
    """

    targets: pl.Series
    referrers: pl.Series
    sizes: Ints
    links: Ints
    first_variant: Ints
    variants: Ints
    variant_share: Floats
    page_cdf: Floats
    missing: range
    static: range
    images: range
    other: range
    crawler_files: range
    search: range
    elsewhere: range


def zipf_cdf(n: int, exponent: float, shift: float) -> Floats:
    """Cumulative probabilities of the ranks 1..n, by Zipf-Mandelbrot: weight (rank + shift) ** -exponent."""
    weights = 1.0 / (np.arange(1, n + 1) + shift) ** exponent
    return np.asarray(np.cumsum(weights) / weights.sum(), dtype=np.float64)


def draw(rng: np.random.Generator, cdf: Floats, size: int) -> Ints:
    """`size` ranks (from 0) of the distribution `cdf`."""
    ranks = np.searchsorted(cdf, rng.random(size), side="right")
    return np.minimum(ranks, len(cdf) - 1).astype(np.int64)


def _page(rnd: random.Random, number: int) -> str:
    name = f"{rnd.choice(_ADJECTIVES)}-{rnd.choice(_NOUNS)}"
    kind = rnd.random()
    if kind < 0.65:
        return f"/product/{10_000 + number}-{name}"
    if kind < 0.78:
        return f"/category/{rnd.choice(_NOUNS)}/{number}/"
    if kind < 0.90:
        return f"/blog/{rnd.choice(_TOPICS)}-{rnd.choice(_NOUNS)}-{number}"
    return f"/help/{rnd.choice(_TOPICS)}-{number}"


def _question(rnd: random.Random) -> str:
    words = [rnd.choice(_CHINESE_NOUNS), *rnd.sample(_QUALIFIERS, rnd.randint(1, 2))]
    return quote(" ".join(words)) if rnd.random() < 0.7 else f"{rnd.choice(_ADJECTIVES)}+{rnd.choice(_NOUNS)}"


def _queries(rnd: random.Random, page: str) -> list[str]:
    """The query strings with which a page is asked for; empty for most pages."""
    if page == "/search":
        return sorted({f"q={_question(rnd)}&page={rnd.randint(1, 3)}" for _ in range(1_500)})
    if page.startswith("/category/"):
        sorts = ("price_asc", "price_desc", "newest", "rating")
        return [f"page={n}&sort={rnd.choice(sorts)}&brand={quote(rnd.choice(_CHINESE_NOUNS))}" for n in range(1, 5)]
    if page.startswith("/product/") and rnd.random() < 0.4:
        return [f"utm_source={s}&utm_medium=cpc" for s in ("baidu", "wechat")]
    return []


def _search_referrer(rnd: random.Random) -> str:
    words, kind = _question(rnd), rnd.random()
    if kind < 0.5:
        return f"https://www.baidu.com/s?ie=utf-8&f=8&rsv_bp=1&tn=baidu&wd={words}&rsv_pq={rnd.getrandbits(64):016x}"
    if kind < 0.7:
        return f"https://cn.bing.com/search?q={words}&form=QBLH&sp=-1&pq={words}&cvid={rnd.getrandbits(128):032X}"
    if kind < 0.9:
        return f"https://www.google.com/search?q={words}&oq={words}&sourceid=chrome&ie=UTF-8"
    return f"https://www.sogou.com/web?query={words}&_asf=www.sogou.com&sst0={rnd.randint(10**12, 2 * 10**12)}"


def _static_files(rnd: random.Random) -> list[str]:
    names = ("main", "vendor", "app", "theme", "icons", "cart", "search", "gallery", "player", "checkout")
    return [
        f"/static/{folder}/{name}.{rnd.getrandbits(32):08x}.{ending}" for folder, ending in _STATIC for name in names
    ]


def _api_calls(rnd: random.Random) -> list[str]:
    calls = ["/api/v1/cart", "/api/v1/events", "/api/v1/session", "/api/v1/recommend?n=12"]
    return calls + [f"/api/v1/stock?sku={n}&store={rnd.randint(1, 60)}" for n in range(10_000, 10_400)]


def make_site(seed: int) -> Site:
    """The site of this seed; the same for every length of log."""
    rnd, rng = random.Random(f"site {seed}"), np.random.default_rng([seed, 1])
    pages = _FIXED_PAGES + [_page(rnd, n) for n in range(PAGES - len(_FIXED_PAGES))]
    queries = [_queries(rnd, page) for page in pages]
    variants = np.array([len(q) for q in queries], dtype=np.int64)
    images = [f"/media/{p:05}_{n}.jpg" for p in range(PAGES) for n in range(IMAGES_PER_PAGE)]
    parts = [
        pages,
        [f"{page}?{query}" for page, some in zip(pages, queries, strict=True) for query in some],
        _GONE + [f"/product/{n}-discontinued" for n in range(9_000, 9_150)],
        _static_files(rnd),
        images,
        _api_calls(rnd),
        ["/robots.txt", "/sitemap.xml"],
    ]
    at = np.cumsum([0, *map(len, parts)]).tolist()
    targets = [target for part in parts for target in part]
    search = [_search_referrer(rnd) for _ in range(SEARCH_REFERRERS)]
    elsewhere = [rnd.choice(_OTHER_SITES).format(rnd.getrandbits(44)) for _ in range(2_000)]
    cdf = zipf_cdf(PAGES, 0.9, 4)
    first_search = 1 + len(targets)
    return Site(
        targets=pl.Series(targets),
        referrers=pl.Series(["-", *(SITE + target for target in targets), *search, *elsewhere]),
        sizes=rng.lognormal(9.6, 1.1, len(targets)).astype(np.int64) + 120,
        links=draw(rng, cdf, PAGES * LINKS_PER_PAGE).reshape(PAGES, LINKS_PER_PAGE),
        first_variant=len(pages) + np.cumsum(variants) - variants,
        variants=variants,
        variant_share=np.where([page == "/search" for page in pages], 0.95, 0.15) * (variants > 0),
        page_cdf=cdf,
        missing=range(at[2], at[3]),
        static=range(at[3], at[4]),
        images=range(at[4], at[5]),
        other=range(at[5], at[6]),
        crawler_files=range(at[6], at[7]),
        search=range(first_search, first_search + len(search)),
        elsewhere=range(first_search + len(search), first_search + len(search) + len(elsewhere)),
    )

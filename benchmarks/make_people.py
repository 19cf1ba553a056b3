"""Write a table of Chinese and Western people with planted duplicates: the same bytes for the same arguments.

    python benchmarks/make_people.py OUT.csv [--records 200000] [--duplicates 0.25] [--seed 1] [--truth TRUTH.csv]

The columns are `id`, 姓名, 性别, 出生日期, 手机号, 邮箱, 地址, 城市, 邮编. TRUTH.csv has `id` and `person`.

- **People.** 60 % are Chinese: one of a hundred family names, the first the most frequent, and a given name of one
  (25 %) or two characters; the others have one of 400 family names, by a Zipf law, and one of 150 given names. Birth
  dates are spread over 1945 to 2007. Of the others 5 % live with the person before: one address, city, postcode and
  family name, and for half of them one phone. An e-mail address is made of the name and a number.
- **Duplicates.** The given share of the records are further ones of people who have one already: 70 % of these people
  have one more, 20 % two, 10 % three. In each, a field is missing with 8 %, and each of name, birth date, phone,
  e-mail and address has a mistake with 18 %: a character exchanged, left out, doubled or swapped with its neighbour.
  5 % of the names are swapped, 4 % of the Chinese ones written in pinyin; a phone, an e-mail or an address is quite
  another one with 8 % each, a postcode with 5 %.
- **All records** are written in any of five ways for phones (+86, dashes, 0086, full-width digits) and four for dates.
  The first of a person lack a field with 4 %, and have no mistakes.

The program is no simulation of any real register: the shares above are invented.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from plugins.customers.pinyin import reading

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]
Rng = np.random.Generator
Table = dict[str, Texts]

FAMILIES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN: Final = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文志海燕波辉鹏飞宇浩佳欣怡梦雪雨晨晓东春梅秋月冬冰心思远"
    "子涵雅琴凤云龙虎山川林森木清泉江河湖泽天地光星辰阳宁安康福禄寿喜德仁义礼智信忠孝廉美善真诚永恒新成立民主才学书画诗乐"
)
_SYLLABLES: Final = "ba ker son hart wil liam mor gan el lis and er ro berts tay lor har ris mar tin clar ke ley ton wn"
_STREETS: Final = "人民 中山 建设 解放 和平 新华 文化 胜利 长江 黄河 北京 南京 朝阳 光明 幸福 团结 友谊 劳动 青年"
_CITIES: Final = "北京市 上海市 广州市 深圳市 成都市 杭州市 武汉市 西安市 南京市 重庆市 天津市 苏州市 长沙市 郑州市"
_TOWNS: Final = "london leeds bristol york boston austin dublin perth sydney leicester derby oxford bath salem dover"
_ROADS: Final = "street road avenue lane close drive court place"
COLUMNS: Final = ("name", "sex", "birth", "phone", "email", "address", "city", "postcode")
HEADERS: Final = ("姓名", "性别", "出生日期", "手机号", "邮箱", "地址", "城市", "邮编")
"""What the columns are called in the file."""


def _zipf(rng: Rng, names: Any, size: int, shift: float = 6.0) -> Texts:
    weight = 1 / (np.arange(len(names)) + shift)
    return np.array(names, dtype=object)[rng.choice(len(names), size, p=weight / weight.sum())]


def _joined(*parts: Any) -> Texts:
    """Arrays and words, written one behind the other."""
    found: Any = np.array("", dtype=object)
    for part in parts:
        found = found + (part.astype(str).astype(object) if isinstance(part, np.ndarray) else part)
    return np.asarray(found, dtype=object)


def _western_names(rng: Rng, count: int, parts: int) -> list[str]:
    pool = [*dict.fromkeys("".join(rng.choice(_SYLLABLES.split(), parts)) for _ in range(count * 4))]
    return pool[:count]


def people(rng: Rng, count: int) -> Table:
    """The people: a row each, with `family` and `given` apart and no mistakes."""
    chinese = rng.random(count) < 0.6
    one = np.array(list(GIVEN), dtype=object)
    double = np.where(rng.random(count) < 0.25, "", one[rng.integers(0, len(GIVEN), count)])
    given = np.where(
        chinese, one[rng.integers(0, len(GIVEN), count)] + double, _zipf(rng, _western_names(rng, 150, 2), count, 20)
    )
    family = np.where(chinese, _zipf(rng, list(FAMILIES), count), _zipf(rng, _western_names(rng, 400, 3), count, 20))
    days = rng.integers(np.datetime64("1945-01-01").astype(int), np.datetime64("2008-01-01").astype(int), count)
    house = rng.integers(1, 400, count)
    east = _joined(_zipf(rng, _STREETS.split(), count), "路", house, "号", rng.integers(1, 40, count), "室")
    west = _joined(
        house, " ", _zipf(rng, _western_names(rng, 300, 2), count, 30), " ", _zipf(rng, _ROADS.split(), count)
    )
    table = {
        "family": family,
        "given": given,
        "chinese": chinese.astype(object),
        "sex": np.array(["男", "女"], dtype=object)[rng.integers(0, 2, count)],
        "birth": days.astype("datetime64[D]").astype(str).astype(object),
        "phone": _joined("1", rng.integers(3_000_000_000, 9_999_999_999, count)),
        "email": _emails(rng, family, given),
        "address": np.where(chinese, east, west),
        "city": np.where(chinese, _zipf(rng, _CITIES.split(), count), _zipf(rng, _TOWNS.split(), count)),
        "postcode": _joined("", rng.integers(100_000, 104_000, count)),
    }
    return _households(rng, table)


def _emails(rng: Rng, family: Texts, given: Texts) -> Texts:
    latin = reading(pl.Series(_joined(given, ".", family).tolist())).to_numpy()
    hosts = np.array(["qq.com", "163.com", "gmail.com", "example.com", "outlook.com"], dtype=object)
    return _joined(latin, rng.integers(1, 3_000, len(latin)), "@", hosts[rng.integers(0, len(hosts), len(latin))])


def _households(rng: Rng, table: Table) -> Table:
    """Let some live with the person before: one address, one family name, and often one phone."""
    alike = table["chinese"][1:] == table["chinese"][:-1]
    joined = 1 + np.flatnonzero(alike & (rng.random(len(alike)) < 0.05))
    for column in ("family", "address", "city", "postcode"):
        table[column][joined] = table[column][joined - 1]
    shared = joined[rng.random(len(joined)) < 0.5]
    table["phone"][shared] = table["phone"][shared - 1]
    return table


def records(rng: Rng, who: Ints, table: Table, first: npt.NDArray[np.bool_]) -> Table:
    """A record of each of `who`; only those that are not the first have mistakes."""
    row = {name: values[who] for name, values in table.items()}
    count, again = len(who), ~first
    for column in ("phone", "email", "address"):
        moved = np.flatnonzero(again & (rng.random(count) < 0.08))
        row[column][moved] = table[column][rng.integers(0, len(table[column]), len(moved))]
    row["postcode"] = np.where(again & (rng.random(count) < 0.05), "100000", row["postcode"])
    swapped = again & (rng.random(count) < 0.05)
    family, given = row["family"], row["given"]
    space = np.where(row["chinese"].astype(bool), "", " ")
    east = row["chinese"].astype(bool) ^ swapped
    row["name"] = np.where(east, _joined(family, space, given), _joined(given, space, family))
    latin = np.flatnonzero(again & row["chinese"].astype(bool) & (rng.random(count) < 0.04))
    row["name"][latin] = _joined(_read(family[latin]), " ", _read(given[latin]))
    for column in ("name", "phone", "email", "address", "birth"):
        row[column] = _mistyped(rng, row[column], np.flatnonzero(again & (rng.random(count) < 0.18)), column)
    row["phone"], row["birth"] = _phones(rng, row["phone"]), _dates(rng, row["birth"])
    for column in COLUMNS:
        row[column][rng.random(count) < np.where(first, 0.04, 0.08)] = ""
    return {column: row[column] for column in COLUMNS}


def _read(names: Texts) -> Texts:
    return np.asarray(reading(pl.Series(names.tolist(), dtype=pl.String)).to_numpy(), dtype=object)


def _mistyped(rng: Rng, values: Texts, rows: Ints, column: str) -> Texts:
    """One mistake in each of these rows: only digits in dates and phones."""
    pool = "0123456789" if column in ("phone", "birth") else "abcdefghijklmnopqrstuvwxyz"
    for at, kind, spot, sign in zip(
        rows, rng.integers(0, 4, len(rows)), rng.random(len(rows)), rng.integers(0, len(pool), len(rows)), strict=True
    ):
        values[at] = _mistake(values[at], int(kind), float(spot), pool[int(sign)])
    return values


def _mistake(text: str, kind: int, spot: float, sign: str) -> str:
    at = int(spot * len(text))
    if text[at : at + 1] in ("-", "@", "") or len(text) < 3:
        return text
    changed = (
        text[:at] + sign + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :],
    )
    return changed[kind]


_WIDE: Final = str.maketrans("0123456789", "０１２３４５６７８９")


def _phones(rng: Rng, phones: Texts) -> Texts:
    """Phones in five ways of writing."""
    ways = (
        lambda text: text,
        lambda text: f"+86 {text}",
        lambda text: f"{text[:3]}-{text[3:7]}-{text[7:]}",
        lambda text: f"0086{text}",
        lambda text: text.translate(_WIDE),
    )
    return _ways(rng, phones, ways)


def _dates(rng: Rng, dates: Texts) -> Texts:
    """Dates in four ways of writing."""
    ways = (
        lambda text: text,
        lambda text: text.replace("-", "/"),
        lambda text: text.replace("-", ""),
        lambda text: text.replace("-", "年", 1).replace("-", "月", 1) + "日",
    )
    return _ways(rng, dates, ways)


def _ways(rng: Rng, values: Texts, ways: Any) -> Texts:
    which = rng.integers(0, len(ways), len(values))
    return np.array([ways[way](text) for way, text in zip(which, values, strict=True)], dtype=object)


def make(count: int, duplicates: float, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The table, shuffled, and its truth (`id`, `person`)."""
    rng = np.random.default_rng(seed)
    further = int(count * duplicates)
    persons = count - further
    table = people(rng, persons)
    times = rng.choice([1, 2, 3], further, p=[0.7, 0.2, 0.1])
    again = np.repeat(rng.permutation(persons), np.resize(times, persons))[:further]
    who = np.concatenate([np.arange(persons), again])
    found = records(rng, who, table, np.arange(len(who)) < persons)
    order = rng.permutation(len(who))
    ids = pl.Series("id", [f"r{number:07d}" for number in range(len(who))])
    rows = pl.DataFrame([ids, *(pl.Series(h, found[c][order].tolist()) for c, h in zip(COLUMNS, HEADERS, strict=True))])
    return rows, pl.DataFrame([ids, pl.Series("person", who[order])])


def main() -> None:
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--duplicates", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--truth", type=Path)
    args = parser.parse_args()
    rows, truth = make(args.records, args.duplicates, args.seed)
    rows.write_csv(args.out)
    if args.truth:
        truth.write_csv(args.truth)


if __name__ == "__main__":
    main()

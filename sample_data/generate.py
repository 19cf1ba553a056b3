"""Write the sample customers, orders, answers, consents and catalogue: the same bytes on every run.

    python sample_data/generate.py [--check]

The customers are those of the sample shop (sample_logs/shop.log): the names by which they log in are the same. Every
name, number and address is made of parts by chance, and is nobody's. Some customers stand there twice, written in
another way; `truth.json` says who. Phones are written in five ways, dates in three, and a few rows have mistakes that
an import finds.
"""

import argparse
import csv
import io
import json
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

HERE: Final = Path(__file__).parent
SEED: Final = 20260302
LOG: Final = HERE.parent / "sample_logs" / "shop.log"
LOG_TRUTH: Final = LOG.with_name("shop.truth.json")
PEOPLE: Final = 160
TWICE: Final = 12
DAYS: Final = (date(2025, 3, 1), date(2026, 3, 7))

Row = dict[str, Any]

FAMILY: Final = {
    "曹": "cao", "谢": "xie", "何": "he", "梁": "liang", "王": "wang", "陈": "chen", "周": "zhou", "肖": "xiao",
    "胡": "hu", "黄": "huang", "高": "gao", "宋": "song", "林": "lin", "郭": "guo", "刘": "liu", "冯": "feng",
    "袁": "yuan", "孙": "sun", "于": "yu", "张": "zhang", "李": "li", "赵": "zhao", "吴": "wu", "徐": "xu",
}  # fmt: skip
GIVEN: Final = "伟芳敏静磊洋艳超秀霞平桂兰志雪琴浩宇欣怡文博凯玲青强亭岳叶颖君"
WESTERN: Final = ("Almer", "Brontin", "Calder", "Dorwick", "Elsham", "Farlow", "Garrick", "Holbrun")
FIRST: Final = ("Ada", "Bruno", "Clara", "Edvin", "Frida", "Gustav", "Hanna", "Ivo")
CITIES: Final = (
    ("广州", "广东省", "510000"), ("深圳", "广东", "518000"), ("北京", "北京市", "100000"),
    ("上海", "上海", "200000"), ("成都", "四川省", "610000"), ("南宁", "广西壮族自治区", "530000"),
)  # fmt: skip
STREETS: Final = ("人民路", "中山路", "建设路", "解放路", "光明街", "新华街")
ITEMS: Final = (
    ("东北大米 5kg", "food/grain/rice", 49.9), ("挂面 1kg", "food/grain/noodles", 9.9),
    ("花生油 5L", "food/oil/peanut", 89.0), ("芝麻油 500ml", "food/oil/sesame", 25.5),
    ("铁锅 32cm", "home/kitchen/wok", 129.0), ("菜刀", "home/kitchen/knife", 59.0),
    ("毛巾", "home/bath/towel", 15.8), ("耳机", "digital/audio/earphone", 199.0),
    ("手机", "digital/phone/android", 1999.0), ("手机壳", "digital/phone/case", 29.0),
    ("纸尿裤 L", "baby/care/diaper", 99.0), ("跑鞋", "sport/shoes/running", 359.0),
)  # fmt: skip
OTHERS: Final = {
    "food/grain/rice": ("丝苗米 10kg", "泰国香米 2kg", "糯米 1kg", "糙米 1kg"),
    "food/grain/noodles": ("荞麦面 800g", "意大利面 500g", "米粉 1kg", "方便面 5 包"),
    "food/oil/peanut": ("花生油 1.8L", "古法花生油 2.5L", "浓香花生油 4L", "花生油礼盒"),
    "food/oil/sesame": ("小磨香油 250ml", "黑芝麻油 350ml", "白芝麻油 500ml", "芝麻油礼盒"),
    "home/kitchen/wok": ("不粘炒锅 30cm", "平底锅 28cm", "铸铁炒锅 34cm", "小奶锅"),
    "home/kitchen/knife": ("水果刀", "切片刀", "斩骨刀", "刀具套装"),
    "home/bath/towel": ("浴巾", "方巾 3 条", "速干毛巾", "儿童毛巾"),
    "baby/care/diaper": ("纸尿裤 S", "纸尿裤 M", "纸尿裤 XL", "拉拉裤 L"),
    "sport/shoes/running": ("越野跑鞋", "缓震跑鞋", "竞速跑鞋", "儿童跑鞋"),
    "digital/phone/android": ("手机 Pro", "手机 Lite", "折叠手机", "老人手机"),
    "digital/phone/case": ("硅胶手机壳", "透明手机壳", "皮质手机壳", "防摔手机壳"),
    "digital/audio/earphone": ("降噪耳机", "头戴耳机", "运动耳机", "有线耳机"),
}
"""What else there is of each category, besides what is ordered."""
TAGS: Final = ("经济", "畅销", "新品", "礼品", "品质")
FIRST_ITEM: Final = 1001
DEGREES: Final = ("高中", "专科", "本科", "硕士", "博士")


def logins() -> list[str]:
    """The names by which customers log in to the sample shop, in order."""
    lines = LOG.read_text(encoding="utf-8", errors="replace").splitlines()
    names = {word for line in lines for word in line.split(" ", 3)[2:3]}
    return sorted(name for name in names if name.isascii() and "." in name and name.replace(".", "").isalpha())


def identity_number(rng: Random, born: date, female: bool) -> str:
    """A number of an identity card with a right check digit, of a region that there is none of."""
    body = f"990099{born:%Y%m%d}{rng.randrange(50) * 2 + (not female):03d}"
    total = sum(int(digit) * (1 << (17 - at)) for at, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def person(rng: Random, number: int, login: str | None) -> Row:
    """A customer as the shop's own records have it."""
    chinese = login is not None or rng.random() < 0.85
    family = next((sign for sign, read in FAMILY.items() if login and login.split(".")[0] == read), None)
    family = family or (rng.choice(list(FAMILY)) if chinese else rng.choice(WESTERN))
    given = "".join(rng.sample(GIVEN, rng.choice((1, 2, 2)))) if chinese else rng.choice(FIRST)
    born = date(1955, 1, 1) + timedelta(days=rng.randrange(365 * 48))
    female = rng.random() < 0.5
    city, region, code = rng.choice(CITIES)
    plain = login or f"{(FAMILY.get(family) or family).lower()}{number}"
    return {
        "编号": f"K{number:04d}",
        "姓名": family + given if chinese else f"{given} {family}",
        "性别": rng.choice(("女", "女士") if female else ("男", "先生")),
        "出生日期": born,
        "身份证号": identity_number(rng, born, female) if rng.random() < 0.6 else "",
        "手机号": f"1{rng.choice('3589')}{rng.randrange(10):d}0000{rng.randrange(10_000):04d}",
        "邮箱": f"{plain}@example.com" if rng.random() < 0.8 else "",
        "地址": f"{rng.choice(STREETS)}{rng.randrange(1, 300)}号",
        "城市": city,
        "省份": region,
        "邮编": code,
        "注册日期": DAYS[0] - timedelta(days=rng.randrange(900)),
        "登录名": login or "",
        "学历": rng.choice(DEGREES),
    }


def written(rng: Random, row: Row) -> Row:
    """The row as it stands in the file: phones and dates in any of some ways."""
    phone: str = row["手机号"]
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    phones = (phone, f"+86 {phone}", f"{phone[:3]}-{phone[3:7]}-{phone[7:]}", f"0086{phone}", phone.translate(wide))
    ways = ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日")
    mail: str = row["邮箱"]
    return row | {
        "手机号": rng.choice(phones),
        "出生日期": row["出生日期"].strftime(rng.choice(ways)),
        "注册日期": row["注册日期"].strftime(ways[0]),
        "邮箱": mail.upper() if rng.random() < 0.1 else mail,
    }


def again(rng: Random, row: Row, number: int) -> Row:
    """Another record of the same person: a new number, some fields lost or different."""
    lost = rng.sample(("身份证号", "邮箱", "学历"), 2)
    return (
        row
        | {"编号": f"K{number:04d}", "登录名": "", "地址": f"{rng.choice(STREETS)}{rng.randrange(1, 300)}号"}
        | dict.fromkeys(lost, "")
    )


def customers(rng: Random) -> tuple[list[Row], list[Row], dict[str, str]]:
    """The people, the rows of the file, and of each further record whose it is."""
    known = logins()
    people = [person(rng, at, known[at - 1] if at <= len(known) else None) for at in range(1, PEOPLE + 1)]
    some = rng.sample(people, TWICE)
    more = [again(rng, row, PEOPLE + at) for at, row in enumerate(some, 1)]
    rows = [written(rng, row) for row in (*people, *more)]
    rows[5]["邮箱"] = "not an address"
    rows[17]["出生日期"] = "1987-02-30"
    truth = {new["编号"]: old["编号"] for new, old in zip(more, some, strict=True)}
    return people, rows, truth


def favourites(rng: Random, taste: str | None) -> list[tuple[str, str, float]]:
    """Three items that a customer orders, the first of them of the category that the customer likes best."""
    likes = rng.sample(ITEMS, 3)
    best = next((item for item in ITEMS if item[1] == taste), likes[0])
    return [best, *(item for item in likes if item != best)][:3]


def catalog() -> list[Row]:
    """The items of the shop's pages: five of each category; one is sold out, one is offered no more, one not yet."""
    truth = json.loads(LOG_TRUTH.read_text(encoding="utf-8"))["items"]
    ordered = {category: (title, price) for title, category, price in ITEMS}
    rows = []
    for number, category in truth.items():
        at = (int(number) - FIRST_ITEM) % len(TAGS)
        title, price = ordered[category]
        one, two, three = category.split("/")
        rows.append(
            {
                "商品编号": number,
                "名称": title if at == 0 else OTHERS[category][at - 1],
                "一级类目": one,
                "二级类目": two,
                "三级类目": three,
                "标签": f"{TAGS[at]}|{'日用' if one in ('food', 'home', 'baby') else '耐用'}",
                "价格": f"{price * (1 + at / 4):.2f}",
                "库存": 0 if number == "1004" else 20 + int(number) % 50,
                "上架时间": "2026-06-01" if number == "1025" else "2025-01-01",
                "下架时间": "2026-01-31" if number == "1038" else "",
                "链接": f"https://shop.example/item/{number}",
            }
        )
    return rows


def orders(rng: Random, people: list[Row]) -> list[Row]:
    """What the people have ordered: each has a rate and some favourites, and some have stayed away at some day.

    Whoever logs in to the sample shop likes best what the log's truth says, and orders it more often than the others.
    """
    tastes = json.loads(LOG_TRUTH.read_text(encoding="utf-8"))["tastes"]
    found = []
    span = (DAYS[1] - DAYS[0]).days
    for row in people:
        mean, likes = rng.lognormvariate(3.6, 0.6), favourites(rng, tastes.get(row["登录名"]))
        gone = rng.randrange(span) if rng.random() < 0.35 else span
        day = rng.expovariate(1 / mean)
        while day < gone:
            at = datetime.combine(DAYS[0], datetime.min.time()) + timedelta(days=day)
            first = likes[0] if rng.random() < 0.5 else rng.choice(likes)
            second = [rng.choice([item for item in likes if item != first])] if rng.random() < 1 / 3 else []
            for line, (item, category, price) in enumerate([first, *second], 1):
                count = rng.choice((1, 1, 1, 2, 3))
                found.append((at, line, row["编号"], item, category, count, round(count * price, 2)))
            day += rng.expovariate(1 / mean)
    found.sort()
    numbers: dict[tuple[datetime, str], str] = {}
    rows = []
    for at, line, who, item, category, count, amount in found:
        number = numbers.setdefault((at, who), f"D{len(numbers) + 1:05d}")
        order = {"订单号": number, "行号": line, "客户编号": who, "下单时间": f"{at:%Y-%m-%d %H:%M:%S}"}
        rows.append(order | {"商品": item, "类目": category, "数量": count, "金额": f"{amount:.2f}", "状态": "已完成"})
    returned = [
        row | {"订单号": f"R{row['订单号'][1:]}", "行号": 1, "金额": f"-{row['金额']}", "状态": "已退货"}
        for row in rng.sample(rows, 6)
    ]
    return [*rows, *returned]


def answers(rng: Random, people: list[Row]) -> list[Row]:
    """Answers to two questions."""
    rows = []
    for row in rng.sample(people, 90):
        day = DAYS[1] - timedelta(days=rng.randrange(180))
        happy = min(10, max(0, round(rng.gauss(8, 2))))
        rows.append({"客户编号": row["编号"], "日期": day.isoformat(), "问题": "nps", "评分": happy})
        if rng.random() < 0.6:
            rows.append(
                {"客户编号": row["编号"], "日期": day.isoformat(), "问题": "csat", "评分": max(1, (happy + 1) // 2)}
            )
    return rows


def consents(rng: Random, people: list[Row]) -> list[Row]:
    """What the people have agreed to, and some withdrawn."""
    rows = []
    for row in people:
        for channel in ("email", "sms"):
            if rng.random() < 0.7:
                day = row["注册日期"]
                rows.append(
                    {
                        "客户编号": row["编号"],
                        "渠道": channel,
                        "同意": "是",
                        "时间": day.isoformat(),
                        "来源": "注册表单",
                    }
                )
                if rng.random() < 0.15:
                    later = day + timedelta(days=30)
                    rows.append(
                        {
                            "客户编号": row["编号"],
                            "渠道": channel,
                            "同意": "否",
                            "时间": later.isoformat(),
                            "来源": "热线",
                        }
                    )
    return rows


def as_csv(rows: list[Row]) -> str:
    """Rows as csv in UTF-8 with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def files() -> dict[str, str]:
    """The files by their names."""
    rng = Random(SEED)
    people, rows, truth = customers(rng)
    bought = orders(rng, people)
    truths = {"customers": len(rows), "same": truth, "orders": len(bought)}
    return {
        "customers.csv": as_csv(rows),
        "orders.csv": as_csv(bought),
        "surveys.csv": as_csv(answers(rng, people)),
        "consents.csv": as_csv(consents(rng, people)),
        "catalog.csv": as_csv(catalog()),
        "truth.json": json.dumps(truths, ensure_ascii=False, indent=1) + "\n",
    }


def main() -> None:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="say whether the files are as this program writes them")
    check = parser.parse_args().check
    for name, text in files().items():
        file = HERE / name
        if not check:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            sys.exit(f"{file} is not as this program writes it; run it without --check")


if __name__ == "__main__":
    main()

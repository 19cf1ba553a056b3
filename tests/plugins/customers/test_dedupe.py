"""`crm customers dedupe`."""

import json
import random
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

HEAD = "编号,姓名,手机号,出生日期"


def dedupe(crm: "Crm", rows: list[str], *options: object) -> list[dict[str, Any]]:
    return crm.rows("customers", "dedupe", "--input", crm.log("people.csv", *rows), *options)


def strangers(count: int) -> list[str]:
    """Rows of people who have nothing to do with each other."""
    dice = random.Random(3)
    names = [family + given for family in "王李刘陈杨黄赵吴" for given in ("建国", "雪梅", "海燕", "思远", "文")]
    return [
        f"s{n},{names[n % len(names)]},1{dice.randrange(3 * 10**9, 10**10)},"
        f"{dice.randrange(1950, 2005)}-0{dice.randrange(1, 10)}-{dice.randrange(10, 29)}"
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "other",
    [
        "2,张晓伟,+86 138-0013-8000,1980年1月2日",
        "2,张晓伟,１３８００１３８０００,1980/01/02",
        "2,zhang xiaowei,0086 13800138000,19800102",
        "2,晓伟张,13800138000,1980-1-2",
        "2,Xiaowei Zhang,(138) 0013 8000,1980-02-01",
        "2,张小卫,13800138001,1980-01-02",
        "2,张晓伟,13800138000,",
    ],
)
def test_one_person_is_found_in_any_way_of_writing(crm: "Crm", other: str) -> None:
    (pair,) = dedupe(crm, [HEAD, "1,张晓伟,13800138000,1980-01-02", other, *strangers(60)])
    assert (pair["id_a"], pair["id_b"]) == ("1", "2")


def test_strangers_are_not_taken_for_one_person(crm: "Crm") -> None:
    assert dedupe(crm, [HEAD, *strangers(400)]) == []


def homes(count: int) -> list[str]:
    """Rows of two people in each home: one address, one phone, one family name."""
    dice = random.Random(4)
    rows = []
    for n in range(count):
        family = "".join(dice.choices("abcdefghiklmnoprstu", k=7))
        home = f"{dice.randrange(10**6, 10**7)},{dice.randrange(1, 300)} {dice.choice(STREETS)} street,perth"
        for who in dice.sample(("alice", "robert", "joan", "simon", "judith", "mark"), 2):
            birth = f"{dice.randrange(1940, 2005)}-0{dice.randrange(1, 10)}-{dice.randrange(10, 29)}"
            rows.append(f"{n}{who},{who} {family},{birth},{home}")
    return rows


STREETS = ("high", "station", "church", "mill", "king", "queen", "park", "victoria", "grange")


def test_people_of_one_home_are_not_one_person(crm: "Crm") -> None:
    head = "id,name,birth,phone,address,city"
    rows = homes(150)
    assert dedupe(crm, [head, *rows]) == []
    twice = [f"again{row}".replace(" street", " stret") for row in rows[::5]]
    found = dedupe(crm, [head, *rows, *twice])
    assert {(pair["id_a"], pair["id_b"]) for pair in found if pair["verdict"] == "same"} == {
        (row.split(",")[0], "again" + row.split(",")[0]) for row in rows[::5]
    }


def test_a_warning_says_when_little_tells_people_apart(crm: "Crm") -> None:
    words = "little tells the people of one household apart"
    file = crm.log("a.csv", "id,name,address", "1,bob smith,1 high street")
    assert words in crm("customers", "dedupe", "--input", file).stderr
    file = crm.log("b.csv", "id,name,birth", "1,bob smith,1980-01-02")
    assert words not in crm("customers", "dedupe", "--input", file).stderr


def test_the_levels_of_a_pair_are_told(crm: "Crm") -> None:
    rows = [HEAD, "1,张晓伟,13800138000,1980-01-02", "2,张小维,13800138000,1980-01-02", "3,,,", *strangers(60)]
    (pair,) = dedupe(crm, rows)
    levels = {name: level for name, level in pair.items() if name.endswith("_level")}
    assert levels == {
        "given_level": "close",
        "family_level": "exact",
        "phone_level": "exact",
        "birth_level": "exact",
    }
    assert pair["verdict"] == "same"
    assert 0.9 <= pair["probability"] <= 1
    assert pair["weight"] > 0
    (pair,) = dedupe(crm, [*rows[:1], "1,张晓伟,13800138000,1980-01-02", "2,张晓伟,13800138000,", *strangers(60)])
    assert pair["birth_level"] == "missing"


def test_pairs_below_the_threshold_are_doubtful_and_those_below_that_are_not_listed(crm: "Crm") -> None:
    rows = [HEAD, "1,张晓伟,13800138000,1980-01-02", "2,张晓伟,13800138000,1980-01-02", "3,张晓伟,,1980-01-02"]
    found = dedupe(crm, rows + strangers(60), "--doubtful", 0)
    assert [pair["probability"] for pair in found] == sorted((p["probability"] for p in found), reverse=True)
    middle = found[1]["probability"]
    listed = dedupe(crm, rows + strangers(60), "--threshold", found[0]["probability"], "--doubtful", middle)
    assert {pair["verdict"] for pair in listed if pair["probability"] < found[0]["probability"]} <= {"doubtful"}
    assert [pair["probability"] for pair in listed] == [p["probability"] for p in found if p["probability"] >= middle]
    assert listed[0]["verdict"] == "same"


def test_persons_are_told_for_every_record_in_the_order_of_the_file(crm: "Crm") -> None:
    rows = [HEAD, "b,李静,13900001111,1990-05-06", "a,张晓伟,13800138000,1980-01-02", *strangers(30)]
    rows.insert(3, "c,张晓伟,+8613800138000,1980/1/2")
    found = dedupe(crm, rows, "--persons")
    assert [row["id"] for row in found][:3] == ["b", "a", "c"]
    assert [row["person"] for row in found] == [1, 2, 2, *range(3, 33)]
    assert [row["records"] for row in found][:3] == [1, 2, 2]


def test_any_number_of_records_that_are_written_alike_are_one_person(crm: "Crm") -> None:
    rows = [HEAD, *(f"a{n},张晓伟,13800138000,1980-01-02" for n in range(400)), *strangers(60)]
    found = dedupe(crm, rows, "--persons")
    assert {row["person"] for row in found[:400]} == {1}
    assert [row["records"] for row in found[400:]] == [1] * 60


def test_parameters_tell_what_was_learnt(crm: "Crm") -> None:
    twice = [row.replace("s", "t", 1) for row in strangers(40)]
    found = dedupe(crm, [HEAD, *strangers(60), *twice], "--parameters")
    phone = {row["level"]: row for row in found if row["field"] == "phone"}
    assert {row["column"] for row in found} == {"姓名", "手机号", "出生日期"}
    assert phone["exact"]["pairs"] == 40
    assert phone["exact"]["m"] > 0.9
    assert phone["exact"]["u"] < 0.1
    assert phone["exact"]["weight"] > 3 > 0 > phone["different"]["weight"]


def test_columns_can_be_told(crm: "Crm") -> None:
    rows = ["k,q1,q2,q3", *(row for row in strangers(60)), "x,张晓伟,13800138000,1980-01-02", "y,张晓伟,13800138000,"]
    found = dedupe(crm, rows, "--match", "name=q1,phone=q2", "--match", "birth=q3", "--id", "k")
    assert [(pair["id_a"], pair["id_b"]) for pair in found] == [("x", "y")]


def test_without_a_column_for_it_a_record_is_called_by_its_row(crm: "Crm") -> None:
    rows = ["姓名,手机号,出生日期", "张晓伟,13800138000,1980-01-02", "李静,,", "张晓伟,13800138000,1980-01-02"]
    found = dedupe(crm, rows)
    assert [(pair["id_a"], pair["id_b"]) for pair in found] == [(1, 3)]


def test_a_field_can_be_left_out(crm: "Crm") -> None:
    (pair,) = dedupe(crm, [HEAD, *strangers(60), "1,张晓伟,13800138000,", "2,张晓伟,13800138000,"], "--match", "birth=")
    assert "birth_level" not in pair


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "say which is which, for example --match name=COLUMN,phone=COLUMN"),
        (("--match", "name=a"), "only `a` is known as name"),
        (("--match", "name=a,fone=b"), "no field `fone` (did you mean `phone`?)"),
        (("--match", "name=a,phone=bb"), "there is no column `bb`"),
        (("--match", "name=a,phone=a"), "given to two fields"),
        (("--match", "name=a,name=b"), "given twice"),
        (("--match", "name"), "not of the form FIELD=COLUMN"),
        (("--match", "name=a,phone=b", "--id", "d"), "no column `d`"),
        (("--match", "name=a,phone=b", "--parameters", "--persons"), "exclude each other"),
        (("--match", "name=a,phone=b", "--doubtful", "0.95"), "above --threshold"),
    ],
)
def test_mistakes_are_told(crm: "Crm", options: tuple[str, ...], sentence: str) -> None:
    file = crm.log("x.csv", "a,b,c", "1,2,3")
    assert sentence in crm("customers", "dedupe", "--input", file, *options, code=2).stderr


@pytest.mark.parametrize("option", ["--pairs", "--persons", "--parameters"])
@pytest.mark.parametrize("rows", [[], ["1,bob smith,5551234567"], ["1,,", "2,,"]])
def test_small_files_are_no_trouble(crm: "Crm", rows: list[str], option: str) -> None:
    file = crm.log("x.csv", "id,name,phone", *rows)
    found = json.loads(crm("customers", "dedupe", "--input", file, option, "-f", "json").stdout)
    assert len(found) == (len(rows) if option == "--persons" else 0)


def test_ids_out_of_a_personal_column_are_masked(crm: "Crm") -> None:
    rows = ["customer,姓名,手机号", "zhang.wei,张晓伟,13800138000", "zhang.w,张晓伟,13800138000"]
    shown = dedupe(crm, rows, "--id", "customer", "--match", "name=姓名,phone=手机号", "--doubtful", 0)
    assert [(pair["id_a"], pair["id_b"]) for pair in shown] == [("z***", "z***")]
    people = dedupe(crm, rows, "--id", "customer", "--match", "name=姓名,phone=手机号", "--persons")
    assert {row["id"] for row in people} == {"z***"}
    crm("logs", "mine", crm.log("a.log", crm.line()))
    bare = dedupe(crm, rows, "--id", "customer", "--match", "name=姓名,phone=手机号", "--doubtful", 0, "--unmask")
    assert [(pair["id_a"], pair["id_b"]) for pair in bare] == [("zhang.w", "zhang.wei")]
    (entry,) = crm.rows("query", "select what from audit")
    assert entry["what"].endswith("customers dedupe: customer")


def test_without_rapidfuzz_the_extra_is_named(crm: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    result = crm("customers", "dedupe", "--input", crm.log("x.csv", "id,name,phone", "1,bob,12345"), code=2)
    assert "pip install 'crm-toolkit[match]'" in result.stderr


def same_person(one: str, other: str) -> bool:
    return one.split("-")[1] == other.split("-")[1]


@pytest.mark.reference
@pytest.mark.parametrize(("number", "true"), [(1, 500), (2, 1_934), (3, 6_538)])
@pytest.mark.parametrize("by", ["pairs", "persons"])
def test_the_people_of_febrl_are_found(crm: "Crm", reference_data: Path, number: int, true: int, by: str) -> None:
    file = reference_data / "febrl" / f"dataset{number}.csv.gz"
    if by == "pairs":
        found = crm.rows("customers", "dedupe", "--input", file)
        pairs = [(row["id_a"], row["id_b"]) for row in found if row["verdict"] == "same"]
    else:
        people: dict[int, list[str]] = {}
        for row in crm.rows("customers", "dedupe", "--input", file, "--persons"):
            people.setdefault(row["person"], []).append(row["id"])
        pairs = [pair for members in people.values() for pair in combinations(members, 2)]
    assert max(Counter(map(frozenset, pairs)).values()) == 1
    right = sum(same_person(*pair) for pair in pairs)
    assert 2 * right / (len(pairs) + true) >= 0.995

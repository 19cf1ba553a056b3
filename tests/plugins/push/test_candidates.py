"""`crm push candidates` from the command line: files, the outbox, arms, misses, and mistakes."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from crm.segments import replace

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

RANKER = """
import polars as pl
from crm.hookspecs import Algorithm

class ById:
    def __init__(self, least=""):
        self.least = least

    def fit(self, events, items):
        if self.least == "none":
            raise ValueError("there is none")
        return self

    def recommend(self, who, k, allowed):
        items = allowed.items.filter(allowed.items >= self.least + "").sort().alias("item").to_frame()
        rows = who.alias("who").to_frame().join(items, how="cross")
        rows = rows.join(allowed.without, on=["who", "item"], how="anti")
        rows = rows.sort("who", "item").group_by("who", maintain_order=True).head(k)
        rank = pl.int_range(1, pl.len() + 1).over("who")
        return rows.with_columns(rank.alias("rank"), (1 / rank).alias("score"), pl.lit("by id").alias("reason"))

@hookimpl
def recommenders():
    return [Algorithm("by-id", ById)]
"""
ITEMS = """\
item,title,level1,level2,level3,tags
1,Rice,food,grain,rice,new
2,Basmati,food,grain,rice,
3,Noodles,food,grain,noodles,
4,Towel,home,bath,towel,
5,Phone,digital,phone,case,
"""
CAMPAIGN = "name: spring\nalgorithm: by-id\nchannels: [email]\n"
AT = ("--at", "2026-03-16T12:00", "--unmask")


@pytest.fixture
def shop(crm_on: "Crm") -> "Crm":
    """Four customers: a likes rice, b noodles that it has bought, c towels without an address, d nothing known."""
    crm = crm_on
    crm.plugin("ranker", RANKER)
    crm.log("items.csv", *ITEMS.splitlines())
    crm.log(
        "customers.csv",
        "customer,email,city",
        "a,a@x.example,Wuhan",
        "b,b@x.example,",
        "c,,",
        "d,d@x.example,",
        "e,e@x.example,",
    )
    crm.log("consents.csv", "customer,channel,ts,granted", *(f"{who},email,2026-01-01,yes" for who in "abcd"))
    orders = ("1,1,a,2026-03-01,Rice,5", "2,1,b,2026-03-01,Noodles,5", "3,1,c,2026-03-01,Towel,5")
    crm.log("orders.csv", "order_id,line,customer,ts,item,amount", *orders)
    for group, file in (("catalog", "items"), ("customers",) * 2, ("consents",) * 2, ("orders",) * 2):
        crm(group, "import", crm.folder / f"{file}.csv")
    return crm


def campaign(crm: "Crm", text: str = "") -> tuple[str, str]:
    file = crm.folder / "spring.yaml"
    file.write_text(CAMPAIGN + text)
    return "--campaign", str(file)


def listed(rows: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(row["customer"], row["item"], row["level"]) for row in rows]


def test_level_3_comes_first_and_level_2_of_the_branch_where_it_has_nothing(shop: "Crm") -> None:
    rows = shop.rows("push", "candidates", *campaign(shop), *AT)
    # a has bought rice, and gets other rice; b has bought all noodles there are, and gets what else is of grain
    assert listed(rows) == [("a", "2", 3), ("b", "1", 2), ("b", "2", 2)]
    assert rows[0] == {
        "customer": "a", "rank": 1, "item": "2", "title": "Basmati", "category": "food/grain/rice", "level": 3,
        "score": 1.0, "reason": "by id", "channel": "email", "send_after": "2026-03-16T12:00:00+00:00",
    }  # fmt: skip
    said = shop("push", "candidates", *campaign(shop), *AT).stderr
    assert "spring: 5 customers = 2 listed + 2 left out + 1 for whom nothing was found" in said
    assert "left out: 1 no consent, 1 no address" in said


def test_what_was_looked_for_in_vain_is_listed(shop: "Crm") -> None:
    words = ("push", "candidates", *campaign(shop, "levels: [3]\n"), "--misses", *AT)
    rows = {row["customer"]: (row["level"], row["key"], row["reason"]) for row in shop.rows(*words)}
    assert rows == {"b": ("3", "food/grain/noodles", "all had already"), "d": ("", "", "no interest known")}


def test_queueing_twice_queues_once(shop: "Crm") -> None:
    words = ("push", "candidates", *campaign(shop), *AT, "--queue")
    assert "2 messages queued in round 2026-03-16 of spring" in shop(*words).stderr
    again = shop(*words).stderr
    assert "0 messages queued" in again
    assert "2 written to in this round" in again
    (a, b) = shop.rows("query", "--unmask", "select * from outbox order by customer")
    assert (a["customer"], a["campaign"], a["channel"], a["state"], a["items"]) == (
        "a", "spring", "email", "queued", '["2"]',
    )  # fmt: skip
    assert json.loads(b["data"]) == {"items": {"1": {"reason": "by id"}, "2": {"reason": "by id"}}}
    arms = shop.rows("query", "--unmask", "select campaign, customer, arm from campaign_arms order by customer")
    assert [(row["customer"], row["arm"]) for row in arms] == [("a", "treated"), ("b", "treated")]
    assert [row["customer"] for row in shop.rows("query", "--unmask", "select customer from misses")] == ["d"]
    rows = shop.rows("push", "candidates", *campaign(shop, "round: second\nskip: []\n"), *AT, "--queue")
    assert {row["customer"] for row in rows} == {"a", "b"}
    assert len(shop.rows("push", "outbox")) == 4


def test_a_segment_a_tier_and_a_condition_narrow_the_audience(shop: "Crm") -> None:
    replace(shop.open(), [("few", ["a", "b"]), ("tier:A", ["b", "c"]), ("tier:B", ["a"])])
    for text, people in (
        ("segment: few", {"a", "b"}),
        ("tier: [A]", {"b"}),
        ("tier: [B, A]", {"a", "b"}),
        ("where: \"city = 'Wuhan'\"", {"a"}),
        ("segment: few\ntier: [A]\nwhere: \"city = 'Wuhan'\"", set()),
    ):
        rows = shop.rows("push", "candidates", *campaign(shop, f"{text}\n"), *AT)
        assert {row["customer"] for row in rows} == people


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("segment: fwe", 4, "`segment`: no segment `fwe`"),
        ("tier: [gold]", 4, "`tier`: no tier `gold`; there are none yet"),
        ("channels: [emial]", 4, "`channels`: no channel `emial` (did you mean `email`?)"),
        ("algorithm: by-ids", 4, "`algorithm`: no algorithm `by-ids` (did you mean `by-id`?)"),
        (
            "parameters: {lest: 1}",
            4,
            "`parameters`: by-id has no parameter `lest` (did you mean `least`?); it takes least",
        ),
        ("where: 'city ='", 2, "`where`"),
        ("where: 'cty is null'", 2, "there is no column `cty` (did you mean `city`?)"),
        ("template: sprnig", 4, "`template`: no template `sprnig`; there are: default"),
        ("contorl: 0.1", 4, "unknown key `contorl` (did you mean `control`?)"),
    ],
)
def test_mistakes(shop: "Crm", text: str, code: int, said: str) -> None:
    file = shop.folder / "spring.yaml"
    own = text.split(":")[0]
    kept = [line for line in CAMPAIGN.splitlines() if not line.startswith(own)]
    file.write_text("\n".join([*kept, text, ""]))
    assert said in shop("push", "candidates", "--campaign", file, code=code).stderr


def test_a_viewer_may_not_queue(shop: "Crm") -> None:
    shop.configure("plugins: {folder: plugins}\naccess: {role: viewer}\n")
    shop("push", "candidates", *campaign(shop), "--queue", code=7)


def test_a_channel_may_need_the_consent_to_another(shop: "Crm") -> None:
    campaign = shop.log("file.yaml", "name: spring", "algorithm: by-id", "channels: [file]")
    assert shop.rows("push", "candidates", "--campaign", campaign, *AT) == []
    shop.configure("plugins: {folder: plugins}\npush: {consents: {file: email}}\n")
    rows = shop.rows("push", "candidates", "--campaign", campaign, *AT, "--queue")
    assert {row["channel"] for row in rows} == {"file"}
    who = sorted({row["customer"] for row in rows})
    shop("customers", "consent", who[0], "--channel", "email", "--withdraw")
    shop("push", "send")
    states = {row["customer"]: row["state"] for row in shop.rows("push", "outbox", "--unmask")}
    assert states == {who[0]: "failed", **dict.fromkeys(who[1:], "acknowledged")}
    message = next(row["message"] for row in shop.rows("push", "outbox") if row["state"] == "acknowledged")
    shop("push", "feedback", shop.log("f.csv", "message,event,ts", f"{message},unsubscribed,2026-03-17"))
    withdrawn = [row["channel"] for row in shop.rows("consents", "list", "--where", "not granted")]
    assert withdrawn == ["email", "email"]


def test_a_channel_that_needs_a_consent_and_is_unknown_is_named(shop: "Crm") -> None:
    shop.configure("plugins: {folder: plugins}\npush: {consents: {fil: email}}\n")
    assert "`push.consents`: no channel `fil` (did you mean `file`?)" in shop("push", "candidates", code=4).stderr


@pytest.mark.parametrize(
    ("algorithm", "name", "value"),
    [
        ("ease", "penalty", "many"),
        ("popularity", "half_life", "0"),
        ("weighted", "weights", "[1]"),
        ("layered", "candidates", "-5"),
    ],
)
def test_a_parameter_without_sense_is_told(shop: "Crm", algorithm: str, name: str, value: str) -> None:
    wanted = f"parameters: {{{name}: {value}}}"
    campaign = shop.log("w.yaml", "name: spring", f"algorithm: {algorithm}", "channels: [email]", wanted)
    said = shop("push", "candidates", "--campaign", campaign, *AT, code=4).stderr
    assert f"w.yaml: `parameters.{name}`: expected " in said


def test_a_parameter_of_which_nothing_is_said_and_that_does_not_work_is_told(shop: "Crm") -> None:
    wanted = "parameters: {least: none}"
    campaign = shop.log("w.yaml", "name: spring", "algorithm: by-id", "channels: [email]", wanted)
    said = shop("push", "candidates", "--campaign", campaign, *AT, code=4).stderr
    assert "`parameters`: by-id does not work with least: 'none' (ValueError)" in said
    assert "`crm recommend algorithms` shows values that do" in said


def test_a_part_of_the_catalogue_that_is_not_there_is_told(shop: "Crm") -> None:
    part = "items: {categories: [food, foood], tags: [nosuch], ids: [nothing]}"
    campaign = shop.log("part.yaml", "name: spring", "algorithm: by-id", "channels: [email]", part)
    said = shop("push", "candidates", "--campaign", campaign, *AT).stderr
    assert "`items.categories`: the catalogue has no category `foood` (did you mean `food`?)" in said
    assert "`items.tags`: the catalogue has no tag `nosuch`" in said
    assert "`items.ids`: the catalogue has no item `nothing`" in said
    assert "category `food`" not in said


def test_a_condition_that_is_true_of_nobody_says_why(shop: "Crm") -> None:
    campaign = shop.log("who.yaml", "name: spring", "channels: [email]", "where: customer = 'K0001'")
    said = shop("push", "candidates", "--campaign", campaign, *AT).stderr
    assert "`where` is true of nobody; personal fields, ids too, are masked in it" in said


@pytest.mark.parametrize("said", ["E-Mail", "电子邮件"])
def test_a_consent_is_found_in_any_writing(shop: "Crm", said: str) -> None:
    campaign = shop.log("file.yaml", "name: spring", "algorithm: by-id", "channels: [file]")
    shop.configure(f"plugins: {{folder: plugins}}\npush: {{consents: {{file: {said}}}}}\n")
    assert shop.rows("push", "candidates", "--campaign", campaign, *AT)


@pytest.mark.parametrize("said", ["''", "all"])
def test_a_channel_needs_the_consent_to_one(shop: "Crm", said: str) -> None:
    shop.configure(f"plugins: {{folder: plugins}}\npush: {{consents: {{file: {said}}}}}\n")
    assert "`push.consents.file` names no channel of consents" in shop("push", "candidates", code=4).stderr


def test_times_are_whole_seconds(shop: "Crm") -> None:
    campaign = shop.log("now.yaml", *CAMPAIGN.splitlines())
    shop("push", "candidates", "--campaign", campaign, "--queue")
    rows = shop.rows("push", "outbox", "--columns", "queued,send_after")
    assert rows
    assert not any("." in text for row in rows for text in row.values())


def test_a_campaign_that_is_no_file_is_told_that_one_is_meant(crm: "Crm") -> None:
    said = crm("push", "candidates", "--campaign", "spring", code=2).stderr
    assert said == "crm: --campaign: there is no file spring; name the YAML file of the campaign\n"

"""Customers and orders come in from files, are accounted for, and go out again unchanged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm.records import Records
from plugins.customers import targets

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

FORMATS = ("csv", "tsv", "json", "ndjson", "parquet", "xlsx")
ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "sample_data"

CHINESE = """\
编号,姓名,性别,出生日期,手机号,邮箱,省份,学历
K1,张三,男,1980年3月4日,+86 138-0013-8000,ZHANG@Example.COM,广西壮族自治区,本科
K2,李　四,女士,1990/1/2,１３９００１３９０００,li@example.com,北京市,
K3,王五,先生,1987-02-30,13700137000,,上海,博士
"""


def customers(crm: "Crm") -> pl.DataFrame:
    return crm.open().records.frame("customers").sort("customer")


def outcome(crm: "Crm", *args: object) -> dict[str, int]:
    return {row["outcome"]: row["rows"] for row in crm.rows(*args)}


def write(crm: "Crm", name: str, text: str, encoding: str = "utf-8") -> Path:
    file = crm.folder / name
    file.write_text(text, encoding=encoding)
    return file


class TestCustomers:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_values_are_brought_into_form_and_bad_rows_are_set_aside(self, crm: "Crm", encoding: str) -> None:
        file = write(crm, "members.csv", CHINESE, encoding)
        found = outcome(crm, "customers", "import", file, "--rejects", crm.folder / "rejects.csv")
        assert found == {"new": 2, "changed": 0, "same": 0, "repeated": 0, "rejected": 1, "rows": 3}
        first, second = customers(crm).to_dicts()
        assert first["phone"] == "+8613800138000"
        assert first["email"] == "zhang@example.com"
        assert str(first["birth"]) == "1980-03-04"
        assert (first["sex"], first["region"], first["source"]) == ("m", "广西", "members.csv")
        assert json.loads(first["extras"]) == {"学历": "本科"}
        assert json.loads(first["original"])["phone"] == "+86 138-0013-8000"
        assert second["name"] == "李 四"
        assert second["extras"] is None
        rejects = pl.read_csv(crm.folder / "rejects.csv", infer_schema=False)
        assert rejects.select("row", "column", "编号", "出生日期").row(0) == ("3", "出生日期", "K3", "1987-02-30")

    def test_repaired_rejects_go_in(self, crm: "Crm") -> None:
        file = write(crm, "members.csv", CHINESE)
        rejects = crm.folder / "rejects.csv"
        crm("customers", "import", file, "--rejects", rejects)
        rejects.write_text(rejects.read_text("utf-8").replace("1987-02-30", "1987-02-28"), "utf-8")
        assert outcome(crm, "customers", "import", rejects)["new"] == 1
        assert customers(crm)["customer"].to_list() == ["K1", "K2", "K3"]

    def test_importing_again_changes_nothing(self, crm: "Crm") -> None:
        file = write(crm, "members.csv", CHINESE)
        crm("customers", "import", file)
        before = customers(crm)
        assert outcome(crm, "customers", "import", file)["same"] == 2
        assert_frame_equal(customers(crm), before)

    @pytest.mark.parametrize(
        ("how", "phone", "city"),
        [("update", "+8613900139000", "深圳"), ("merge", "+8613800138000", "深圳"), ("skip", "+8613800138000", None)],
    )
    def test_a_customer_who_is_there(self, crm: "Crm", how: str, phone: str, city: str | None) -> None:
        crm("customers", "import", write(crm, "a.csv", "id,phone\nK1,13800138000\n"))
        file = write(crm, "b.csv", "id,phone,city\nK1,13900139000,深圳\nK2,13700137000,广州\n")
        found = outcome(crm, "customers", "import", file, "--on-duplicate", how)
        assert (found["new"], found["changed"] + found["same"]) == (1, 1)
        assert customers(crm).select("phone", "city").row(0) == (phone, city)

    def test_of_what_customers_are_known_by_only_what_changes_is_written(
        self, crm: "Crm", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        crm("customers", "import", write(crm, "a.csv", "id,phone,login\nK1,13800138000,ann\nK2,13700137000,bo\n"))
        before = crm.open().records.frame("identities")
        gone: list[pl.DataFrame] = []
        delete = Records.delete

        def watched(records: Records, connection: sa.Connection, name: str, keys: pl.DataFrame) -> int:
            gone.append(keys)
            return delete(records, connection, name, keys)

        monkeypatch.setattr(Records, "delete", watched)
        monkeypatch.setattr(targets, "_ASKED", 1)
        file = write(crm, "b.csv", "id,phone,login,city\nK1,13900139000,ann,深圳\nK2,13700137000,bo,广州\nK3,,cy,\n")
        assert outcome(crm, "customers", "import", file)["changed"] == 2
        phone = (pl.col("kind") == "phone") & (pl.col("customer") == "K1")
        assert_frame_equal(pl.concat(gone), before.filter(phone), check_row_order=False)
        after = crm.open().records.frame("identities")
        new = after.join(before, on=after.columns, how="anti").sort("customer")
        assert new.select("kind", "customer").rows() == [("phone", "K1"), ("login", "K3")]
        assert after.height == before.height + 1

    def test_fail_stores_nothing(self, crm: "Crm") -> None:
        crm("customers", "import", write(crm, "a.csv", "id,phone\nK1,13800138000\n"))
        file = write(crm, "b.csv", "id,phone\nK2,13700137000\nK1,13900139000\n")
        result = crm("customers", "import", file, "--on-duplicate", "fail", code=4)
        assert "nothing is stored: 1 row" in result.stderr
        assert "the first of them row 2 (" in result.stderr
        assert customers(crm).height == 1

    def test_empty_rows_are_none_and_those_behind_them_keep_their_numbers(self, crm: "Crm") -> None:
        file = write(crm, "members.csv", "id,name,birth\n,,\nK1,Ann,1990-01-01\n, ,\nK2,Bo,1990-02-30\n,,\n")
        result = crm("customers", "import", file)
        assert "3 empty rows left out" in result.stderr
        assert "is no date; row 4" in result.stderr
        assert customers(crm)["customer"].to_list() == ["K1"]
        bare = write(crm, "orders.csv", "order_id,customer,date,amount\n,,,\nO1,K1,2026-01-01,5\n")
        assert outcome(crm, "orders", "import", bare)["rows"] == 1

    def test_a_condition_on_a_masked_column_says_that_it_sees_it_masked(self, crm: "Crm") -> None:
        crm("customers", "import", write(crm, "a.csv", "id,phone,度\nK1,13800138000,b\n"))
        for condition in ("phone = '+8613800138000'", "度 = 'b'"):
            assert "masked, unless --unmask" in crm("customers", "list", "--where", condition).stderr
            assert "--unmask" not in crm("customers", "list", "--where", condition, "--unmask").stderr

    @pytest.mark.parametrize("option", ["--rejects", "--save-map", "--json-summary"])
    def test_a_folder_that_is_not_there_is_told_before_the_file_is_read(self, crm: "Crm", option: str) -> None:
        result = crm("customers", "import", "nofile.csv", option, "/no/where.csv", code=2)
        assert f"'{option}': there is no folder /no." in result.stderr

    def test_a_file_of_something_else_is_refused_and_its_columns_are_named_once(self, crm: "Crm") -> None:
        result = crm("orders", "import", crm.log("people.csv", "编号,姓名,城市", "1,王芳,武汉"), code=4)
        assert "crm: no column is known to be `customer`, `ts`; say which it is in a map file" in result.stderr
        assert result.stderr.count("姓名, 城市") == 1

    def test_a_dry_run_stores_nothing(self, crm: "Crm") -> None:
        file = write(crm, "members.csv", CHINESE)
        assert outcome(crm, "customers", "import", file, "--dry-run")["new"] == 2
        assert customers(crm).height == 0

    def test_too_many_rejects_store_nothing(self, crm: "Crm") -> None:
        file = write(crm, "members.csv", CHINESE)
        crm("customers", "import", file, "--max-rejects", 0, code=3)
        assert customers(crm).height == 0
        crm("customers", "import", file, "--max-rejects", 1)
        assert customers(crm).height == 2

    def test_customers_without_an_id_get_the_same_one_again(self, crm: "Crm") -> None:
        file = write(crm, "cards.csv", "姓名,手机号\n张三,13800138000\n李四,13800138000\n张三,13800138000\n")
        found = outcome(crm, "customers", "import", file)
        assert (found["new"], found["repeated"]) == (2, 1)
        ids = customers(crm)["customer"]
        assert ids.str.starts_with("c-").all()
        other = write(crm, "again.csv", "name,phone,city\n张三,+86 13800138000,深圳\n")
        assert outcome(crm, "customers", "import", other)["changed"] == 1
        assert customers(crm)["customer"].to_list() == ids.to_list()

    def test_a_map_says_which_column_is_what_and_which_rules_hold(self, crm: "Crm") -> None:
        file = write(
            crm, "odd.csv", "No,Who,Tel,Secret\n1,张三,13800138000,x\n2,李四,13900139000,y\n3,,13700137000,z\n"
        )
        crm("customers", "import", file, "--dry-run", "--save-map", crm.folder / "map.yaml")
        saved = (crm.folder / "map.yaml").read_text("utf-8")
        assert "Tel: phone" in saved
        mapped = (
            "columns: {'No': customer, Who: name, Tel: phone, Secret: null}\n"
            "rules:\n  - {column: name, required: true, reason: nobody}\n"
        )
        write(crm, "map.yaml", mapped)
        result = crm("customers", "import", file, "--map", crm.folder / "map.yaml")
        assert "nobody" in result.stderr
        assert customers(crm)["customer"].to_list() == ["1", "2"]
        assert customers(crm)["extras"].null_count() == 2

    def test_personal_values_are_masked_unless_the_user_wants_them(self, crm: "Crm") -> None:
        crm("customers", "import", write(crm, "members.csv", CHINESE))
        shown = crm("customers", "export").stdout
        assert "13800138000" not in shown
        assert "张三" not in shown
        assert "本科" not in shown
        crm.configure("access: {shown: [学历]}\n")
        assert "本科" in crm("customers", "export").stdout
        assert "+8613800138000" in crm("customers", "export", "--unmask").stdout

    def test_texts_that_are_formulas_are_made_harmless_and_come_in_again(self, crm: "Crm") -> None:
        crm("customers", "import", write(crm, "a.csv", 'id,name,phone\nK1,"=cmd()",13800138000\nK2,@x,\nK3,a,\n'))
        before = customers(crm)
        file = crm.folder / "safe.csv"
        crm("customers", "export", "--unmask", "--for-excel", "-o", file)
        text = file.read_text("utf-8")
        assert "'=cmd()" in text
        assert "'+8613800138000" in text
        crm("customers", "import", file)
        assert_frame_equal(customers(crm), before)

    def test_where_and_segment_choose(self, crm: "Crm") -> None:
        crm("customers", "import", write(crm, "members.csv", CHINESE))
        from crm import segments

        segments.replace(crm.open(), [("silver", ["K2"])])
        assert [row["customer"] for row in crm.rows("customers", "list", "--segment", "silver", "--unmask")] == ["K2"]
        found = crm.rows("customers", "list", "--where", "region = '广西'", "--unmask")
        assert [row["name"] for row in found] == ["张三"]

    def test_columns_of_ones_own_are_texts_and_it_is_said_how_to_compare_them_with_numbers(self, crm: "Crm") -> None:
        crm.configure("access: {shown: [score]}\n")
        crm("customers", "import", write(crm, "a.csv", "id,name,score\nK1,a,600\nK2,b,20\n"))
        told = crm("customers", "list", "--where", "score > 500", code=2).stderr
        assert "cast(COLUMN as double)" in told
        found = crm.rows("customers", "list", "--where", "cast(score as double) > 500", "--columns", "score")
        assert found == [{"score": "600"}]


class TestOrders:
    def test_lines_are_numbered_and_orders_without_an_id_get_one(self, crm: "Crm") -> None:
        lines = ("D1,K1,2026-01-02 10:00,米,49.90", 'D1,K1,2026-01-02 10:00,油,"￥1,029.00"')
        text = "\n".join(("订单号,客户编号,下单时间,商品,金额", *lines)) + "\n"
        crm("orders", "import", write(crm, "orders.csv", text))
        rows = crm.open().records.frame("orders").sort("order_id", "line")
        assert rows.select("order_id", "line", "amount").rows() == [("D1", 1, 49.9), ("D1", 2, 1029.0)]
        plain = "customer,date,amount\nK1,2026-01-02,5\nK1,2026-01-02,5\n"
        file = write(crm, "plain.csv", plain)
        assert outcome(crm, "orders", "import", file)["new"] == 2
        assert outcome(crm, "orders", "import", file)["same"] == 2

    def test_the_samples_go_in(self, crm: "Crm") -> None:
        truth = json.loads((SAMPLES / "truth.json").read_text("utf-8"))
        found = outcome(crm, "customers", "import", SAMPLES / "customers.csv")
        assert found["new"] + found["rejected"] == truth["customers"]
        assert outcome(crm, "orders", "import", SAMPLES / "orders.csv")["new"] == truth["orders"]
        assert outcome(crm, "surveys", "import", SAMPLES / "surveys.csv")["rejected"] == 0
        assert outcome(crm, "consents", "import", SAMPLES / "consents.csv")["rejected"] == 0
        assert len(crm.rows("customers", "rfm")) > 100
        portrait = crm.rows("customers", "show", "cao.ying")
        assert {"basics", "consumption"} <= {row["about"] for row in portrait}


def test_a_file_of_which_no_column_is_known_is_refused_and_a_map_helps(crm: "Crm") -> None:
    file = write(crm, "odd.csv", "wer;was\nK1;Ada\n")
    said = crm("customers", "import", file, "--save-map", crm.folder / "odd.yaml", code=4).stderr
    assert "odd.csv: none of its columns is known as one of customers; there are: wer, was" in said
    text = (crm.folder / "odd.yaml").read_text("utf-8").replace("wer: extras", "wer: customer")
    (crm.folder / "odd.yaml").write_text(text, "utf-8")
    assert outcome(crm, "customers", "import", file, "--map", crm.folder / "odd.yaml")["new"] == 1


def test_a_birthday_without_a_year_does_not_lose_the_card(crm: "Crm") -> None:
    card = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\nTEL:+8613800138000\r\nBDAY:--0203\r\nEND:VCARD\r\n"
    assert outcome(crm, "customers", "import", write(crm, "one.vcf", card))["new"] == 1
    row = customers(crm).row(0, named=True)
    assert (row["birth"], json.loads(row["extras"])) == (None, {"birthday_without_year": "--0203"})


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
CELL = st.one_of(st.none(), TEXT)
RECORD = st.fixed_dictionaries(
    {
        "name": CELL,
        "city": CELL,
        "note": CELL,
        "phone": st.sampled_from([None, "13800138000", "+1 202 555 0143", "010-62345678", "nonsense"]),
        "email": st.sampled_from([None, "A@Example.com", "x.y@例子.cn", "no"]),
        "birth": st.sampled_from([None, "1980-03-04", "1990年1月2日"]),
        "学历": CELL,
        "=formula": CELL,
    }
)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(RECORD, min_size=1, max_size=4))
def test_importing_what_was_exported_gives_an_equal_table(
    name: str, records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory, new_crm: "Callable[[Path], Crm]"
) -> None:
    one, other = (new_crm(tmp_path_factory.mktemp("ws")) for _ in range(2))
    rows = [
        {"customer": f"K{at}", **{key: value for key, value in row.items() if value is not None}}
        for at, row in enumerate(records)
    ]
    file = one.folder / "in.ndjson"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    one("customers", "import", file)
    out = one.folder / f"out.{name}"
    one("customers", "export", "--unmask", "-o", out)
    other("customers", "import", out)
    assert_frame_equal(customers(other), customers(one))

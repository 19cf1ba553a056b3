"""What an outsider tries, and the values that must not be seen: data of `test_outsider.py`."""

from datetime import UTC, date, datetime

HEAD = "id,name,phone,email,login,idnumber,birth,address,postcode,note,Mobile 2,city\n"
CUSTOMERS = f"""{HEAD}\
KUNDE-77,欧阳诸葛,13812345678,ouyang.zhuge@example.com,ouyang.login,11010519491231002X,1949-12-31,\
Planted Street 5,518000,a planted note,13787654321,深圳
KUNDE-78,欧阳诸葛,13812345678,ouyang.zhuge@example.com,other.login,,1949-12-31,Planted Street 5,518000,,,深圳
KUNDE-79,司马相如,13922223333,sima.xiangru@example.com,sima.login,,1980-01-02,Planted Road 9,518000,,,广州
"""
ORDERS = "order_id,customer,date,amount,category,Giver\n" + "".join(
    f"o{n},KUNDE-7{7 + n % 3},2026-0{1 + n % 6}-{1 + n:02d},{10 + n},tea,planted giver\n" for n in range(12)
)
SURVEYS = "customer,date,question,score,comment\nKUNDE-77,2026-03-01,nps,9,a planted comment\n"

PLANTED = (
    *("KUNDE-77", "KUNDE-78", "KUNDE-79", "欧阳诸葛", "司马相如", "诸葛", "13812345678", "13922223333", "13787654321"),
    *("138-1234-5678", "ouyang.zhuge", "sima.xiangru", "ouyang.login", "other.login", "sima.login", "1949-12-31"),
    *("11010519491231002", "1980-01-02", "Planted Street", "Planted Road", "518000", "planted note", "planted giver"),
    *("planted comment", "192.0.2.1", "198.51.100.77"),
    *("LSVPL4182E2123456", "坐席王五", "planted complaint", "planted clerk", "planted extra"),
)

TICKETS = {
    "tickets": [
        {"ticket": f"T{n}", "dealer": "D1", "vin": "LSVPL4182E2123456", "customer": "KUNDE-77", "labour_code": "L1",
         "fault_text": "rattles", "part": "P1", "part_category": "engine", "labour_cost": 100.0, "amount": 100.0,
         "opened": datetime(2026, 3, 1 + n, tzinfo=UTC), "extras": '{"Giver":"planted extra"}'}
        for n in range(3)
    ],
    "ticket_states": [{"ticket": "T0", "state": "in_review", "level": 1, "seat": "S1", "events": 1}],
    "ticket_events": [
        {"ticket": "T0", "number": 1, "ts": datetime(2026, 3, 2, tzinfo=UTC), "event": "submit", "before": "opened",
         "after": "in_review", "level": 1, "role": "dealer", "by": "planted clerk"},
    ],
    "seats": [{"seat": "S1", "name": "坐席王五", "level": 1, "state": "online"}],
    "vehicles": [{"vin": "LSVPL4182E2123456", "model": "M1", "sold": date(2025, 1, 1), "customer": "KUNDE-77"}],
    "ticket_ratings": [
        {"ticket": "T0", "ts": datetime(2026, 3, 9, tzinfo=UTC), "kind": "complaint", "comment": "planted complaint"},
    ],
    "ticket_classes": [{"ticket": "T0", "origin": "person", "class": "wear", "by": "planted clerk"}],
    "shipments": [{"shipment": "SF1", "ticket": "T0", "kind": "part", "part": "P1"}],
}  # fmt: skip
"""Rows of the tables of tickets."""

IDS = ("KUNDE-77", "KUNDE-78", "KUNDE-79")
"""The records of a file, which the viewer can read, are called by its ids."""

FORMATS = ("table", "csv", "tsv", "json", "ndjson", "md", "parquet", "xlsx")


FILE = ("--input", "customers.csv", "--label", "city", "--features", "postcode,name,note")
CHINESE = ("--input", "会员.csv")

QUERIES = (
    "select * from customers",
    "select phone as x, email as y, name as z, birth as b, customer as c, idnumber as i from customers",
    "select phone || '!' as x, substr(email, 1, 12) as y, upper(login) as z, reverse(name) as r from customers",
    "select cast(birth as varchar) as x, cast(original as varchar) as y, concat(note, extras) as z from customers",
    "select x from (select phone as x from customers) as t",
    "with t as (select name as n, phone as p from customers) select n, p from t",
    "select phone, count(*) as n from customers group by phone",
    "select max(phone) as a, min(email) as b, first(name) as c, array_agg(login) as d from customers",
    "select a.name as x, b.amount from customers a join orders b on a.customer = b.customer",
    "select customers.* from customers",
    "select extras as e, original as o, customer as c from orders",
    "select comment as c, customer as w from surveys union select note, customer from customers",
    "select record as r, origins as o, merged as m from merges",
    "select other as o, customer as c from apart",
    "select * from identities",
    "select * from consents",
    "select who as w from segment_members",
    "select login as l, address as a from hits",
    "select customer as c from sessions",
    "select case when phone like '+86138%' then phone else email end as x from customers",
    "select split_part(email, '@', 1) as x, left(phone, 11) as y, right(phone, 6) as z from customers",
    "select cast(name as int) from customers",
    "select strptime(birth, '%Y') from customers",
    "select * from customers c, orders o where c.customer = o.customer",
    "select unnest(array[phone, email]) as x from customers",
    "select * from audit",
    "select * from imports",
    "show tables",
)
"""Each of these may fail; none may show anything."""

CALLS: tuple[tuple[str, ...], ...] = (
    *(("query", query) for query in QUERIES),
    *(("-v", "--log-json", "query", query) for query in QUERIES[-8:]),
    *(("customers", "export", "-f", name) for name in FORMATS),
    ("customers", "export", "--for-excel"),
    ("customers", "export", "--segment", "gold"),
    ("customers", "list"),
    ("customers", "list", "--columns", "customer,name,phone,email,birth,idnumber,original,note,Mobile 2"),
    ("customers", "list", "--segment", "none"),
    ("customers", "show", "+86 138 1234 5678"),
    ("-v", "customers", "show", "nobody"),
    ("customers", "show", "sima.LOGIN".lower(), "-f", "json"),
    ("customers", "merges", "--all"),
    ("customers", "consent", "11010519491231002x"),
    ("customers", "forgotten"),
    ("customers", "rfm"),
    ("customers", "rfm", "--input", "orders.csv"),
    ("customers", "clv"),
    ("customers", "clv", "--parameters"),
    ("customers", "dedupe"),
    ("customers", "dedupe", "--persons"),
    ("customers", "dedupe", "--parameters"),
    ("customers", "dedupe", "--input", "customers.csv"),
    ("customers", "dedupe", "--input", "customers.csv", "--persons"),
    ("customers", "cluster", "--features", "postcode"),
    ("customers", "cluster", "--input", "customers.csv", "--features", "postcode", "--clusters", "2"),
    ("customers", "cluster", *CHINESE, "--features", "级", "--clusters", "2"),
    ("customers", "cluster", *CHINESE, "--features", "姓名"),
    ("customers", "dedupe", *CHINESE),
    ("customers", "dedupe", *CHINESE, "--id", "登录名", "--persons"),
    ("customers", "classify", "evaluate", *CHINESE, "--label", "姓名", "--features", "级"),
    ("customers", "classify", "evaluate", *CHINESE, "--label", "级", "--features", "手机号"),
    ("customers", "churn", "evaluate", *CHINESE, "--label", "姓名"),
    ("customers", "loyalty", "nps", *CHINESE, "--score", "级", "--by", "姓名"),
    ("customers", "classify", "evaluate", *FILE),
    ("customers", "classify", "predict", "--input", "customers.csv", "--model", "none"),
    ("customers", "segments"),
    ("customers", "churn", "evaluate"),
    ("customers", "churn", "evaluate", *FILE[:2], "--label", "city"),
    ("customers", "churn", "predict", "--model", "none"),
    ("customers", "loyalty", "repurchase"),
    ("customers", "loyalty", "repurchase", "--cohorts"),
    ("customers", "loyalty", "tiers"),
    ("customers", "loyalty", "nps"),
    ("customers", "loyalty", "csat"),
    ("customers", "points", "earn", "--dry-run"),
    ("customers", "points", "expire", "--dry-run"),
    ("customers", "points", "show", "13812345678"),
    ("customers", "points", "balance"),
    ("orders", "list"),
    ("orders", "export", "-f", "json"),
    ("surveys", "list"),
    ("surveys", "export"),
    ("consents", "list"),
    ("consents", "export", "-f", "ndjson"),
    ("interest", "show", "KUNDE-77", "--explain"),
    ("interest", "export", "-f", "json"),
    ("recommend", "for", "--all"),
    *(("push", "candidates", *more) for more in ((), ("--misses",))),
    ("interest", "show", "ouyang.login"),
    ("push", "tiers", "--explain"),
    ("push", "outbox"),
    ("push", "effect"),
    ("logs", "parse", "shop.log"),
    ("logs", "parse", "shop.log", "--columns", "login,address", "-f", "ndjson"),
    ("logs", "sessions", "shop.log"),
    ("logs", "top", "login"),
    ("logs", "top", "address", "-f", "md"),
    *(("logs", word) for word in ("traffic", "status", "formats")),
    ("paths", "flows"),
    ("logs", "mine", "shop.log"),
    ("-v", "--log-json", "logs", "mine", "shop.log", "--json-summary", "-"),
    ("paths", "views"),
    ("paths", "clusters", "--of", "visitors"),
    *(("audit", word) for word in ("log", "verify")),
    ("interest", "summary", "--level", "3"),
    *(("tables",), ("tables", "customers")),
    *(("plugins", "list"), ("plugins", "check", "customers.csv")),
    ("workspace", "info"),
    ("config", "show"),
    ("backup", "verify", "customers.csv"),
    *(("tickets", "show", what) for what in ("T0", "SF1", "LSVPL4182E2123456", "KUNDE-77")),
    *(("tickets", word) for word in ("list", "export", "queue", "loops", "quality", "warnings", "dealers", "notices")),
    ("tickets", "list", "--columns", "ticket,customer,vin,Giver"),
    ("tickets", "list", "--where", "vin = 'LSVPL4182E2123456'"),
    *(("tickets", "events", word) for word in ("list", "export")),
    ("tickets", "classify", "evaluate", "--input", "customers.csv", "--text", "note", "--label", "city"),
    ("tickets", "classify", "predict", "--model", "class.model"),
    ("tickets", "classify", "review"),
    *(
        ("centre", table, word)
        for table in ("dealers", "labour", "faults", "parts", "stock", "seats", "vehicles", "ratings", "shipments")
        for word in ("list", "export")
    ),
    *(("centre", table, word) for table in ("payments", "classes", "warnings") for word in ("list", "export")),
    *(("query", f"select * from {table}") for table in TICKETS),
)

CONDITIONS = (
    "phone like '+86138%'",
    "\"phone\" >= '+8613812345678'",
    "\"Mobile 2\" like '1378765%'",
    "\"MOBILE 2\" like '1378765%'",
    "`Mobile 2` > '13787654320'",
    "length(name) = 4 and name like '欧阳%'",
    "birth > '1949-12-30' and birth < '1950-01-01'",
    "original like '%Planted%' or note like '%planted%' or extras like '%1378765%'",
    "email = 'ouyang' || '.zhuge@example.com'",
    "customer in ('KUNDE' || '-77')",
    "cast(right(phone, 4) as int) = 5678",
    "idnumber is not null and substr(idnumber, 7, 8) = '19491231'",
    "concat(phone, email) like '%12345678%'",
)
"""Each would tell a whole value, letter by letter, if it saw one."""


REFUSED = (
    ("customers", "list", "--unmask"),
    ("customers", "export", "--unmask", "-o", "all.csv"),
    ("customers", "show", "KUNDE-77", "--unmask"),
    ("query", "select * from customers", "--unmask"),
    ("logs", "parse", "shop.log", "--unmask"),
    ("logs", "top", "login", "--unmask"),
    ("customers", "import", "customers.csv", "--rejects", "rejects.csv"),
    ("orders", "import", "orders.csv"),
    ("surveys", "import", "surveys.csv"),
    ("consents", "import", "surveys.csv"),
    ("customers", "dedupe", "--apply"),
    ("customers", "unmerge", "1"),
    ("customers", "forget", "KUNDE-77", "--yes"),
    ("customers", "forgotten", "--readmit", "KUNDE-77"),
    ("customers", "encrypt"),
    ("customers", "segment", "rules.yaml", "--dry-run"),
    ("customers", "segments", "--remove", "gold"),
    ("customers", "churn", "train", "--model", "churn.model"),
    ("customers", "classify", "train", "--label", "city", "--features", "orders", "--model", "class.model"),
    ("customers", "classify", "train", *FILE, "--model", "class.model"),
    ("customers", "points", "earn"),
    ("customers", "points", "redeem", "KUNDE-77", "5"),
    ("customers", "points", "adjust", "KUNDE-77", "5"),
    ("backup", "create", "backups"),
    ("backup", "restore", "customers.csv", "--to", "elsewhere"),
    ("customers", "consent", "KUNDE-77", "--withdraw"),
    ("catalog", "import", "customers.csv"),
    ("interest", "build"),
    *(("interest", word, "KUNDE-77", "tea") for word in ("want", "unwant", "forget-stance")),
    ("push", "candidates", "--queue"),
    ("push", "tiers", "--save"),
    ("push", "send"),
    ("push", "pull", "KUNDE-77"),
    ("push", "ack", "none"),
    ("push", "cancel", "none"),
    ("push", "feed", "KUNDE-77"),
    ("push", "feedback", "customers.csv"),
    ("tickets", "import", "customers.csv"),
    ("tickets", "events", "import", "customers.csv"),
    *(
        ("centre", table, "import", "customers.csv")
        for table in (
            *("dealers", "labour", "faults", "parts", "stock", "seats", "vehicles", "ratings", "shipments", "payments"),
            *("classes", "warnings"),
        )
    ),
    *(("tickets", word, "T0") for word in ("submit", "withdraw", "ship", "serve", "sign", "return-part", "settle")),
    *(("tickets", word, "T0", "--remark", "x") for word in ("refuse", "hold", "release")),
    ("tickets", "assign"),
    ("tickets", "review", "T0", "--seat", "S1"),
    ("tickets", "seat", "S1", "offline"),
    *(("tickets", word, "SF1") for word in ("receive", "lose")),
    ("tickets", "batch"),
    *(("tickets", word, "PAY-000001") for word in ("pay", "confirm")),
    ("tickets", "notices", "--queue"),
    ("tickets", "classify", "train", "--model", "class.model"),
    ("tickets", "classify", "review", "--read", "customers.csv"),
)


ELSEWHERE = {
    "paths pages": "sums",
    "paths transitions": "sums",
    "paths top": "paths of nobody",
    "paths funnel": "sums",
    "paths patterns": "sums",
    "paths itemsets": "sums",
    "paths rules": "sums",
    "paths next": "predictions",
    "paths evaluate": "measures",
    "paths times": "sums",
    "paths suggest-links": "sums",
    "catalog export": "items",
    "catalog list": "items",
    "catalog unmapped": "pages",
    "recommend evaluate": "measures",
    "recommend algorithms": "names",
    "push templates": "names",
}
"""Commands with tables about pages alone."""

"""The sample log holds what its truth says, by a parser so slow and plain that it is obviously right."""

import importlib.util
import json
import re
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest

FOLDER = Path(__file__).parents[2] / "sample_logs"
QUOTED = r'"((?:[^"\\]|\\.)*)"'
LINE = re.compile(rf"(\S+) \S+ (\S+) \[([^\]]+)\] {QUOTED} (\d{{3}}) (\d+|-) {QUOTED} {QUOTED}")
ROBOT = re.compile("googlebot|baiduspider|bingbot|yisouspider|curl|python-requests", re.IGNORECASE)
LIMIT = timedelta(minutes=30)


def load() -> ModuleType:
    """Import the generator by its path, as it is a script beside the data and no package."""
    spec = importlib.util.spec_from_file_location("sample_log_generator", FOLDER / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    sys.path.insert(0, str(FOLDER))  # as for a script: its other half lies beside it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


GENERATOR = load()


def unescaped(text: str) -> str:
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())
    return re.sub(r"\\(.)", r"\1", raw.decode())


def parsed(line: str) -> dict[str, Any] | None:
    match = LINE.fullmatch(line)
    if not match:
        return None
    address, login, time, request, status, _, referrer, agent = match.groups()
    words = request.split(" ")
    target = words[1] if len(words) == 3 else None
    page = kind = None
    if target is not None:
        page = unquote(target.split("?")[0])
        page = page.removesuffix("index.html")
        page = page if page == "/" else page.removesuffix("/")
        kind = "asset" if re.search(r"\.(css|js|png|ico|woff2)$", page) else "page"
    return {
        "time": datetime.strptime(time, "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC),
        "visitor": (address, unescaped(agent)),
        "login": None if login == "-" else login,
        "status": int(status),
        "referrer": None if referrer == "-" else unescaped(referrer),
        "page": page,
        "kind": "other" if page is None or words[0] == "HEAD" or page.startswith(("/api/", "/robots.txt")) else kind,
        "robot": (ROBOT.search(agent) or [""])[0],
    }


def is_view(hit: dict[str, Any]) -> bool:
    status: int = hit["status"]
    return bool(hit["kind"] == "page") and (200 <= status < 300 or status == 304)


def judged(run: list[dict[str, Any]]) -> str:
    """Why a run is a robot's by behaviour; nothing for people."""
    views = [hit["time"] for hit in run if is_view(hit)]
    why = ["robots.txt"] if any(hit["page"] == "/robots.txt" for hit in run) else []
    if len(views) >= 30 and not any(hit["kind"] == "asset" for hit in run):
        why.append("no assets")
    if any(b - a <= timedelta(minutes=1) for a, b in zip(views, views[59:], strict=False)):
        why.append("inhuman rate")
    return " + ".join(why)


def sessions_of(hits: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Cut visitors' hits at gaps over the limit and at another login; count the pieces without a view.

    Sessions of people come first, then those of robots by behaviour, with the reason as their kind.
    """
    by_visitor = defaultdict(list)
    for hit in sorted(hits, key=lambda hit: hit["time"]):
        if not hit["robot"]:
            by_visitor[hit["visitor"]].append(hit)
    pieces: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = []
    for own in by_visitor.values():
        piece: list[dict[str, Any]] = []
        run: list[dict[str, Any]] = []
        login = None
        for hit in own:
            late = bool(piece) and hit["time"] - piece[-1]["time"] > LIMIT
            other = hit["login"] is not None and login is not None and hit["login"] != login
            if not piece or late or other:
                run = run if other and not late else []
                piece = []
                pieces.append((piece, run))
                login = None
            login = hit["login"] or login
            piece.append(hit)
            run.append(hit)
    found = []
    for piece, run in pieces:
        path = [hit["page"] for hit in piece if is_view(hit)]
        if path:
            found.append(
                {
                    "address": piece[0]["visitor"][0],
                    "agent": piece[0]["visitor"][1],
                    "customer": next((hit["login"] for hit in piece if hit["login"]), None),
                    "referrer": piece[0]["referrer"],
                    "start": piece[0]["time"].isoformat(),
                    "end": piece[-1]["time"].isoformat(),
                    "hits": len(piece),
                    "views": len(path),
                    "path": path,
                    "kind": judged(run),
                }
            )
    found.sort(key=lambda row: (row["start"], row["address"], row["agent"]))
    people, robots = ([row for row in found if bool(row["kind"]) == robot] for robot in (False, True))
    return people, robots, len(pieces) - len(found)


@pytest.fixture(scope="module", params=[7, 1, 2])
def made(request: pytest.FixtureRequest) -> tuple[list[str], dict[str, Any]]:
    log, truth = GENERATOR.build(request.param)
    return log.decode().removesuffix("\n").split("\n"), truth


def session_numbers(truth: dict[str, Any], case: str) -> list[dict[str, Any]]:
    return [truth["sessions"][number] for number in truth["cases"][case]]


def times(session: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(session["start"]), datetime.fromisoformat(session["end"])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    one, truth = GENERATOR.build(7)
    assert (one, truth) == GENERATOR.build(7)
    assert one != GENERATOR.build(8)[0]


def test_the_files_are_a_fresh_build_with_the_default_seed() -> None:
    log, truth = GENERATOR.build(7)
    assert (FOLDER / "shop.log").read_bytes() == log
    assert json.loads((FOLDER / "shop.truth.json").read_bytes()) == json.loads(json.dumps(truth))


def test_the_command_writes_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["generate.py", "--out", str(tmp_path / "new")])
    GENERATOR.main()
    for name in ("shop.log", "shop.truth.json"):
        assert (tmp_path / "new" / name).read_bytes() == (FOLDER / name).read_bytes()


def test_the_log_is_small_and_lies_within_its_fourteen_days(made: tuple[list[str], dict[str, Any]]) -> None:
    lines, _ = made
    assert 4500 < len(lines) < 5800
    assert sum(len(line.encode()) + 1 for line in lines) < 1_500_000
    days = Counter(match[3][:11] for match in map(LINE.fullmatch, lines) if match)
    assert sorted(days) == [f"{day:02}/Mar/2026" for day in range(2, 16)]


def test_the_lines_are_counted_as_hits_rejected_and_blank(made: tuple[list[str], dict[str, Any]]) -> None:
    lines, truth = made
    blank = [n for n, line in enumerate(lines, start=1) if not line or line.startswith("#")]
    rejected = [n for n, line in enumerate(lines, start=1) if not parsed(line) and n not in blank]
    hits = [hit for hit in map(parsed, lines) if hit]
    assert (truth["rejected"], truth["blank"]) == (rejected, blank)
    assert truth["lines"] == len(lines) == truth["hits"] + len(rejected) + len(blank)
    assert truth["hits"] == len(hits)
    assert truth["hits_by_status"] == Counter(str(hit["status"]) for hit in hits)
    assert truth["hits_by_kind"] == Counter(hit["kind"] for hit in hits)
    assert truth["robot_hits"] == Counter(hit["robot"] for hit in hits if hit["robot"])


def test_the_sessions_are_those_of_the_truth(made: tuple[list[str], dict[str, Any]]) -> None:
    lines, truth = made
    found, robots, without = sessions_of([hit for hit in map(parsed, lines) if hit])
    assert found == [{**row, "kind": ""} for row in truth["sessions"]]
    assert robots == truth["robot_sessions"]
    assert truth["runs_without_session"] == without > 0
    assert truth["views"] == sum(row["views"] for row in found)
    assert truth["session_kinds"] == Counter(row["kind"] for row in truth["sessions"])


def test_robots_with_a_browsers_agent_and_people_just_below_each_limit_are_planted(
    made: tuple[list[str], dict[str, Any]],
) -> None:
    _, truth = made
    assert Counter(row["kind"] for row in truth["robot_sessions"]) == {
        "robots.txt": 3,
        "no assets": 2,
        "inhuman rate": 1,
        "robots.txt + no assets + inhuman rate": 1,
    }
    assert not any(ROBOT.search(row["agent"]) for row in truth["robot_sessions"])
    assert sorted(row["views"] for row in session_numbers(truth, "nearly_a_robot")) == [29, 31, 59]


def test_only_neighbouring_lines_of_one_visitor_are_out_of_order(
    made: tuple[list[str], dict[str, Any]],
) -> None:
    lines, truth = made
    hits = [(n, hit) for n, line in enumerate(lines, start=1) if (hit := parsed(line))]
    late = []
    for (_, before), (number, hit) in pairwise(hits):
        if hit["time"] < before["time"]:
            late.append(number)
            assert hit["visitor"] == before["visitor"]
    assert truth["out_of_order"] == late
    assert len(late) > 10


def test_the_edges_of_the_idle_limit_are_planted(made: tuple[list[str], dict[str, Any]]) -> None:
    lines, truth = made
    (held,) = session_numbers(truth, "gap_of_the_limit")
    visitor = (held["address"], held["agent"])
    own = sorted(hit["time"] for hit in map(parsed, lines) if hit and hit["visitor"] == visitor)
    assert max(b - a for a, b in pairwise(own)) == LIMIT
    before, after = session_numbers(truth, "gap_over_the_limit")
    assert times(after)[0] - times(before)[1] == LIMIT + timedelta(seconds=1)
    (kept,) = session_numbers(truth, "kept_by_an_asset")
    assert times(kept)[1] - times(kept)[0] >= timedelta(minutes=40)
    assert kept["views"] == 2
    over = session_numbers(truth, "over_midnight_utc")
    assert len(over) >= 2
    assert all(times(row)[0].date() < times(row)[1].date() for row in over)


def test_another_login_in_the_same_browser_begins_a_session(made: tuple[list[str], dict[str, Any]]) -> None:
    _, truth = made
    rows = session_numbers(truth, "second_login")
    assert len(rows) == 4
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert (first["address"], first["agent"]) == (second["address"], second["agent"])
        assert None not in (first["customer"], second["customer"])
        assert first["customer"] != second["customer"]
        assert times(second)[0] - times(first)[1] < LIMIT


def test_the_funnel_and_the_kinds_are_as_planned(made: tuple[list[str], dict[str, Any]]) -> None:
    _, truth = made
    rows = truth["sessions"]
    steps = ["/cart", "/checkout", "/checkout/pay", "/order/done"]
    assert truth["funnel"] == dict(zip(steps, [90, 66, 48, 36], strict=True))
    for number, step in enumerate(steps):
        assert sum(in_order(row["path"], steps[: number + 1]) for row in rows) == truth["funnel"][step]
    for row in rows:
        assert ("/cart" in row["path"]) == (row["kind"] == "buyer")
        assert ("/search" in row["path"]) == (row["kind"] == "searcher")
        assert row["customer"] or "/checkout" not in row["path"]


def in_order(path: list[str], steps: list[str]) -> bool:
    at = 0
    for page in path:
        if at < len(steps) and page == steps[at]:
            at += 1
    return at == len(steps)


def test_the_planted_rule_and_pattern_stand_out(made: tuple[list[str], dict[str, Any]]) -> None:
    _, truth = made
    paths = [row["path"] for row in truth["sessions"]]
    rice, peanut = "/c/food/grain/rice", "/c/food/oil/peanut"
    with_rice = [path for path in paths if rice in path]
    with_peanut = [path for path in paths if peanut in path]
    both = [path for path in with_rice if peanut in path]
    assert truth["rule"] == {rice: len(with_rice), peanut: len(with_peanut), "both": len(both)}
    assert len(both) / len(with_rice) > 0.6
    assert len(both) * len(paths) / len(with_rice) / len(with_peanut) > 2

    asked = [path for path in paths if "/help/shipping" in path]
    carts = [path for path in paths if "/cart" in path]
    then = [path for path in asked if in_order(path, ["/help/shipping", "/cart"])]
    assert truth["pattern"] == {"/help/shipping": len(asked), "/cart": len(carts), "both": len(then)}
    assert len(then) * len(paths) / len(asked) / len(carts) > 2


def test_each_customer_looks_most_at_what_is_to_his_taste(made: tuple[list[str], dict[str, Any]]) -> None:
    _, truth = made
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in truth["sessions"]:
        for page in row["path"]:
            parts = page.split("/")
            if page.startswith("/item/"):
                seen[row["customer"]][truth["items"][parts[2]]] += 1
            elif page.startswith("/c/") and len(parts) == 5:
                seen[row["customer"]]["/".join(parts[2:])] += 1
    assert set(seen) - {None} == set(truth["tastes"])
    for customer, taste in truth["tastes"].items():
        assert seen[customer].most_common(1)[0][0] == taste


def test_the_odd_spellings_are_in_the_log(made: tuple[list[str], dict[str, Any]]) -> None:
    lines, truth = made
    text = "\n".join(lines)
    for odd in [
        '"GET /index.html ', '"GET /c/food/ ', '"GET /help/%E9%80%80%E8%B4%A7 ',
        "?q=%E5%A4%A7%E7%B1%B3 ", '"HEAD ',
        r"(Linux; Android 13; \"K 60\")", r"\xe7\x82\x92\xe9\x94\x85", r"title=\"", "2001:db8:", " 500 ",
        r'"\x16\x03\x01\x02', '"-" 408 - "-" "-"', "?v=12 HTTP", ".woff2 HTTP", "/api/cart HTTP", " 304 - ",
    ]:  # fmt: skip
        assert odd in text
    assert session_numbers(truth, "odd_spelling")[0]["agent"].count('"') == 2
    assert {row["referrer"] for row in session_numbers(truth, "escaped_referrer")} == {
        "https://www.so.com/s?q=炒锅",
        'https://forum.example/t?title="好用的炒锅"',
    }

"""Visitors: their ids, which address is the client's, and how much of it is stored."""

from collections.abc import Callable
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.rules import VisitorRules
from logparse.visitors import stored_addresses, visitor_ids

Line = Callable[..., str]
KEY = b"the key of the tests"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def identity(address: str, agent: str, key: bytes = KEY) -> int:
    """A visitor's id by its definition: the first 63 bits of keyed BLAKE2b over address, NUL, agent."""
    digest = blake2b(f"{address}\0{agent}".encode(), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def ids(rows: list[dict[str, str | None]], key: bytes = KEY) -> list[int]:
    schema = dict.fromkeys(["address", "agent", "cookie", "query"], pl.String)
    return visitor_ids(pl.DataFrame(rows, schema=schema), VisitorRules(), key).to_list()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.none() | texts, st.none() | texts), max_size=20), st.binary(min_size=1, max_size=64))
def test_id_is_the_keyed_hash_of_address_and_agent(pairs: list[tuple[str | None, str | None]], key: bytes) -> None:
    rows = [{"address": address, "agent": agent, "cookie": None, "query": None} for address, agent in pairs]
    assert ids(rows, key=key) == [identity(address or "", agent or "", key) for address, agent in pairs]


def test_ids_never_change() -> None:
    row = {"address": "203.0.113.9", "agent": "Firefox", "cookie": None, "query": None}
    assert ids([row]) == [identity("203.0.113.9", "Firefox")] == [128395202860832823]


def test_ids_are_63_bits_and_none_is_missing() -> None:
    rows = [{"address": str(number), "agent": "a", "cookie": None, "query": None} for number in range(2000)]
    found = ids(rows)
    assert len(set(found)) == 2000
    assert min(found) >= 0
    assert max(found) > 2**62
    assert max(found) < 2**63


def test_another_key_makes_other_ids() -> None:
    row = {"address": "203.0.113.9", "agent": "Firefox", "cookie": None, "query": None}
    assert ids([row], key=b"a") != ids([row], key=b"b")


def test_id_of_a_hit_is_made_from_the_whole_address_however_it_is_stored(engine: Any, combined: Line) -> None:
    for addresses in ("full", "truncated", "none"):
        hit = engine.hit("combined", combined(agent="Firefox"), visitors=VisitorRules(addresses=addresses))
        assert hit["visitor"] == identity("203.0.113.9", "Firefox", engine.key)


def test_id_is_made_of_the_client_s_address_in_a_list(engine: Any, combined: Line) -> None:
    line = combined(agent="Firefox") + ' "198.51.100.7, 10.0.0.1"'
    hit = engine.hit("forwarded", line)
    assert hit["visitor"] == identity("198.51.100.7", "Firefox", engine.key)


def test_no_agent_and_an_empty_agent_are_one_visitor(engine: Any, combined: Line) -> None:
    hits = engine.hits("combined", combined(agent="-"), combined(agent=""))
    assert [hit["visitor"] for hit in hits] == [identity("203.0.113.9", "", engine.key)] * 2


def test_login_never_changes_the_visitor(engine: Any, combined: Line) -> None:
    hits = engine.hits("combined", combined(), combined(login="li"))
    assert hits[0]["visitor"] == hits[1]["visitor"]


COOKIES = '$remote_addr [$time_local] "$request" "$http_user_agent" "$cookie_sid"'


def cookie_hits(engine: Any, *cookies: str, request: str = "GET /a HTTP/1.1", **rules: Any) -> list[int]:
    lines = [
        f'203.0.113.{number} [17/May/2015:10:05:03 +0000] "{request}" "Firefox" "{cookie}"'
        for number, cookie in enumerate(cookies)
    ]
    return [hit["visitor"] for hit in engine.hits(COOKIES, *lines, visitors=VisitorRules(**rules))]


def test_cookie_names_the_visitor_where_there_is_one(engine: Any) -> None:
    found = cookie_hits(engine, "abc", "-", "abc", "", cookie="sid")
    named = identity("", "abc", engine.key)
    assert found == [
        named,
        identity("203.0.113.1", "Firefox", engine.key),
        named,
        identity("203.0.113.3", "Firefox", engine.key),
    ]


def test_cookie_that_the_rules_do_not_name_is_nothing(engine: Any) -> None:
    for rules in ({}, {"cookie": "other"}):
        assert cookie_hits(engine, "abc", **rules) == [identity("203.0.113.0", "Firefox", engine.key)]


def test_query_s_key_names_the_visitor(engine: Any) -> None:
    for query in ("u=abc", "a=b&u=abc", "a=b&u=abc&c", "u=abc&u=def"):
        found = cookie_hits(engine, "-", request=f"GET /a?{query} HTTP/1.1", query_key="u")
        assert found == [identity("", "abc", engine.key)]
    for query in ("u=", "u", "xu=abc", "U=abc", "a=u=abc", ""):
        found = cookie_hits(engine, "-", request=f"GET /a?{query} HTTP/1.1", query_key="u")
        assert found == [identity("203.0.113.0", "Firefox", engine.key)]


@pytest.mark.parametrize("key", ["a.b", "a[]", "a|b", "客户", "a-b", "a$", "(a"])
def test_query_s_key_may_hold_any_letters(engine: Any, key: str) -> None:
    found = cookie_hits(engine, "-", request=f"GET /a?axb=no&{key}=abc HTTP/1.1", query_key=key)
    assert found == [identity("", "abc", engine.key)]


def test_cookie_goes_before_the_query_s_key(engine: Any) -> None:
    found = cookie_hits(engine, "abc", "-", request="GET /a?u=def HTTP/1.1", cookie="sid", query_key="u")
    assert found == [identity("", "abc", engine.key), identity("", "def", engine.key)]


FORWARDED = {
    "first": {
        "198.51.100.7": "198.51.100.7",
        "198.51.100.7, 10.0.0.1": "198.51.100.7",
        "198.51.100.7,10.0.0.1": "198.51.100.7",
        " 198.51.100.7 , 10.0.0.1": "198.51.100.7",
        "2001:db8::7, 10.0.0.1": "2001:db8::7",
        "unknown, 10.0.0.1": "203.0.113.9",
        ", 10.0.0.1": "203.0.113.9",
        "-": "203.0.113.9",
        "": "203.0.113.9",
    },
    "last": {
        "198.51.100.7": "198.51.100.7",
        "198.51.100.7, 10.0.0.1": "10.0.0.1",
        "198.51.100.7,10.0.0.1 ": "10.0.0.1",
        "198.51.100.7, unknown": "203.0.113.9",
        "198.51.100.7,": "203.0.113.9",
        "-": "203.0.113.9",
    },
    "ignore": {"198.51.100.7, 10.0.0.1": "203.0.113.9", "-": "203.0.113.9"},
}


@pytest.mark.parametrize("rule", FORWARDED)
def test_client_s_address_from_x_forwarded_for(engine: Any, combined: Line, rule: str) -> None:
    rules = VisitorRules(addresses="full", forwarded=rule)  # type: ignore[arg-type]  # one of the literals
    for logged, expected in FORWARDED[rule].items():
        assert engine.hit("forwarded", f'{combined()} "{logged}"', visitors=rules)["address"] == expected


def stored(addresses: list[str], how: str = "truncated") -> list[str | None]:
    rules = VisitorRules(addresses=how)  # type: ignore[arg-type]  # one of the three literals
    return stored_addresses(pl.Series("address", addresses), rules).cast(pl.String).to_list()


def spellings(address: IPv6Address) -> list[str]:
    """An IPv6 address in every way that people and programs write it."""
    groups = address.exploded.split(":")
    bare = [group.lstrip("0") or "0" for group in groups]
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    found = [":".join(bare), ":".join([*bare[:6], str(low)]), address.exploded, str(address)]
    for first in range(8):
        for last in range(first + 1, 9):
            if set(bare[first:last]) == {"0"}:
                found.append(":".join(bare[:first]) + "::" + ":".join(bare[last:]))
            if last <= 6 and set(bare[first:last]) == {"0"}:
                found.append(":".join(bare[:first]) + "::" + ":".join([*bare[last:6], str(low)]))
    return [*found, *(text.upper() for text in found), f"{address}%eth0"]


groups = st.lists(st.sampled_from([0, 0, 0, 1, 0xDB8, 0x2001, 0xFFFF]) | st.integers(0, 0xFFFF), min_size=8, max_size=8)
v6 = groups.map(lambda parts: IPv6Address(":".join(f"{part:x}" for part in parts))) | st.ip_addresses(v=6)


@settings(max_examples=150, deadline=None)
@given(v6)
def test_ipv6_address_in_any_spelling_is_stored_as_its_48_bits(address: IPv6Address) -> None:
    mapped = address.ipv4_mapped
    expected = ip_network(f"{mapped}/24" if mapped else f"{address}/48", strict=False).network_address
    written = spellings(address)
    assert {ip_address(text.partition("%")[0]) for text in written} == {address}
    found = stored(written)
    assert [text for text, kept in zip(written, found, strict=True) if kept is None] == []
    assert {ip_address(text or "") for text in found} == {expected}
    assert len(set(found)) == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.ip_addresses(v=4), min_size=1))
def test_ipv4_address_is_stored_as_its_24_bits(addresses: list[IPv4Address]) -> None:
    expected = [str(ip_network(f"{address}/24", strict=False).network_address) for address in addresses]
    assert stored([str(address) for address in addresses]) == expected
    assert stored([f"::ffff:{address}" for address in addresses]) == expected
    assert stored([f"::FFFF:{address}" for address in addresses]) == expected


@pytest.mark.parametrize("name", ["client.example.net", "localhost", "unknown", "1.2.3", "1.2.3.4.5", "a:b", "::g", ""])
def test_what_is_no_address_is_only_stored_in_full(name: str) -> None:
    assert stored([name]) == [None]
    assert stored([name], "full") == [name]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.ip_addresses().map(str), min_size=1))
def test_addresses_in_full_or_not_at_all(addresses: list[str]) -> None:
    assert stored(addresses, "full") == addresses
    assert stored(addresses, "none") == [None] * len(addresses)


def test_hits_store_addresses_as_the_rules_say(engine: Any, combined: Line) -> None:
    expected = {"full": "203.0.113.9", "truncated": "203.0.113.0", "none": None}
    for how, address in expected.items():
        rules = VisitorRules(addresses=how)  # type: ignore[arg-type]  # one of the literals
        assert engine.hit("combined", combined(), visitors=rules)["address"] == address

"""Who sent a hit: visitor ids by keyed BLAKE2b, and addresses as the rules let them be stored."""

from hashlib import blake2b
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

import numpy as np
import polars as pl

from logparse.distinct import Distinct
from logparse.rules import VisitorRules
from logparse.text import map_where

SEPARATOR = "\0"
MAPPED = bytes(10) + b"\xff\xff"
"""How an IPv6 address begins that stands for an IPv4 address (RFC 4291, 2.5.5.2)."""

PAIR = 1 << 32
"""Two codes of 32 bits are one number: first * PAIR + second."""


def client_address(rules: VisitorRules) -> pl.Expr:
    """The client's address: out of X-Forwarded-For if one was logged and the rules trust it."""
    if rules.forwarded == "ignore":
        return pl.col("address")
    chain = pl.col("forwarded").str.split(",")
    pick = chain.list.first() if rules.forwarded == "first" else chain.list.last()
    pick = pick.str.strip_chars()
    return pl.when(~pick.is_in(["", "-", "unknown"])).then(pick).otherwise(pl.col("address"))


def visitor_ids(frame: pl.DataFrame, rules: VisitorRules, key: bytes) -> pl.Series:
    """The visitor of every hit: the cookie or the query's id where there is one, else address and agent.

    Args:
        frame: `address` (the client's, whole), `agent`, `cookie`, `query`; shape (n, any).
        rules: Which cookie and which key of the query string.
        key: The pseudonym key, 1 to 64 bytes.

    Returns:
        Ids of 63 bits, shape (n,): stable across runs and versions for the same key.
    """
    named = pl.lit(None, dtype=pl.String)
    if rules.query_key:
        pattern = f"(?:^|&){_escape(rules.query_key)}=([^&]+)"
        named = pl.col("query").cast(pl.String).str.extract(pattern, 1)
    if rules.cookie:
        named = pl.coalesce("cookie", named)
    who = frame.select("address", "agent", named.alias("name"))
    if who["name"].null_count() < who.height:
        nameless = pl.col("name").is_null()
        who = who.select(
            pl.when(nameless).then(pl.col("address").cast(pl.String)).alias("address"),
            pl.coalesce("name", pl.col("agent").cast(pl.String)).alias("agent"),
        )
    return _pair_ids(Distinct.of(who["address"]), Distinct.of(who["agent"]), key)


def _pair_ids(addresses: Distinct, agents: Distinct, key: bytes) -> pl.Series:
    """The id of every (address, agent), each distinct pair hashed once."""
    high, low = (part.codes.cast(pl.Int64).fill_null(-1) + 1 for part in (addresses, agents))
    pairs = (high * PAIR + low).to_frame("pair")
    distinct = pairs.unique()
    texts = [
        part.values.gather(distinct.select(pl.when(place > 0).then(place - 1)).to_series()).fill_null("")
        for part, place in ((addresses, pl.col("pair") // PAIR), (agents, pl.col("pair") % PAIR))
    ]
    joined = pl.select(pl.concat_str(texts[0], pl.lit(SEPARATOR), texts[1])).to_series()
    ids = distinct.with_columns(_hash(joined, key).alias("visitor"))
    return pairs.join(ids, on="pair", how="left", maintain_order="left")["visitor"]


def without_id(query: pl.Expr, rules: VisitorRules) -> pl.Expr:
    """The query string without the value that names the visitor, which is stored as a hash only."""
    pattern = f"((?:^|&){_escape(rules.query_key)}=)[^&]*"
    return query.cast(pl.String).str.replace_all(pattern, "${1}*") if rules.query_key else query


def _escape(text: str) -> str:
    return "".join(char if char.isalnum() else f"\\x{{{ord(char):x}}}" for char in text)


def _hash(texts: pl.Series, key: bytes) -> pl.Series:
    """Keyed BLAKE2b of each text, its first 63 bits."""
    start = blake2b(key=key, digest_size=8)
    digests = bytearray()
    for text in texts.to_list():
        state = start.copy()
        state.update(text.encode())
        digests += state.digest()
    bits = np.frombuffer(bytes(digests), dtype=">u8") >> np.uint64(1)
    return pl.Series(bits.astype(np.int64))


def stored_addresses(addresses: pl.Series, rules: VisitorRules) -> pl.Series:
    """Addresses as they are stored: full, truncated (/24 of IPv4, /48 of IPv6), or not at all.

    What is no address (a host name, say) is kept only where addresses are stored full.
    """
    if rules.addresses == "full":
        return addresses
    if rules.addresses == "none":
        return pl.repeat(None, len(addresses), dtype=pl.String, eager=True).rename("address")
    return Distinct.of(addresses).map(truncated).rename("address")


def truncated(addresses: pl.Series) -> pl.Series:
    """The network of each address: /24 of IPv4, /48 of IPv6; null for what is no address."""
    text = pl.col("address")
    frame = map_where(addresses, ":", _network_of_v6).to_frame("address")
    net = text.str.strip_chars_end("0123456789")
    v4 = net.str.contains(r"^(?:\d{1,3}\.){3}$") & text.str.contains(r"\.\d{1,3}$")
    return frame.select(pl.when(text.str.ends_with(":")).then(text).when(v4).then(net + "0"))["address"]


def _network_of_v6(text: str) -> str:
    """`2001:db8:1::` of an IPv6 address in any spelling; an IPv4 address in it as such; else nothing."""
    try:
        packed = inet_pton(AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):
        return ""
    if packed.startswith(MAPPED):
        return inet_ntop(AF_INET, packed[len(MAPPED) :])
    return inet_ntop(AF_INET6, packed[:6] + bytes(10))

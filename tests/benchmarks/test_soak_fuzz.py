"""Mutated lines of every known format: each is accounted for, nothing raises, the reference agrees."""

import random
from dataclasses import replace
from types import ModuleType

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.blocks import Block
from logparse.formats import BUILT_IN
from logparse.parsers import PARSERS

NAMES = [known.name for known in BUILT_IN]
FORMATS = {known.name: known for known in BUILT_IN}


@settings(max_examples=100)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_laws_hold_on_any_mutations_of_any_format(
    soak_fuzz: ModuleType, mutations: ModuleType, name: str, data: st.DataObject
) -> None:
    sample = soak_fuzz.samples(name)
    spoilt = st.lists(st.sampled_from(mutations.MUTATIONS), max_size=4)
    chance = data.draw(st.randoms(use_true_random=False))
    lines = []
    for line in data.draw(st.lists(st.sampled_from(sample), max_size=4)):
        for mutation in data.draw(spoilt):
            line = mutation(line, chance, sample)
        lines.append(line)
    text = b"\n".join(lines)
    kernel = data.draw(st.sampled_from(soak_fuzz.kernels(FORMATS[name])))
    assert soak_fuzz.broken_laws(kernel, FORMATS[name], Block(text, 0, len(text), 1), with_reference=True)[1] == []


def test_a_small_soak_breaks_no_law(soak_fuzz: ModuleType) -> None:
    report = soak_fuzz.soak(20_000, 2026, block_lines=500)
    assert report.differences == []
    assert report.lines >= 20_000
    assert report.checked > 0
    assert all(account.hits and account.rejected for account in report.accounts.values())


def test_a_law_that_is_broken_is_seen(soak_fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    known = FORMATS["combined"]
    kernel, parser = soak_fuzz.kernels(known)[0], PARSERS["literals"]
    block = soak_fuzz.block_of(known, soak_fuzz.samples("combined"), random.Random(1), 50)
    assert soak_fuzz.broken_laws(kernel, known, block, with_reference=True)[1] == []
    with monkeypatch.context() as patch:
        wrong = replace(parser, plan=lambda *given: parser.plan(*given).with_columns(f5=pl.lit("999")))
        patch.setitem(PARSERS, "literals", wrong)
        assert "the reference gives other hits" in soak_fuzz.broken_laws(kernel, known, block, with_reference=True)[1]
    with monkeypatch.context() as patch:
        short = replace(parser, plan=lambda *given: parser.plan(*given).head(5))
        patch.setitem(PARSERS, "literals", short)
        assert soak_fuzz.broken_laws(kernel, known, block, with_reference=False)[1] != []

"""Mutated lines of every known format: each is accounted for, nothing raises, the reference agrees."""

import random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.blocks import Block
from logparse.formats import BUILT_IN

NAMES = [known.name for known in BUILT_IN]
FORMATS = {known.name: known for known in BUILT_IN}


@pytest.mark.parametrize("name", NAMES)
def test_samples_of_a_format_are_hits(soak_fuzz: ModuleType, name: str) -> None:
    data = b"".join(line + b"\n" for line in soak_fuzz.samples(name))
    block = Block(data, 0, len(data), 1)
    account, broken = soak_fuzz.broken_laws(soak_fuzz.kernels(FORMATS[name])[0], block, with_reference=True)
    assert broken == []
    assert account.rejected == {}
    assert account.hits >= 5


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
    assert soak_fuzz.broken_laws(kernel, Block(text, 0, len(text), 1), with_reference=True)[1] == []


def test_a_small_soak_breaks_no_law(soak_fuzz: ModuleType) -> None:
    report = soak_fuzz.soak(20_000, 2026, block_lines=500)
    assert report.differences == []
    assert report.lines >= 20_000
    assert report.checked > 0
    assert all(account.hits and account.rejected for account in report.accounts.values())


def test_a_law_that_is_broken_is_seen(soak_fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    parse = soak_fuzz.engine.plan.parse
    kernel = soak_fuzz.kernels(FORMATS["combined"])[0]
    block = soak_fuzz.block_of(soak_fuzz.samples("combined"), random.Random(1), 50)
    assert soak_fuzz.broken_laws(kernel, block, with_reference=True)[1] == []

    def wrong(*given: object) -> object:
        return parse(*given).with_columns(f5=soak_fuzz.pl.lit("999"))

    with monkeypatch.context() as patch:
        patch.setattr(soak_fuzz.engine.plan, "parse", wrong)
        found = soak_fuzz.broken_laws(kernel, block, with_reference=True)[1]
    assert "the reference gives other hits" in found
    with monkeypatch.context() as patch:
        patch.setattr(soak_fuzz.engine.plan, "parse", lambda *given: parse(*given).head(5))
        assert soak_fuzz.broken_laws(kernel, block, with_reference=False)[1] != []

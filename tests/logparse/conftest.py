"""Short ways from a format and some lines to what the engine makes of them."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from logparse.blocks import Block
from logparse.formats import BUILT_IN
from logparse.kernel import Kernel, Parsed
from logparse.pattern import compile_pattern, guess_syntax
from logparse.rules import Rules, VisitorRules
from logparse.spec import LogFormat

NAMED = {known.name: known for known in BUILT_IN}
FULL = VisitorRules(addresses="full")


class Engine:
    """The engine, as the tests call it; kernels are made once for each format and set of rules.

    A format is the name of a built-in one or a pattern. Addresses are stored full if no rules are given.
    """

    key = b"the key of the tests"

    def format(self, text: str) -> LogFormat:
        """A format by its name or pattern."""
        return NAMED.get(text) or guess_syntax(text)

    @cache  # noqa: B019 - one engine lives as long as the tests do
    def kernel(self, text: str, rules: Rules = Rules(visitors=FULL)) -> Kernel:  # noqa: B008 - it is frozen
        """The kernel of a format and rules."""
        return Kernel.of(compile_pattern(self.format(text)), rules, self.key)

    def parse(self, text: str, data: bytes, **rules: Any) -> Parsed:
        """What becomes of a block of bytes."""
        return self.kernel(text, Rules(**{"visitors": FULL, **rules})).parse(Block(data, 0, len(data), 1))

    def hits(self, text: str, *lines: str, **rules: Any) -> list[dict[str, Any]]:
        """The hits of lines, of which none may be rejected."""
        parsed = self.parse(text, "".join(f"{line}\n" for line in lines).encode(), **rules)
        assert parsed.rejects.to_dicts() == []
        return parsed.hits.to_dicts()

    def hit(self, text: str, line: str, **rules: Any) -> dict[str, Any]:
        """The one hit of a line."""
        (hit,) = self.hits(text, line, **rules)
        return hit


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="session")
def combined() -> Callable[..., str]:
    """Writes a line in the combined format."""

    def line(
        request: str = "GET /cart HTTP/1.1",
        address: str = "203.0.113.9",
        login: str = "-",
        time: str = "17/May/2015:10:05:03 +0000",
        status: str = "200",
        size: str = "512",
        referrer: str = "-",
        agent: str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    ) -> str:
        return f'{address} - {login} [{time}] "{request}" {status} {size} "{referrer}" "{agent}"'

    return line

"""Options that commands of this plugin share."""

from typing import Any, Final

import click

from crm.filters import When


class _WhenType(click.ParamType[When]):
    """A moment: a date is its beginning."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> When:
        """Read it; what is none is a usage error."""
        try:
            return value if isinstance(value, When) else When.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


WHEN: Final = _WhenType()

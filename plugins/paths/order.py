"""`--order`: how far back the prediction of the next page looks."""

from typing import Final

import click

ORDER: Final = 3
"""How many of the last pages count, unless the user says otherwise."""

order_option = click.option(
    "--order",
    type=click.IntRange(1, 10),
    default=ORDER,
    show_default=True,
    metavar="N",
    help="How many of the last pages count; the start of a session is one of them.",
)

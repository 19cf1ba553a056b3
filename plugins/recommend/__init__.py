"""The group `recommend`: what people may like next."""

from collections.abc import Sequence

from crm.hookspecs import Algorithm, CommandRef, hookimpl

_COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("recommend for", "for_:command", "Recommend items to people, and say why."),
    ("recommend evaluate", "evaluate:command", "Measure how well algorithms find what people took up next."),
    ("recommend algorithms", "algorithms:command", "List the recommenders, with what `evaluate --tune` tries."),
)
_GROUPS = (("recommend", "Recommend items to people, and measure how well."),)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]


@hookimpl
def recommenders() -> Sequence[Algorithm]:
    """The recommenders of this plugin."""
    from plugins.recommend.algorithms import ALGORITHMS

    return ALGORITHMS

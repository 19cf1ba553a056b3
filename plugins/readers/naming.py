"""What the columns of a table that was read are called."""

from collections.abc import Iterable


def columns(header: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Names of columns, each its own and none empty, and what was changed."""
    header = list(header)
    names: list[str] = []
    warnings: list[str] = []
    given = {name.strip() for name in header}
    taken: set[str] = set()
    for number, cell in enumerate(header, start=1):
        stripped = cell.strip()
        wanted = stripped or f"column_{number}"
        name, copy = wanted, 1
        while name in taken or (name in given and name != stripped):
            copy += 1
            name = f"{wanted}_{copy}"
        if not stripped:
            warnings.append(f"column {number} has no name and is called `{name}`")
        elif name != stripped:
            warnings.append(f"there is another column `{stripped}`; column {number} is called `{name}`")
        taken.add(name)
        names.append(name)
    return names, tuple(warnings)

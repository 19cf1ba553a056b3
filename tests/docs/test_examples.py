"""Every example of the documentation runs, and prints what its page says."""

from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]

PAGE = """\
A page.

```text
$ this is not run
```

```text title="folder/hello.txt"
hello
```

```console
$ cat folder/hello.txt
hello
$ printf '1\\n2\\n3\\n' | \\
  tail -n 2
2
3
$ printf '1\\n2\\n3\\n'
1
...
$ echo 'in 17.25 s' >&2
in 0.4 s
```
"""


PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]
    if "```console" in page.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_the_program_prints(examples: ModuleType, page: str) -> None:
    assert examples.check(page) == ""


def test_every_page_with_examples_is_run(examples: ModuleType) -> None:
    assert sorted(examples.PAGES) == PAGES


def test_no_page_shows_a_failure_by_mistake(root: Path) -> None:
    """A page that wants to show an exit code lets its command echo it."""
    pages = [root / "README.md", *root.glob("docs/*.md")]
    assert [page.name for page in pages if "\n(exit code" in page.read_text(encoding="utf-8")] == []


def test_a_page_that_is_true_stays_as_it_is(examples: ModuleType, tmp_path: Path) -> None:
    assert examples.run_page(PAGE, tmp_path) == PAGE


@pytest.mark.parametrize(
    ("said", "true"),
    [
        ("$ echo one\ntwo\n", "$ echo one\none\n"),
        ("$ echo one\none\n...\ntwo\n", "$ echo one\none\n"),
        ("$ echo one\n", "$ echo one\none\n"),
        ("$ echo one; false\none\n", "$ echo one; false\none\n(exit code 1)\n"),
    ],
)
def test_a_page_that_is_wrong_is_put_right(examples: ModuleType, tmp_path: Path, said: str, true: str) -> None:
    assert examples.run_page(f"```console\n{said}```\n", tmp_path) == f"```console\n{true}```\n"


def test_output_before_the_first_command_is_a_mistake_of_the_page(examples: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="begins with"):
        examples.run_page("```console\none\n```\n", tmp_path)

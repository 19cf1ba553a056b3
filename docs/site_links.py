"""For the documentation site: files outside of this folder that pages link to are pages and files of the site, too."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parents[1]
IN_NAV = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#\s]*)\)")
_INSIDE = re.compile(r"\]\(docs/")


def outside() -> dict[str, Path]:
    """The files that belong to the site and are not in this folder, by their place in the site."""
    pages = "".join(page.read_text(encoding="utf-8") for page in ROOT.glob("docs/*.md"))
    names = {*IN_NAV, *(name for _, name in _OUTSIDE.findall(pages))}
    return {name: ROOT / name for name in sorted(names) if (ROOT / name).is_file()}


def linked(markdown: str) -> str:
    """A page whose links lead to where things are in the site; what is not in it stays as text."""
    there = outside()

    def link(found: re.Match[str]) -> str:
        text, name = found.groups()
        return f"[{text}]({name})" if name in there else text

    return _OUTSIDE.sub(link, markdown)


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Called by MkDocs with the files of this folder."""
    for name, path in outside().items():
        level = InclusionLevel.INCLUDED if name in IN_NAV else InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, name, abs_src_path=str(path), inclusion=level))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Called by MkDocs with the text of each page."""
    if page.file.src_uri in outside():
        return _INSIDE.sub("](", markdown)
    return linked(markdown)

"""The documentation site: what its pages link to outside of the folder of the pages is in it."""

import re
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

from tests.docs.conftest import load

ROOT = Path(__file__).parents[2]


def test_links_out_of_the_folder_lead_to_files_of_the_site_or_are_text() -> None:
    linked = load("site_links").linked
    assert linked("see [the rules](../SECURITY.md)") == "see [the rules](SECURITY.md)"
    assert linked("[`a`](../configs/shop.yaml), [b](../examples/crm-example-plugin)") == "[`a`](configs/shop.yaml), b"
    assert linked("[d](tables.md#hits)") == "[d](tables.md#hits)"


def test_every_link_within_the_site_leads_somewhere(tmp_path: Path) -> None:
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path))
    build(config)
    pages = list(tmp_path.rglob("*.html"))
    assert {"SECURITY", "CONTRIBUTING", "CHANGELOG"} <= {page.parent.name for page in pages}
    links = {(page, link) for page in pages for link in re.findall(r'href="([^"#]+)', page.read_text("utf-8"))}
    broken = [
        (page.parent.name, link)
        for page, link in links
        if page.name != "404.html" and "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []

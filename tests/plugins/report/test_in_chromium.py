"""The report in a real browser: charts are drawn and tell their numbers, filters work, nothing is complained of.

Debian's chromium and chromium-driver, headless, without a network.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--window-size=1100,900")  # fmt: skip

pytestmark = [
    pytest.mark.skipif(
        shutil.which("chromium") is None or shutil.which("chromedriver") is None,
        reason="needs chromium and chromium-driver as Debian packages it",
    ),
    pytest.mark.xdist_group("chromium"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, new_crm: Any) -> Path:
    """The report of the sample shop."""
    crm: Crm = new_crm(tmp_path_factory.mktemp("shop"))
    text = (ROOT / "configs" / "shop.yaml").read_text(encoding="utf-8")
    (crm.workspace / "crm.yaml").write_text(f"{text}\nreport: {{funnel: [/, /cart, /order/done]}}\n")
    crm("logs", "mine", ROOT / "sample_logs" / "shop.log")
    crm("orders", "import", ROOT / "sample_data" / "orders.csv")
    crm("report", "-o", crm.folder / "report.html", "--title", "样本商店")
    return crm.folder / "report.html"


def opened(browser: webdriver.Chrome, page: Path) -> None:
    """Open a page, and wait until all charts are drawn."""
    browser.get_log("browser")  # what was there before
    browser.get(page.as_uri())
    end = time.monotonic() + PATIENCE
    while not browser.execute_script("return document.body.dataset.drawn"):
        assert time.monotonic() < end, browser.get_log("browser")
        time.sleep(0.1)


def test_all_charts_are_drawn_and_the_console_stays_empty(browser: webdriver.Chrome, shop: Path) -> None:
    opened(browser, shop)
    places = browser.find_elements(By.CSS_SELECTOR, "[data-chart]")
    assert len(places) >= 10
    for place in places:
        assert len(place.find_elements(By.CSS_SELECTOR, "svg path")) > 0, place.get_attribute("data-chart")
    assert browser.get_log("browser") == []
    loaded = browser.execute_script("return performance.getEntriesByType('resource').length")
    assert loaded == 0


def test_the_pointer_on_a_bar_tells_its_numbers(browser: webdriver.Chrome, shop: Path) -> None:
    opened(browser, shop)
    place = browser.find_element(By.CSS_SELECTOR, "[data-chart=pages]")
    browser.execute_script("arguments[0].scrollIntoView()", place)
    bar = place.find_elements(By.CSS_SELECTOR, "g.mark-rect path[aria-roledescription=bar]")[0]
    ActionChains(browser).move_to_element(bar).perform()
    tip = browser.find_element(By.ID, "vg-tooltip-element")
    end = time.monotonic() + PATIENCE
    while "views" not in tip.text:
        assert time.monotonic() < end
        time.sleep(0.1)
    head, first = (
        browser.execute_script(
            f"return [...document.querySelectorAll('[data-table=pages] {row} > *')].map(each => each.textContent)"
        )
        for row in ("thead tr", "tbody tr:first-child")
    )
    assert tip.text.split() == [word for name, cell in zip(head, first, strict=True) for word in (name, cell)]


def test_rows_are_filtered_by_what_is_typed(browser: webdriver.Chrome, shop: Path) -> None:
    opened(browser, shop)
    box = browser.find_element(By.CSS_SELECTOR, "[data-filter=pages]")
    browser.execute_script("arguments[0].closest('details').open = true", box)
    rows = browser.find_elements(By.CSS_SELECTOR, "[data-table=pages] tbody tr")
    box.send_keys("FOOD")
    shown = [row.text for row in rows if row.is_displayed()]
    assert 0 < len(shown) < len(rows)
    assert all("food" in text for text in shown)


def test_a_click_on_the_legend_shows_one_line_alone(browser: webdriver.Chrome, shop: Path) -> None:
    opened(browser, shop)
    place = browser.find_element(By.CSS_SELECTOR, "[data-chart=days]")
    browser.execute_script("window.scrollTo(0, 0)")
    symbols = place.find_elements(By.CSS_SELECTOR, "g.role-legend-symbol path")
    ActionChains(browser).move_to_element(symbols[0]).click().perform()
    time.sleep(0.5)
    lines = place.find_elements(By.CSS_SELECTOR, "g.mark-line path")
    assert sorted(line.get_attribute("opacity") or "1" for line in lines) == ["0.15", "0.15", "0.15", "1"]


@pytest.mark.parametrize("width", [360, 1400], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_window(browser: webdriver.Chrome, shop: Path, width: int) -> None:
    browser.set_window_size(width, 900)
    opened(browser, shop)
    wide, window = browser.execute_script("return [document.body.scrollWidth, window.innerWidth]")
    assert wide <= window
    browser.set_window_size(1100, 900)


def test_hostile_names_run_nothing(browser: webdriver.Chrome, crm: "Crm") -> None:
    pages = [
        "/<script>document.title='bad'</script>",
        "/<img%20src=x%20onerror=document.title='bad'>",
        "/" + "y" * 8000,
    ]
    lines = [crm.line(10 * at, page) for at, page in enumerate(pages * 4)]
    crm("logs", "mine", crm.log("access.log", *lines))
    crm("report", "-o", crm.folder / "report.html", "--title", "good")
    opened(browser, crm.folder / "report.html")
    for bar in browser.find_elements(By.CSS_SELECTOR, "[data-chart=pages] g.mark-rect path[aria-roledescription=bar]"):
        browser.execute_script("arguments[0].scrollIntoView()", bar)
        ActionChains(browser).move_to_element(bar).perform()
        time.sleep(0.2)
    assert browser.title == "good"
    assert browser.find_elements(By.CSS_SELECTOR, "img") == []
    assert browser.get_log("browser") == []

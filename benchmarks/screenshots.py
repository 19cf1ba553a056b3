"""Make a report of the sample shop, and pictures of it: on a desktop, on a phone, in the dark, and printed.

    python benchmarks/screenshots.py FOLDER

Needs Debian's chromium. `docs/report.png`, which the README shows, is the first of the pictures.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--hide-scrollbars")  # fmt: skip
PICTURES = {
    "desktop.png": ("--window-size=1100,900",),
    "phone.png": ("--window-size=500,900", "--allow-file-access-from-files"),
    "dark.png": ("--window-size=1100,900", "--blink-settings=preferredColorScheme=0"),
}
PHONE = '<body style="margin:0"><iframe src="report.html" style="width:375px;height:900px;border:0"></iframe>'
"""A page as wide as a phone; a window of the browser is wider."""
FUNNEL = "\nreport: {title: Sample shop, funnel: [/, /c/*, /item/*, /cart, /checkout, /order/done]}\n"


def crm(workspace: Path, *words: object) -> None:
    """Call the program."""
    command = [sys.executable, "-m", "cli", "-q", "-w", str(workspace), *map(str, words)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def report(folder: Path) -> Path:
    """The report of the sample shop."""
    workspace = folder / "workspace"
    workspace.mkdir(mode=0o700)
    (workspace / "crm.yaml").write_text((ROOT / "configs" / "shop.yaml").read_text(encoding="utf-8") + FUNNEL)
    crm(workspace, "logs", "mine", "sample_logs/shop.log")
    for kind in ("customers", "orders", "consents"):
        crm(workspace, kind, "import", f"sample_data/{kind}.csv")
    crm(workspace, "catalog", "import", "sample_data/catalog.csv")
    crm(workspace, "report", "-o", folder / "report.html")
    return folder / "report.html"


def photograph(page: Path, profile: Path, *words: str) -> None:
    """Let the browser do something with a page once its charts are drawn."""
    options = [*FLAGS, f"--user-data-dir={profile}", "--virtual-time-budget=8000", *words]
    subprocess.run(["chromium", *options, page.as_uri()], check=True, stderr=subprocess.DEVNULL)


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if shutil.which("chromium") is None:
        sys.exit("there is no chromium; install it by apt-get")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        page = report(Path(made))
        phone = page.with_name("phone.html")
        phone.write_text(PHONE, encoding="utf-8")
        for name, words in PICTURES.items():
            photograph(
                phone if name == "phone.png" else page, Path(made) / "profile", *words, f"--screenshot={folder / name}"
            )
        photograph(page, Path(made) / "profile", "--no-pdf-header-footer", f"--print-to-pdf={folder / 'print.pdf'}")
    for file in sorted(folder.iterdir()):
        print(f"{file}  {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

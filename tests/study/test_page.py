"""The study's page where people read it: on paper, on a desk and on a telephone, by a browser that is installed."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("report")  # it shows reports that test_report.py also reads: written once
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync",
         "--disable-component-update"]  # fmt: skip
FRAME = '<iframe src="{page}" style="width: {width}px; height: 2000px; border: 0"></iframe>'
MEASURE = """<pre></pre><script>
onload = () => { for (const frame of document.querySelectorAll("iframe")) {
  const inside = frame.contentDocument, root = inside.documentElement;
  const wide = [...inside.querySelectorAll(".wide")], charts = [...inside.querySelectorAll("img")];
  const right = element => element.getBoundingClientRect().right;
  document.querySelector("pre").textContent += "overflow " + (root.scrollWidth - root.clientWidth)
    + "; cut tables " + wide.filter(one => one.scrollWidth > one.clientWidth).length
    + "; unreachable tables " + wide.filter(one => getComputedStyle(one).overflowX != "auto").length
    + "; cut charts " + charts.filter(one => right(one) > root.clientWidth).length + " of " + charts.length + "|";
} }</script>"""


def chromium(profile: Path, *words: str) -> str:
    """What it printed, without a window."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", f"--user-data-dir={profile}", *QUIET, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def layouts(pages: list[tuple[Path, int]], folder: Path) -> list[dict[str, str]]:
    """How each page fits into a window so many pixels wide."""
    frame = folder / "frames.html"
    frame.write_text("".join(FRAME.format(page=page.as_uri(), width=width) for page, width in pages) + MEASURE)
    shown = chromium(
        folder, "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom", frame.as_uri()
    )
    [line] = re.findall(r"<pre>(.*)\|</pre>", shown)
    found = [part.replace(" of ", "; charts ").split("; ") for part in line.split("|")]
    return [dict(figure.rsplit(" ", 1) for figure in figures) for figures in found]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_page_is_whole_on_paper_a_desk_and_a_telephone(written: Callable[[str], Path], tmp_path: Path) -> None:
    max_pages = {"docs/study": 8, "docs/study/emulated": 12}  # the latter has more devices
    pages = {example: written(example) / "report.html" for example in max_pages}
    for example, page in pages.items():
        pdf = tmp_path / "report.pdf"
        chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
        assert 4 <= len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) <= max_pages[example]

    found = layouts([(page, width) for page in pages.values() for width in (1200, 390)], tmp_path)
    assert len(found) == 4
    for on_desk, on_telephone in zip(found[::2], found[1::2], strict=True):
        assert int(on_desk["charts"]) >= 6
        assert (on_desk["overflow"], on_desk["cut tables"], on_desk["cut charts"]) == ("0", "0", "0")
        assert int(on_telephone["cut tables"]) > 0  # they are wider than that, and scroll inside
        fits = on_telephone["overflow"], on_telephone["unreachable tables"], on_telephone["cut charts"]
        assert fits == ("0", "0", "0")

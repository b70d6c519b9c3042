"""The study's page where people read it: on paper, on a desk and on a telephone, by a browser that is installed."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync",
         "--disable-component-update"]  # fmt: skip
MEASURE = """<iframe src="{page}" style="width: {width}px; height: 2000px; border: 0"></iframe><pre></pre><script>
onload = () => {{
  const inside = document.querySelector("iframe").contentDocument, root = inside.documentElement;
  const wide = [...inside.querySelectorAll(".wide")], charts = [...inside.querySelectorAll("img")];
  const right = element => element.getBoundingClientRect().right;
  document.querySelector("pre").textContent = "overflow " + (root.scrollWidth - root.clientWidth)
    + "; cut tables " + wide.filter(one => one.scrollWidth > one.clientWidth).length
    + "; unreachable tables " + wide.filter(one => getComputedStyle(one).overflowX != "auto").length
    + "; cut charts " + charts.filter(one => right(one) > root.clientWidth).length + " of " + charts.length;
}}</script>"""


def chromium(profile: Path, *words: str) -> str:
    """What it printed, without a window."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", f"--user-data-dir={profile}", *QUIET, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def layout(page: Path, width: int, folder: Path) -> dict[str, str]:
    """How a page fits into a window so many pixels wide."""
    frame = folder / f"{width}.html"
    frame.write_text(MEASURE.format(page=page.as_uri(), width=width))
    shown = chromium(
        folder, "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom", frame.as_uri()
    )
    [line] = re.findall("<pre>(.*)</pre>", shown)
    return {part.rsplit(" ", 1)[0]: part.rsplit(" ", 1)[1] for part in line.replace(" of ", "; charts ").split("; ")}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_page_is_whole_on_paper_a_desk_and_a_telephone(written: Callable[[str], Path], tmp_path: Path) -> None:
    for example, most_pages in (("docs/study", 8), ("docs/study/stand-in", 12)):  # the latter has more devices
        page = written(example) / "report.html"
        pdf = tmp_path / "report.pdf"
        chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
        assert 4 <= len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) <= most_pages

        on_desk = layout(page, 1200, tmp_path)
        assert int(on_desk["charts"]) >= 7
        assert (on_desk["overflow"], on_desk["cut tables"], on_desk["cut charts"]) == ("0", "0", "0")

        on_telephone = layout(page, 390, tmp_path)
        assert int(on_telephone["cut tables"]) > 0  # they are wider than that, and scroll inside
        found = on_telephone["overflow"], on_telephone["unreachable tables"], on_telephone["cut charts"]
        assert found == ("0", "0", "0")

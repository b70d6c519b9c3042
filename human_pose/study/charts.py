"""The report's charts, by matplotlib: for the page, as SVG that takes the page's colours, and as files."""

import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from ..devices import members_of
from ..errors import UsageError
from .cell import BINS_PER_DECADE
from .conclusions import against_members, measured, name
from .figures import figures
from .plan import FRAMEWORKS, ORIGINALS, Cell
from .results import Study
from .runner import accuracy_cells

INK = "#123456"  # stands for the page's own colour of text, and is replaced by it
COLOURS = ("#4c8dd6", "#e08a2e", "#4fa66a", "#b36ac2", "#c9555a", "#7a8794", "#b59b2b", "#3fa7a7")
WIDTH = 7.0  # inches


class Chart(NamedTuple):
    """name: of its files; inline: SVG for the page; svg, png: the files' content."""

    name: str
    title: str
    inline: str
    svg: bytes
    png: bytes


def check_matplotlib() -> None:
    """Raise UsageError where matplotlib is not installed: before the study, not after it."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "Charts need matplotlib: pip install -r requirements-study.txt; or give --no-charts."
        ) from error


def charts(study: Study) -> list[Chart]:
    """Every chart that there are figures for."""
    made = []
    for model in dict.fromkeys(cell.model for cell in measured(study)):
        cells = [cell for cell in study.cells if cell.model == model and cell.kind in ("openvino", *ORIGINALS)]
        shown = [cell for cell in cells if study.runs(cell) and cell.requests is None]
        plots: dict[str, tuple[str, Callable[[Any], bool], float]] = {
            "fps": (f"{model}: FPS of inference alone (wide) and of the application (narrow)",
                    partial(_bars, study=study, cells=shown, keys=("inference_fps", "application_fps"), unit="FPS"),
                    0.3 * len(shown)),
            "latency": (f"{model}: latency of a request, ms",
                        partial(_bars, study=study, cells=shown, keys=("latency_ms",), unit="ms"), 0.3 * len(shown)),
            "multi": (f"{model}: MULTI and the sum of its devices, inference FPS",
                      partial(_sums, study=study, cells=shown), 2.0),
            "accuracy": (f"{model}: accuracy against inference FPS",
                         partial(_accuracy, study=study, cells=cells), 2.0),
            "requests": (f"{model}: requests in flight against inference FPS",
                         partial(_requests, study=study, cells=cells), 2.4),
            "histogram": (f"{model}: latency of requests",
                          partial(_histogram, study=study, cells=shown), 2.4),
        }  # fmt: skip
        for kind, (title, plot, height) in plots.items():
            chart = _chart(f"{kind}-{model}", title, plot, height + 1.0)
            if chart is not None:
                made.append(chart)
    return made


def _chart(chart_name: str, title: str, plot: Callable[[Any], bool], height: float) -> Chart | None:
    """None where there is nothing to plot."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style = {"svg.fonttype": "none", "svg.hashsalt": chart_name, "font.size": 9, "legend.frameon": False}
    inks = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    with rc_context(style | dict.fromkeys(inks, INK)):  # type: ignore[arg-type]
        figure = Figure((WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, axis="both", alpha=0.25)
        axes.set_axisbelow(True)
        if not plot(axes):
            return None
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
        inline, svg, png = io.BytesIO(), io.BytesIO(), io.BytesIO()
        figure.savefig(inline, format="svg", transparent=True, metadata={"Date": None})
        figure.savefig(svg, format="svg", facecolor="white", metadata={"Date": None})
        figure.savefig(png, format="png", facecolor="white", dpi=120)
    return Chart(
        chart_name, title, _inline(inline.getvalue().decode(), chart_name, title), svg.getvalue(), png.getvalue()
    )


def _inline(svg: str, chart_name: str, title: str) -> str:
    """For a page: no head, ids of its own, as wide as there is room, text in the page's colour."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{chart_name}-", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"|( height="[\d.]+pt")', r"\1", svg, count=2).replace(
        "<svg", f'<svg role="img" aria-label="{title}"', 1
    )


def _bars(axes: Any, study: Study, cells: Sequence[Cell], keys: Sequence[str], unit: str) -> bool:
    """A bar a cell, with its mean's interval; of a second figure, a narrow bar in the first one's."""
    colours = dict(zip(dict.fromkeys(cell.precision for cell in cells), COLOURS, strict=False))
    labels = []
    for place, cell in enumerate(cells):
        labels.append(name(cell, False) if cell.kind not in ORIGINALS else FRAMEWORKS[cell.kind])
        for height, key, shade in zip((0.75, 0.3), keys, (1.0, 0.45), strict=False):
            values = study.values(cell, key)
            if not values:
                continue
            told = figures(values)
            colour = COLOURS[5] if cell.kind in ORIGINALS else colours[cell.precision]
            error = None if told.low is None or told.high is None else [[told.mean - told.low], [told.high - told.mean]]
            edge = {"color": colour} if shade == 1 else {"color": colour, "edgecolor": INK, "linewidth": 0.8}
            axes.barh(place, told.mean, height, xerr=error, ecolor=INK, capsize=2, **edge)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel(f"{unit}; lines: 95 % interval of the mean")
    return bool(cells)


def _sums(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """A MULTI's bar beside the stack of its devices' bars."""
    place = 0
    labels = []
    for cell in cells:
        if not cell.device.startswith("MULTI:") or cell.hint == "latency" or against_members(study, cell)[0] is None:
            continue
        axes.bar(place, figures(study.values(cell, "inference_fps")).mean, 0.7, color=COLOURS[0])
        height = 0.0
        for number, member in enumerate(members_of(cell.device)):
            for one in cells:
                if (one.device, one.precision, one.hint) == (member, cell.precision, cell.hint):
                    mean = figures(study.values(one, "inference_fps")).mean
                    axes.bar(place + 1, mean, 0.7, bottom=height, color=COLOURS[1 + number])
                    axes.annotate(member, (place + 1, height + mean / 2), ha="center", va="center", fontsize=7)
                    height += mean
        labels += [f"MULTI\n{cell.precision}", "its devices\nalone"]
        place += 3
    axes.set_xticks([3 * (number // 2) + number % 2 for number in range(len(labels))], labels)
    return place > 0


def _accuracy(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """AP where every precision has it, else the share of keypoints found again."""
    ours = [cell for cell in accuracy_cells(study.cells, study.wish) if cell in cells and study.runs(cell)]
    points = {}
    has_ap = study.wish.annotations is not None
    for cell in ours:
        found = study.extra("ap" if has_ap else "agreement", cell)
        if found is not None and "error" not in found:
            points[cell] = found["metrics"]["AP"] if has_ap else 100 * found["within_pixels"]
        elif cell.precision == "FP32" and not has_ap:
            points[cell] = 100.0
    for colour, (cell, value) in zip(COLOURS, points.items(), strict=False):
        fps = figures(study.values(cell, "inference_fps")).mean
        axes.plot(fps, value, "o", color=colour, markersize=8)
        axes.annotate(cell.precision, (fps, value), xytext=(6, 6), textcoords="offset points")
    axes.margins(0.2)
    axes.set_xlabel("inference FPS")
    axes.set_ylabel("AP, %" if has_ap else "FP32's keypoints within 5 pixels, %")
    return len(points) > 1


def _requests(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """A line a device: its FPS by the number of requests."""
    ours = [cell for cell in cells if cell.requests is not None and study.runs(cell)]
    for colour, key in zip(COLOURS, dict.fromkeys((cell.device, cell.affinity) for cell in ours), strict=False):
        line = sorted(
            (cell for cell in ours if (cell.device, cell.affinity) == key), key=lambda cell: cell.requests or 0
        )
        told = [figures(study.values(cell, "inference_fps")).mean for cell in line]
        label = f"{key[0]} ({key[1]})" if key[0].startswith("HETERO") else key[0]
        axes.plot([cell.requests for cell in line], told, "o-", color=colour, label=label)
    if ours:
        axes.legend()
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("requests in flight")
    axes.set_ylabel("FPS")
    axes.set_ylim(bottom=0)
    return bool(ours)


def _histogram(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """Share of the requests by their latency, at the first precision that was measured."""
    ours = [cell for cell in cells if cell.kind == "openvino"]
    ours = [cell for cell in ours if cell.precision == ours[0].precision]
    for colour, cell in zip(COLOURS, ours, strict=False):
        counts: Counter[int] = Counter()
        for run in study.runs(cell):
            counts.update({int(number): count for number, count in run["latency_bins"].items()})
        numbers = range(min(counts) - 1, max(counts) + 2)
        edges = [10 ** (number / BINS_PER_DECADE) for number in [*numbers, numbers[-1] + 1]]
        shares = [100 * counts[number] / counts.total() for number in numbers]
        axes.stairs(shares, edges, color=colour, label=name(cell, False), linewidth=1.4)
    axes.set_xscale("log")
    axes.set_xlabel("ms")
    axes.set_ylabel("% of requests")
    if ours:
        axes.legend(fontsize=7)
    return bool(ours)

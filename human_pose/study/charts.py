"""The report's charts, by matplotlib: for the page, as SVG that takes the page's colours, and as files."""

import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Any, NamedTuple, Protocol

from ..agreement import NEAR_PIXELS
from ..errors import UsageError
from .figures import BINS_PER_DECADE, figures
from .findings import against_members, measured, members
from .plan import ORIGINALS, Cell, accuracy_cells
from .results import Study

INK = "#123456"  # stands for the page's own colour of text, and is replaced by it
COLOURS = ("#4c8dd6", "#e08a2e", "#4fa66a", "#b36ac2", "#c9555a", "#8a6d5c", "#b59b2b", "#3fa7a7")
GREY = "#7a8794"
WIDTH = 7.0  # inches
LEAST_SPAN = 4.0  # percent that the axis of accuracy shows, lest a tenth of a point looks like much


# What the two bars of a cell show, and how dark each is.
FPS = (("inference_fps", "inference alone", 1.0), ("application_fps", "whole application", 0.5))
LATENCY = (("latency_ms", "", 1.0),)


class Plot(Protocol):
    """Draws the cells' figures; returns whether there were any."""

    def __call__(self, axes: Any, study: Study, cells: Sequence[Cell]) -> bool: ...


class Chart(NamedTuple):
    """kind: what it shows; name: of its files; inline: SVG for the page; svg, png: the files' content."""

    kind: str
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
        bars = 0.34 * len(shown)
        plots: dict[str, tuple[str, Plot, float]] = {
            "fps": ("FPS", partial(_bars, keys=FPS, unit="FPS"), 1.4 * bars),
            "latency": ("latency of a request", partial(_bars, keys=LATENCY, unit="ms"), bars),
            "histogram": ("latency of all requests, at the first precision", _histogram, 2.4),
            "accuracy": ("accuracy against FPS", _accuracy, 2.0),
            "multi": ("MULTI and the sum of its devices, FPS of inference alone", _sums, 2.0),
            "requests": ("FPS of inference alone by requests in flight", _requests, 2.4),
            "drift": ("every run in the order in which they ran", _drift, 1.8),
        }
        for kind, (title, plot, height) in plots.items():
            ours = cells if kind == "requests" else shown
            chart = _chart(kind, model, f"{model}: {title}", partial(plot, study=study, cells=ours), height + 1.0)
            if chart is not None:
                made.append(chart)
    return made


def _chart(kind: str, model: str, title: str, plot: Callable[[Any], bool], height: float) -> Chart | None:
    """None where there is nothing to plot."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    chart_name = f"{kind}-{model}"
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
    page = _inline(inline.getvalue().decode(), chart_name, title)
    return Chart(kind, chart_name, title, page, svg.getvalue(), png.getvalue())


def _inline(svg: str, chart_name: str, title: str) -> str:
    """For a page: no head, ids of its own, as wide as there is room, text in the page's colour."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{chart_name}-", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"|( height="[\d.]+pt")', r"\1", svg, count=2).replace(
        "<svg", f'<svg role="img" aria-label="{title}"', 1
    )


def _bars(axes: Any, study: Study, cells: Sequence[Cell], keys: Sequence[tuple[str, str, float]], unit: str) -> bool:
    """The bars of each cell, one a key, with the means' intervals; a precision has a colour, the original is grey."""
    colours = dict(zip(dict.fromkeys(cell.precision for cell in cells), COLOURS, strict=False))
    height = 0.8 / len(keys)
    for place, cell in enumerate(cells):
        colour = GREY if cell.kind in ORIGINALS else colours[cell.precision]
        for number, (key, _, shade) in enumerate(keys):
            values = study.values(cell, key)
            if values:
                told, at = figures(values), place + (number - (len(keys) - 1) / 2) * height
                error = [[-one] for one in _error(values)]
                axes.barh(at, told.mean, height, color=colour, alpha=shade, xerr=error, ecolor=INK, capsize=2)
                axes.annotate(f"{told.mean:.1f}", (0, at), xytext=(4, 0), textcoords="offset points", va="center",
                              fontsize=7, color="white" if shade == 1 else INK)  # fmt: skip
    axes.set_yticks(range(len(cells)), [cell.label(False) for cell in cells])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    words = [f"{'full colour' if shade == 1 else 'faint'}: {what}" for _, what, shade in keys if what]
    axes.set_xlabel("\n".join(filter(None, (f"{unit}; lines: 95 % intervals", "; ".join(words)))))
    return bool(cells)


def _error(values: Sequence[float]) -> tuple[float, float]:
    """From a mean to the ends of its interval, both as matplotlib takes them, negated; 0 where there is none."""
    told = figures(values)
    return (0.0, 0.0) if told.low is None or told.high is None else (told.low - told.mean, told.mean - told.high)


def _sums(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """A MULTI's bar beside the stack of its devices' bars."""
    place = 0
    labels = []
    for cell in cells:
        if not cell.device.startswith("MULTI:") or cell.hint == "latency" or against_members(study, cell)[0] is None:
            continue
        axes.bar(place, figures(study.values(cell, "inference_fps")).mean, 0.7, color=COLOURS[0])
        height = 0.0
        for number, (device, one) in enumerate(members(study, cell).items()):
            mean = figures(study.values(one, "inference_fps")).mean
            axes.bar(place + 1, mean, 0.7, bottom=height, color=COLOURS[1 + number])
            axes.annotate(device, (place + 1, height + mean / 2), ha="center", va="center", fontsize=7)
            height += mean
        labels += [f"MULTI\n{cell.precision}", "its devices\nalone"]
        place += 3
    axes.set_xticks([3 * (number // 2) + number % 2 for number in range(len(labels))], labels)
    return place > 0


def _accuracy(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """AP where every precision has it, else the share of keypoints found again."""
    ours = [cell for cell in accuracy_cells(study.cells, study.wish) if cell in cells]
    has_ap = all("metrics" in (study.extra("ap", cell) or {}) for cell in ours)
    points = {}
    for cell in ours:
        found = study.extra("ap" if has_ap else "agreement", cell)
        if found is not None and "error" not in found and (has_ap or found["keypoints"]):
            points[cell] = found["metrics"]["AP"] if has_ap else 100 * found["within_pixels"]
        elif cell.precision == "FP32" and not has_ap:
            points[cell] = 100.0
    for colour, (cell, value) in zip(COLOURS, points.items(), strict=False):
        values = study.values(cell, "inference_fps")
        error = [[-one] for one in _error(values)]
        axes.errorbar(
            figures(values).mean, value, xerr=error, fmt="o", color=colour, markersize=8, ecolor=INK, capsize=2
        )
        axes.annotate(cell.precision, (figures(values).mean, value), xytext=(6, 6), textcoords="offset points")
    axes.margins(0.2)
    low, high = axes.get_ylim()
    spare = max(0.0, LEAST_SPAN - (high - low)) / 2
    axes.set_ylim(low - spare, high + spare)
    axes.set_xlabel("FPS of inference alone")
    axes.set_ylabel("AP, %" if has_ap else f"FP32's keypoints\nwithin {NEAR_PIXELS:.0f} pixels, %")
    return len(points) > 1


def _requests(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """A line a device: its FPS by the number of requests, with the means' intervals."""
    ours = [cell for cell in cells if cell.requests is not None and study.runs(cell)]
    for colour, where in zip(COLOURS, dict.fromkeys(cell.where for cell in ours), strict=False):
        line = [cell for cell in ours if cell.where == where]
        line.sort(key=lambda cell: cell.requests or 0)
        told = [study.values(cell, "inference_fps") for cell in line]
        below, above = zip(*map(_error, told), strict=True)
        axes.errorbar([cell.requests for cell in line], [figures(values).mean for values in told],
                      yerr=[[-one for one in below], [-one for one in above]], fmt="o-", color=colour, label=where,
                      capsize=2)  # fmt: skip
    if ours:
        axes.legend()
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("requests in flight; lines: 95 % intervals")
    axes.set_ylabel("FPS")
    axes.set_ylim(bottom=0)
    return bool(ours)


def _histogram(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """Share of the requests by their latency, at the first precision that was measured."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    ours = [cell for cell in cells if cell.kind == "openvino"]
    ours = [cell for cell in ours if cell.precision == ours[0].precision]
    for number, cell in enumerate(ours):
        counts: Counter[int] = Counter()
        for run in study.runs(cell):
            counts.update({int(place): count for place, count in run["latency_bins"].items()})
        places = range(min(counts) - 1, max(counts) + 2)
        edges = [10 ** (place / BINS_PER_DECADE) for place in [*places, places[-1] + 1]]
        shares = [100 * counts[place] / counts.total() for place in places]
        colour, style = COLOURS[number % len(COLOURS)], "-" if number < len(COLOURS) else "--"
        axes.stairs(shares, edges, color=colour, label=cell.label(False), linewidth=1.4, linestyle=style)
    axes.set_xscale("log", subs=(1.5, 2, 3, 5, 7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:g}"))
    few = axes.get_xlim()[1] < 30 * axes.get_xlim()[0]
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda ms, _: f"{ms:g}") if few else NullFormatter())
    axes.set_xlabel("ms")
    axes.set_ylabel("% of requests")
    if ours:
        axes.legend(fontsize=7)
    return bool(ours)


def _drift(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """Each run's FPS over the median of its cell: whether the machine was the same all the time."""
    for colour, cell in zip(cycle(COLOURS), cells):
        runs = study.all_runs(cell)
        middle = figures(study.values(cell, "inference_fps")).median
        for is_disturbed, marker in ((False, "."), (True, "x")):
            shown = [run for run in runs if run["conditions"]["disturbed"] is is_disturbed]
            ratios = [run["inference_fps"] / middle for run in shown]
            axes.plot([run["order"] for run in shown], ratios, marker, color=colour, markersize=6)
    axes.axhline(1, color=INK, linewidth=0.8)
    axes.set_xlabel("runs of the study, one after the other; x: disturbed by other programs")
    axes.set_ylabel("FPS / median\nof its cell")
    return bool(cells)

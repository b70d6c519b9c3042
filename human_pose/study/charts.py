"""The report's charts: SVG files by matplotlib, which suit a light and a dark page."""

import io
import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

from ..errors import UsageError
from ..invocation import pip_install
from ..measurement.cells import FRAMEWORKS, ORIGINALS
from ..measurement.intervals import BINS_PER_DECADE, MIN_RUNS, Figures
from ..poses.pck import NEAR_PIXELS
from .findings import Findings, Summary

# Stand for the colours of text and background until the SVG is written, whose style has them for both kinds of page.
INK, PAPER = "#123456", "#fedcba"
STYLE = (
    "svg {color: #1b2733; background: #fff} "
    "@media screen and (prefers-color-scheme: dark) {svg {color: #e3e9ef; background: #12181e}} "
)
COLOURS = ("#4c8dd6", "#e08a2e", "#4fa66a", "#b36ac2", "#c9555a", "#8a6d5c", "#b59b2b", "#3fa7a7")
GREY = "#7a8794"
WIDTH = 4.6  # inches: two stand side by side on a page, and one fits a telephone
MIN_SPAN = 4.0  # percent that the axis of accuracy shows, lest a tenth of a point looks like much


class Chart(NamedTuple):
    """kind: what it shows; name: of its file; svg: the file's content."""

    kind: str
    name: str
    title: str
    svg: bytes


def check_matplotlib() -> None:
    """Raise UsageError where matplotlib is not installed: before the study, not after it."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError(f"Charts need matplotlib: {pip_install('study')}; or give --no-charts.") from error


def charts(found: Findings, kinds: Collection[str] = ()) -> list[Chart]:
    """Every chart, or those of some kinds, that there are figures for; those of the first page first."""
    models = list(dict.fromkeys(one.cell.model for one in found.measured))
    wanted = [
        ("summary", ""),
        ("accuracy", ""),
        ("networks", ""),
        *((kind, model) for model in models for kind in OF_A_MODEL),
        ("drift", ""),
    ]
    made = [_chart(kind, model, found) for kind, model in wanted if models and (kind in kinds or not kinds)]
    return [chart for chart in made if chart is not None]


def _chart(kind: str, model: str, found: Findings) -> Chart | None:
    """None where there is nothing to plot."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    name = f"{kind}-{model}" if model else kind
    style = {"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 9, "axes.facecolor": PAPER}
    inks = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    with rc_context(style | {"legend.frameon": False} | dict.fromkeys(inks, INK)):  # type: ignore[arg-type]
        figure = Figure((WIDTH, 3.0), layout="constrained", facecolor=PAPER)
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, axis="both", alpha=0.25)
        axes.set_axisbelow(True)
        title = PLOTS[kind](axes, found, model)
        if title is None:
            return None
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    svg = written.getvalue().replace(INK, "currentColor").replace(PAPER, "none")
    svg = svg.replace('<style type="text/css">', f'<style type="text/css">{STYLE}', 1)
    return Chart(kind, name, title, svg.encode())


def _colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name."""
    return dict(zip(dict.fromkeys(names), COLOURS, strict=False))


def _errors(*of: Figures) -> list[list[float]] | None:
    """From each mean to both ends of its interval, as matplotlib takes them; None where no interval is known."""
    below = [math.nan if one.low is None else one.mean - one.low for one in of]
    above = [math.nan if one.high is None else one.high - one.mean for one in of]
    return None if all(map(math.isnan, below)) else [below, above]


def _summary(axes: Any, found: Findings, _: str) -> str | None:
    """The whole application of the first model with the first hint, and of the original."""
    hint, model = found.options.hints[0], found.measured[0].cell.model
    own = [one for one in found.own if one.cell.model == model]
    cells = [one for one in own if one.cell.kind in ORIGINALS or one.cell.hint == hint]
    _bars(axes, cells, {"application_fps": 1.0}, "FPS", f"whole application, {hint} hint", with_hint=False)
    sizes = {one.input_size for one in cells}
    return f"{model}: FPS" + f" at {'x'.join(sizes)}" * (len(sizes) == 1) if cells else None


def _networks(axes: Any, found: Findings, _: str) -> str | None:
    """The whole application of every precision of every model, on the first device with the first hint."""
    cells = [one for one in found.accuracy if one.runs]
    if len({one.cell.model for one in cells}) < 2:
        return None
    _bars(axes, cells, {"application_fps": 1.0}, "FPS", f"whole application, {found.options.hints[0]} hint")
    axes.set_yticks(range(len(cells)), [f"{one.cell.model}\n{one.cell.precision}" for one in cells])
    return f"Networks: FPS on {found.options.devices[0]}"


def _of_all(axes: Any, found: Findings, model: str, title: str, **shown: Any) -> str | None:
    """The bars of all cells of a model and its original, but for those of the grid of requests."""
    cells = [one for one in found.own if one.cell.model == model]
    _bars(axes, cells, **shown)
    return f"{model}: {title}" if cells else None


def _bars(
    axes: Any, cells: Sequence[Summary], shades: dict[str, float], unit: str, words: str = "", with_hint: bool = True
) -> None:
    """The bars of each cell, with the means' intervals; a precision has a colour, the original is grey.

    shades: how dark each of these attributes of Summary is.
    """
    by_precision = _colours([one.cell.precision for one in cells])
    colours = [GREY if one.cell.kind in ORIGINALS else by_precision[one.cell.precision] for one in cells]
    height = 0.8 / len(shades)
    for number, (key, shade) in enumerate(shades.items()):
        of = [getattr(one, key) for one in cells]
        places = [place + (number - (len(shades) - 1) / 2) * height for place in range(len(cells))]
        look = {"color": colours, "alpha": shade, "ecolor": INK, "capsize": 2, "error_kw": {"elinewidth": 1}}
        axes.barh(places, [one.mean for one in of], height, xerr=_errors(*of), **look)
        for place, one in zip(places, of, strict=True):
            axes.annotate(f"{one.mean:.1f}", (0, place), xytext=(4, 0), textcoords="offset points", va="center",
                          fontsize=8, color="white" if shade == 1 else INK)  # fmt: skip
        unit += "; lines: 95 % intervals" * (number == 0 and _errors(*of) is not None)
    axes.set_yticks(range(len(cells)), [_bar_label(one, with_hint) for one in cells])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.figure.set_figheight(1.2 + (0.42 if with_hint else 0.3) * len(cells))
    axes.set_xlabel(f"{unit}\n{words}".strip())


def _bar_label(one: Summary, with_hint: bool) -> str:
    """In two lines where it is long."""
    cell = one.cell
    if cell.kind in ORIGINALS:
        return cell.label(False)
    rest = cell.precision + f", {cell.hint} hint" * with_hint
    return f"{cell.where} {rest}" if len(cell.where) + len(rest) < 20 else f"{cell.where}\n{rest}"


def _accuracy(axes: Any, found: Findings, _: str) -> str | None:
    """A point for each precision of each model: AP where all of them have it, else the share of keypoints found again.

    Of one point there is no chart.
    """
    cells = [one for one in found.accuracy if one.runs]
    has_ap = all(one.ap for one in cells)
    again = {one.cell: one.pck.within_pixels for one in cells if one.pck is not None and one.pck.keypoints}
    compared = {cell.model for cell in again}
    again |= {one.cell: 1.0 for one in cells if one.cell.precision == "FP32" and one.cell.model in compared}
    values = {one.cell: one.ap["AP"] if has_ap and one.ap else 100 * again.get(one.cell, math.nan) for one in cells}
    points = [one for one in cells if not math.isnan(values[one.cell])]
    if len(points) < 2:
        return None
    colours = _colours([one.cell.precision for one in points])
    markers = dict(zip(dict.fromkeys(one.cell.model for one in points), "os^Dv", strict=False))
    for one in points:
        cell, fps = one.cell, one.application_fps
        look = {"fmt": markers.get(cell.model, "P"), "color": colours[cell.precision], "ecolor": INK, "capsize": 2}
        label = f"{cell.model} {cell.precision}"
        axes.errorbar(fps.mean, values[cell], xerr=_errors(fps), label=label, markersize=8, **look)
    axes.margins(0.15)
    low, high = axes.get_ylim()
    spare = max(0.0, MIN_SPAN - (high - low)) / 2
    axes.set_ylim(low - spare, high + spare if has_ap else 100.5)
    axes.set_xlabel(f"FPS of the whole application on {found.options.devices[0]}")
    axes.set_ylabel("AP, %" if has_ap else f"of FP32's keypoints\nwithin {NEAR_PIXELS:.0f} pixels, %")
    axes.figure.legend(fontsize=7, loc="outside lower center", ncols=2)
    return "Accuracy against speed"


def _requests(axes: Any, found: Findings, model: str) -> str | None:
    """A line a device: its FPS by the number of requests, with the means' intervals; none of one point."""
    cells = [one for one in found.measured if one.cell.model == model and one.cell.requests is not None]
    if len({one.cell.requests for one in cells}) < 2:
        return None
    for where, colour in _colours([one.cell.where for one in cells]).items():
        line = sorted((one for one in cells if one.cell.where == where), key=lambda one: one.cell.requests or 0)
        numbers, of = [one.cell.requests for one in line], [one.inference_fps for one in line]
        look = {"fmt": "o-", "color": colour, "ecolor": INK, "capsize": 2, "barsabove": True}
        axes.errorbar(numbers, [one.mean for one in of], yerr=_errors(*of), label=where, **look)
    axes.legend(fontsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("requests in flight" + "; lines: 95 % intervals" * (found.options.runs >= MIN_RUNS))
    axes.set_ylabel("FPS of inference alone")
    axes.set_ylim(bottom=0)
    return f"{model}: FPS by requests in flight"


def _histogram(axes: Any, found: Findings, model: str) -> str | None:
    """Share of the requests by their latency, at the first precision that was measured."""
    cells = [one for one in found.matrix if one.cell.model == model]
    cells = [one for one in cells if one.cell.precision == cells[0].cell.precision]
    if not cells:
        return None
    for number, one in enumerate(cells):
        counts: Counter[int] = Counter()
        for run in one.runs:
            counts.update({int(place): count for place, count in run.latency_bins.items()})
        places = range(min(counts) - 1, max(counts) + 2)
        edges = [10 ** (place / BINS_PER_DECADE) for place in [*places, places[-1] + 1]]
        shares = [100 * counts[place] / counts.total() for place in places]
        colour, style = COLOURS[number % len(COLOURS)], "-" if number < len(COLOURS) else "--"
        axes.stairs(shares, edges, color=colour, label=one.cell.label(False), linewidth=1.4, linestyle=style)
    axes.set_xscale("log", subs=(1.5, 2, 3, 5, 7))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}" if axes.get_xlim()[1] < 30 * axes.get_xlim()[0] else "")
    axes.set_xlabel("ms")
    axes.set_ylabel("% of requests")
    axes.legend(fontsize=7, title=cells[0].cell.precision, title_fontsize=7)
    return f"{model}: latency of all requests"


def _drift(axes: Any, found: Findings, _: str) -> str | None:
    """Each run's FPS over the median of its cell: whether the machine was the same all the time."""
    points: dict[tuple[str, bool], list[tuple[int, float]]] = {}
    for one in found.ran:
        name = FRAMEWORKS[one.cell.kind] if one.cell.kind in ORIGINALS else one.cell.model
        for run in one.all_runs:
            shown = points.setdefault((name, run.is_disturbed), [])
            shown.append((run.order, run.inference_fps / one.inference_fps.median))
    colours = _colours([name for name, _ in points])
    for (name, disturbed), shown in sorted(points.items()):
        label = f"{name}, disturbed" * disturbed or name
        axes.plot(*zip(*shown, strict=True), "x" if disturbed else ".", color=colours[name], label=label, markersize=5)
    axes.axhline(1, color=INK, linewidth=0.8)
    axes.set_xlabel("runs of the study, one after the other")
    axes.set_ylabel("FPS / median\nof its cell")
    axes.figure.legend(fontsize=7, loc="outside lower center", ncols=2)
    return "Every run in the order in which they ran"


# Each draws what it shows of a model, or of all, and returns the title; None where there is nothing to show.
PLOTS: dict[str, Callable[[Any, Findings, str], str | None]] = {
    "summary": _summary,
    "accuracy": _accuracy,
    "networks": _networks,
    "drift": _drift,
    "fps": partial(_of_all, title="FPS", shades={"inference_fps": 1.0, "application_fps": 0.5}, unit="FPS",
                   words="full colour: inference alone\nfaint: whole application"),
    "latency": partial(_of_all, title="latency of a request", shades={"latency_ms": 1.0}, unit="ms"),
    "histogram": _histogram,
    "requests": _requests,
}  # fmt: skip
OF_A_MODEL = ("fps", "latency", "histogram", "requests")

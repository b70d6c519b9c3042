"""The report's charts: SVG files by matplotlib, which suit a light and a dark page."""

import io
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from ..errors import UsageError
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

# What the bars of a cell show, and how dark each is.
FPS = (("inference_fps", "inference alone", 1.0), ("application_fps", "whole application", 0.5))
APPLICATION = (("application_fps", "whole application", 1.0),)
LATENCY = (("latency_ms", "", 1.0),)


# Draws the cells' figures; returns whether there were any.
Plot = Callable[[Any, Findings, Sequence[Summary]], bool]


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
        raise UsageError("Charts need matplotlib: pip install matplotlib; or give --no-charts.") from error


def charts(found: Findings) -> list[Chart]:
    """Every chart that there are figures for; those of the first page first."""
    every = [one for one in found.every if one.cell.kind in ("openvino", *ORIGINALS) and one.runs]
    cells = [one for one in every if one.cell.requests is None]
    models = list(dict.fromkeys(one.cell.model for one in found.measured))
    if not models:
        return []
    first = [one for one in cells if one.cell.model == models[0]]
    first = [one for one in first if one.cell.kind in ORIGINALS or one.cell.hint == found.options.hints[0]]
    sizes = {one.input_size for one in first}
    at = f" at {sizes.pop()}" if len(sizes) == 1 else ""
    wanted: list[tuple[str, str, str, Plot, Sequence[Summary]]] = [
        ("summary", "", f"{models[0]}: FPS{at}", _bars, first),
        ("accuracy", "", "Accuracy against speed", _accuracy, found.accuracy),
    ]
    for model in models:
        ours = [one for one in cells if one.cell.model == model]
        grid = [one for one in every if one.cell.model == model and one.cell.requests is not None]
        wanted += [
            ("fps", model, f"{model}: FPS", partial(_bars, keys=FPS), ours),
            ("latency", model, f"{model}: latency of a request", partial(_bars, keys=LATENCY), ours),
            ("histogram", model, f"{model}: latency of all requests", _histogram, ours),
            ("multi", model, f"{model}: MULTI and the sum of its devices", _sums, ours),
            ("requests", model, f"{model}: FPS by requests in flight", _requests, grid),
        ]
    wanted.append(("drift", "", "Every run in the order in which they ran", _drift, every))
    made = [_chart(kind, model, title, plot, found, cells) for kind, model, title, plot, cells in wanted]
    return [chart for chart in made if chart is not None]


def _chart(kind: str, model: str, title: str, plot: Plot, found: Findings, cells: Sequence[Summary]) -> Chart | None:
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
        if not plot(axes, found, cells):
            return None
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
        written = io.BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    svg = written.getvalue().decode().replace(INK, "currentColor").replace(PAPER, "none")
    return Chart(
        kind, name, title, svg.replace('<style type="text/css">', f'<style type="text/css">{STYLE}', 1).encode()
    )


def _colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name."""
    return dict(zip(dict.fromkeys(names), COLOURS, strict=False))


def _error(of: Figures) -> list[list[float]] | None:
    """From a mean to both ends of its interval, as matplotlib takes them; None where there is none."""
    return None if of.low is None or of.high is None else [[of.mean - of.low], [of.high - of.mean]]


def _bars(
    axes: Any, found: Findings, cells: Sequence[Summary], keys: Sequence[tuple[str, str, float]] = APPLICATION
) -> bool:
    """The bars of each cell, one a key, with the means' intervals; a precision has a colour, the original is grey."""
    colours = _colours([one.cell.precision for one in cells])
    height = 0.8 / len(keys)
    has_interval = False
    for place, one in enumerate(cells):
        colour = GREY if one.cell.kind in ORIGINALS else colours[one.cell.precision]
        for number, (key, _, shade) in enumerate(keys):
            of, at = getattr(one, key), place + (number - (len(keys) - 1) / 2) * height
            has_interval |= of.low is not None
            look = {"color": colour, "alpha": shade, "ecolor": INK, "capsize": 2, "error_kw": {"elinewidth": 1}}
            axes.barh(at, of.mean, height, xerr=_error(of), **look)
            axes.annotate(f"{of.mean:.1f}", (0, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8,
                          color="white" if shade == 1 else INK)  # fmt: skip
    has_one_hint = keys is APPLICATION
    axes.set_yticks(range(len(cells)), [_bar_label(one, not has_one_hint) for one in cells])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.figure.set_figheight(1.2 + (0.3 if has_one_hint else 0.42) * len(cells))
    words = [f"{'full colour' if shade == 1 else 'faint'}: {what}" for _, what, shade in keys if len(keys) > 1]
    words += [f"whole application, {found.options.hints[0]} hint"] * has_one_hint
    unit = ("ms" if keys is LATENCY else "FPS") + "; lines: 95 % intervals" * has_interval
    axes.set_xlabel("\n".join([unit, *words]))
    return bool(cells)


def _bar_label(one: Summary, with_hint: bool) -> str:
    """In two lines where it is long."""
    cell = one.cell
    if cell.kind in ORIGINALS:
        return cell.label(False)
    rest = cell.precision + f", {cell.hint} hint" * with_hint
    return f"{cell.where} {rest}" if len(cell.where) + len(rest) < 20 else f"{cell.where}\n{rest}"


def _sums(axes: Any, found: Findings, cells: Sequence[Summary]) -> bool:
    """A MULTI's bar beside the stack of its devices' bars."""
    places: list[int] = []
    labels: list[str] = []
    for one in found.joined("MULTI"):
        if one not in cells or one.cell.hint == "latency" or found.against_members(one)[0] is None:
            continue
        place = 3 * (len(places) // 2)
        axes.bar(place, one.inference_fps.mean, 0.7, color=COLOURS[0])
        height = 0.0
        for colour, (device, member) in zip(COLOURS[1:], found.members(one).items(), strict=False):
            bar = axes.bar(place + 1, member.inference_fps.mean, 0.7, bottom=height, color=colour)
            axes.bar_label(bar, [device], label_type="center", fontsize=7)
            height += member.inference_fps.mean
        places += [place, place + 1]
        labels += [f"MULTI\n{one.cell.precision}", "its devices\nalone"]
    axes.set_xticks(places, labels)
    axes.set_ylabel("FPS of inference alone")
    return bool(places)


def _accuracy(axes: Any, found: Findings, cells: Sequence[Summary]) -> bool:
    """A point for each precision of each model: AP where all of them have it, else the share of keypoints found again.

    Of one point there is no chart.
    """
    cells = [one for one in cells if one.runs]
    has_ap = all(one.ap for one in cells)
    points = {}
    compared = {one.cell.model for one in cells if one.pck is not None and one.pck.keypoints}
    for one in cells:
        if has_ap and one.ap:
            points[one.cell] = one, one.ap.metrics["AP"]
        elif one.pck is not None and one.pck.keypoints:
            points[one.cell] = one, 100 * one.pck.within_pixels
        elif one.cell.precision == "FP32" and one.cell.model in compared:
            points[one.cell] = one, 100.0
    if len(points) < 2:
        return False
    colours = _colours([cell.precision for cell in points])
    markers = dict(zip(dict.fromkeys(cell.model for cell in points), "os^Dv", strict=False))
    for cell, (one, value) in points.items():
        look = {"fmt": markers.get(cell.model, "P"), "color": colours[cell.precision], "markersize": 8}
        fps, label = one.application_fps, f"{cell.model} {cell.precision}"
        axes.errorbar(fps.mean, value, xerr=_error(fps), label=label, ecolor=INK, capsize=2, **look)
    axes.margins(0.15)
    low, high = axes.get_ylim()
    spare = max(0.0, MIN_SPAN - (high - low)) / 2
    axes.set_ylim(low - spare, high + spare if has_ap else 100.5)
    axes.set_xlabel(f"FPS of the whole application on {found.options.devices[0]}")
    axes.set_ylabel("AP, %" if has_ap else f"of FP32's keypoints\nwithin {NEAR_PIXELS:.0f} pixels, %")
    axes.figure.legend(fontsize=7, loc="outside lower center", ncols=2)
    return True


def _requests(axes: Any, found: Findings, cells: Sequence[Summary]) -> bool:
    """A line a device: its FPS by the number of requests, with the means' intervals; none of one point."""
    colours = _colours([one.cell.where for one in cells])
    for where, colour in colours.items():
        line = sorted((one for one in cells if one.cell.where == where), key=lambda one: one.cell.requests or 0)
        numbers = [one.cell.requests for one in line]
        axes.plot(numbers, [one.inference_fps.mean for one in line], "o-", color=colour, label=where)
        for one in line:
            fps = one.inference_fps
            axes.errorbar(one.cell.requests, fps.mean, yerr=_error(fps), fmt="none", ecolor=INK, capsize=2)
    if cells:
        axes.legend(fontsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("requests in flight" + "; lines: 95 % intervals" * (found.options.runs >= MIN_RUNS))
    axes.set_ylabel("FPS of inference alone")
    axes.set_ylim(bottom=0)
    return len({one.cell.requests for one in cells}) > 1


def _histogram(axes: Any, found: Findings, cells: Sequence[Summary]) -> bool:
    """Share of the requests by their latency, at the first precision that was measured."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    cells = [one for one in cells if one.cell.kind == "openvino"]
    cells = [one for one in cells if one.cell.precision == cells[0].cell.precision]
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
    ticks = FuncFormatter(lambda ms, _: f"{ms:g}")
    axes.xaxis.set_major_formatter(ticks)
    axes.xaxis.set_minor_formatter(ticks if axes.get_xlim()[1] < 30 * axes.get_xlim()[0] else NullFormatter())
    axes.set_xlabel("ms")
    axes.set_ylabel("% of requests")
    if cells:
        axes.legend(fontsize=7, title=cells[0].cell.precision, title_fontsize=7)
    return bool(cells)


def _drift(axes: Any, found: Findings, cells: Sequence[Summary]) -> bool:
    """Each run's FPS over the median of its cell: whether the machine was the same all the time."""
    points: dict[tuple[str, bool], list[tuple[int, float]]] = {}
    for one in cells:
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
    return bool(cells)

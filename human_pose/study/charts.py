"""The report's charts, by matplotlib, as SVG: for the page, in the page's own colours, and as files."""

import io
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any, NamedTuple, Protocol

from ..errors import UsageError
from ..measurement.cells import FRAMEWORKS, ORIGINALS, Cell
from ..measurement.intervals import BINS_PER_DECADE, MIN_RUNS, figures
from ..poses.pck import NEAR_PIXELS
from .findings import against_members, measured, members
from .plan import accuracy_cells
from .results import Study, is_disturbed

# Stand for the colours of text and background, and are replaced by those of the page or of a file.
INK, PAPER = "#123456", "#fedcba"
COLOURS = ("#4c8dd6", "#e08a2e", "#4fa66a", "#b36ac2", "#c9555a", "#8a6d5c", "#b59b2b", "#3fa7a7")
GREY = "#7a8794"
WIDTH = 4.6  # inches: two stand side by side on a page, and one fits a telephone
MIN_SPAN = 4.0  # percent that the axis of accuracy shows, lest a tenth of a point looks like much


# What the two bars of a cell show, and how dark each is.
FPS = (("inference_fps", "inference alone", 1.0), ("application_fps", "whole application", 0.5))
APPLICATION = (("application_fps", "whole application", 1.0),)
LATENCY = (("latency_ms", "", 1.0),)


class Plot(Protocol):
    """Draws the cells' figures; returns whether there were any."""

    def __call__(self, axes: Any, study: Study, cells: Sequence[Cell]) -> bool: ...


class Chart(NamedTuple):
    """kind: what it shows; name: of its file; inline: SVG for the page; svg: the file's content."""

    kind: str
    name: str
    title: str
    inline: str
    svg: bytes

    @property
    def is_on_first_page(self) -> bool:
        return self.kind in ("summary", "accuracy")


def check_matplotlib() -> None:
    """Raise UsageError where matplotlib is not installed: before the study, not after it."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError("Charts need matplotlib: pip install matplotlib; or give --no-charts.") from error


def charts(study: Study) -> list[Chart]:
    """Every chart that there are figures for; those of the first page first."""
    every = [cell for cell in study.cells if cell.kind in ("openvino", *ORIGINALS) and study.runs(cell)]
    cells = [cell for cell in every if cell.requests is None]
    models = list(dict.fromkeys(cell.model for cell in measured(study)))
    if not models:
        return []
    first = [cell for cell in cells if cell.model == models[0]]
    best = [cell for cell in first if cell.kind in ORIGINALS or cell.hint == study.wish.hints[0]]
    made = [
        _chart("summary", "", f"{models[0]}: FPS{_at(study, best)}", _bars, study, best),
        _chart("accuracy", "", "Accuracy against speed", _accuracy, study, cells),
    ]
    for model in models:
        ours = [cell for cell in cells if cell.model == model]
        with_requests = [cell for cell in every if cell.model == model]
        made += [
            _chart("fps", model, f"{model}: FPS", partial(_bars, keys=FPS), study, ours),
            _chart("latency", model, f"{model}: latency of a request", partial(_bars, keys=LATENCY), study, ours),
            _chart("histogram", model, f"{model}: latency of all requests", _histogram, study, ours),
            _chart("multi", model, f"{model}: MULTI and the sum of its devices", _sums, study, ours),
            _chart("requests", model, f"{model}: FPS by requests in flight", _requests, study, with_requests),
        ]
    made.append(_chart("drift", "", "Every run in the order in which they ran", _drift, study, every))
    return [chart for chart in made if chart is not None]


def _at(study: Study, cells: Sequence[Cell]) -> str:
    """The size of the network's input, where all cells have the same."""
    sizes = {study.input_size(cell) for cell in cells}
    return f" at {sizes.pop()}" if len(sizes) == 1 else ""


def _chart(kind: str, model: str, title: str, plot: Plot, study: Study, cells: Sequence[Cell]) -> Chart | None:
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
        if not plot(axes, study, cells):
            return None
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
        written = io.BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    svg = written.getvalue().decode()
    file = svg.replace(INK, "#1b2733").replace(PAPER, "#ffffff")
    return Chart(kind, name, title, _inline(svg, name, title), file.encode())


def _inline(svg: str, chart_name: str, title: str) -> str:
    """For a page: no head, ids of its own, as wide as there is room, text in the page's colour."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor").replace(PAPER, "none")
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{chart_name}-", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"|( height="[\d.]+pt")', r"\1", svg, count=2).replace(
        "<svg", f'<svg role="img" aria-label="{escape(title)}"', 1
    )


def _bars(axes: Any, study: Study, cells: Sequence[Cell], keys: Sequence[tuple[str, str, float]] = APPLICATION) -> bool:
    """The bars of each cell, one a key, with the means' intervals; a precision has a colour, the original is grey."""
    colours = dict(zip(dict.fromkeys(cell.precision for cell in cells), COLOURS, strict=False))
    height = 0.8 / len(keys)
    has_interval = False
    for place, cell in enumerate(cells):
        colour = GREY if cell.kind in ORIGINALS else colours[cell.precision]
        for number, (key, _, shade) in enumerate(keys):
            values = study.values(cell, key)
            at, error = place + (number - (len(keys) - 1) / 2) * height, _error(values)
            mean = figures(values).mean
            axes.barh(at, mean, height, color=colour, alpha=shade)
            if error is not None:
                has_interval = True
                axes.errorbar(mean, at, xerr=error, fmt="none", ecolor=INK, capsize=2, elinewidth=1)
            axes.annotate(f"{mean:.1f}", (0, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8,
                          color="white" if shade == 1 else INK)  # fmt: skip
    has_one_hint = keys is APPLICATION
    axes.set_yticks(range(len(cells)), [_bar_label(cell, not has_one_hint) for cell in cells])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.figure.set_figheight(1.2 + (0.3 if has_one_hint else 0.42) * len(cells))
    words = [f"{'full colour' if shade == 1 else 'faint'}: {what}" for _, what, shade in keys if len(keys) > 1]
    words += [f"whole application, {study.wish.hints[0]} hint"] * has_one_hint
    unit = ("ms" if keys is LATENCY else "FPS") + "; lines: 95 % intervals" * has_interval
    axes.set_xlabel("\n".join([unit, *words]))
    return bool(cells)


def _bar_label(cell: Cell, with_hint: bool) -> str:
    """In two lines where it is long."""
    if cell.kind in ORIGINALS:
        return cell.label(False)
    rest = cell.precision + f", {cell.hint} hint" * with_hint
    return f"{cell.where} {rest}" if len(cell.where) + len(rest) < 20 else f"{cell.where}\n{rest}"


def _error(values: Sequence[float]) -> list[list[float]] | None:
    """From a mean to both ends of its interval, as matplotlib takes them; None where there is none."""
    told = figures(values)
    return None if told.low is None or told.high is None else [[told.mean - told.low], [told.high - told.mean]]


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
    axes.set_ylabel("FPS of inference alone")
    return place > 0


def _accuracy(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """A point for each precision of each model: AP where all of them have it, else the share of keypoints found again.

    Of one point there is no chart.
    """
    ours = [cell for cell in accuracy_cells(study.cells, study.wish) if cell in cells]
    has_ap = all("metrics" in (study.extra("ap", cell) or {}) for cell in ours)
    points = {}
    for cell in ours:
        found = study.extra("ap" if has_ap else "agreement", cell)
        if found is not None and "error" not in found and (has_ap or found["keypoints"]):
            points[cell] = found["metrics"]["AP"] if has_ap else 100 * found["within_pixels"]
    if not has_ap:
        compared = {cell.model for cell in points}
        points |= {cell: 100.0 for cell in ours if cell.precision == "FP32" and cell.model in compared}
    points = {cell: points[cell] for cell in ours if cell in points}
    if len(points) < 2:
        return False
    colours = dict(zip(dict.fromkeys(cell.precision for cell in points), COLOURS, strict=False))
    markers = dict(zip(dict.fromkeys(cell.model for cell in points), "os^Dv", strict=False))
    for cell, value in points.items():
        values = study.values(cell, "application_fps")
        look = {"fmt": markers.get(cell.model, "P"), "color": colours[cell.precision], "markersize": 8}
        label = f"{cell.model} {cell.precision}"
        axes.errorbar(figures(values).mean, value, xerr=_error(values), label=label, ecolor=INK, capsize=2, **look)
    axes.margins(0.15)
    low, high = axes.get_ylim()
    spare = max(0.0, MIN_SPAN - (high - low)) / 2
    axes.set_ylim(low - spare, high + spare if has_ap else 100.5)
    axes.set_xlabel(f"FPS of the whole application on {study.wish.devices[0]}")
    axes.set_ylabel("AP, %" if has_ap else f"of FP32's keypoints\nwithin {NEAR_PIXELS:.0f} pixels, %")
    axes.figure.legend(fontsize=7, loc="outside lower center", ncols=2)
    return True


def _requests(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """A line a device: its FPS by the number of requests, with the means' intervals; none of one point."""
    ours = [cell for cell in cells if cell.requests is not None]
    for colour, where in zip(COLOURS, dict.fromkeys(cell.where for cell in ours), strict=False):
        line = sorted((cell for cell in ours if cell.where == where), key=lambda cell: cell.requests or 0)
        values = [study.values(cell, "inference_fps") for cell in line]
        numbers, means = [cell.requests for cell in line], [figures(one).mean for one in values]
        axes.plot(numbers, means, "o-", color=colour, label=where)
        for number, mean, one in zip(numbers, means, values, strict=True):
            axes.errorbar(number, mean, yerr=_error(one), fmt="none", ecolor=INK, capsize=2)
    if ours:
        axes.legend(fontsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("requests in flight" + "; lines: 95 % intervals" * (study.wish.runs >= MIN_RUNS))
    axes.set_ylabel("FPS of inference alone")
    axes.set_ylim(bottom=0)
    return len({cell.requests for cell in ours}) > 1


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
        axes.legend(fontsize=7, title=ours[0].precision, title_fontsize=7)
    return bool(ours)


def _drift(axes: Any, study: Study, cells: Sequence[Cell]) -> bool:
    """Each run's FPS over the median of its cell: whether the machine was the same all the time."""
    names = {cell: FRAMEWORKS[cell.kind] if cell.kind in ORIGINALS else cell.model for cell in cells}
    colours = dict(zip(dict.fromkeys(names.values()), COLOURS, strict=False))
    points: dict[tuple[str, bool], list[tuple[int, float]]] = {}
    for cell in cells:
        middle = figures(study.values(cell, "inference_fps")).median
        for run in study.all_runs(cell):
            shown = points.setdefault((names[cell], is_disturbed(run)), [])
            shown.append((run["order"], run["inference_fps"] / middle))
    for (name, disturbed), shown in sorted(points.items()):
        label = f"{name}, disturbed" * disturbed or name
        axes.plot(*zip(*shown, strict=True), "x" if disturbed else ".", color=colours[name], label=label, markersize=5)
    axes.axhline(1, color=INK, linewidth=0.8)
    axes.set_xlabel("runs of the study, one after the other")
    axes.set_ylabel("FPS / median\nof its cell")
    axes.figure.legend(fontsize=7, loc="outside lower center", ncols=2)
    return bool(cells)

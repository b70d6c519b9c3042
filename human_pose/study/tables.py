"""The report's tables, as rows of text; report.py writes them as Markdown and as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..measurement.cells import FRAMEWORKS
from ..measurement.intervals import Figures, figures
from ..poses.pck import NEAR_PIXELS, NEAR_TORSO
from .findings import Findings, Layers, Summary

FIGURES = ["", "runs", "mean", "95 % interval", "median", "min", "max", "sd"]


@dataclass(frozen=True)
class Table:
    """title: over it; note: what a reader must know; charts: kinds that belong to it.

    is_detail: a page shows it only when it is asked for.
    """

    title: str
    note: str
    head: Sequence[str]
    rows: list[list[str]]
    charts: tuple[str, ...] = ()
    is_detail: bool = False


def tables(found: Findings) -> list[Table]:
    """All that have a row."""
    own = found.matrix + [one for one in found.originals if one.runs]
    ran = own + [one for one in found.measured if one.cell.requests is not None]
    split = [one for one in found.layered if one.layers and one.layers.crossing_bytes is not None]
    made = [
        Table(
            "Throughput of the whole application, FPS",
            "Read, scale, infer, decode and draw every frame of the video, without a window.",
            FIGURES,
            [[one.label, *_figures(one.application_fps)] for one in own],
            ("fps",),
        ),
        Table(
            "Throughput of inference alone, FPS",
            "All requests in flight, frames at hand.",
            FIGURES,
            [[one.label, *_figures(one.inference_fps)] for one in own + found.tools],
        ),
        Table(
            "Latency of a request, ms",
            "From the start of inference on an input to its result, in inference alone: each run's mean; the min and "
            "the max of all requests in the last two columns.",
            [*FIGURES, "min of all", "max of all"],
            [[one.label, *_figures(one.latency_ms), *_ends(one)] for one in own],
            ("latency", "histogram"),
        ),
        _accuracy(found),
        Table(
            "MULTI and HETERO against their devices, inference alone",
            "",
            ["", "against the sum of its devices", "against the best of them"],
            [_joined_row(found, one) for one in found.joined("MULTI", "HETERO")],
            ("multi",),
        ),
        Table(
            "Splits of HETERO",
            "Bytes in the types of the graph; the input is not counted.",
            ["", "subgraphs", "operations", "tensors that cross", "bytes that cross, a frame"],
            [_split_row(one, one.layers) for one in split if one.layers],
        ),
        _requests(found),
        Table(
            "OpenVINO / original",
            "The same weights, input size and video.",
            ["", "original", "inference", "whole application", "largest difference of the maps in f32"],
            [
                [one.own.label, FRAMEWORKS[one.base.cell.kind], str(one.inference), str(one.application),
                 "-" if one.base.largest_difference is None else f"{one.base.largest_difference:.1e}"]
                for one in found.against_originals(found.matrix)
            ],
        ),
        Table(
            "How it ran",
            "Means of compilation; how many runs failed, and how many were disturbed by other programs.",
            ["", "input", "executed on", "executed in", "requests", "streams", "compile s", "failed", "disturbed"],
            [_execution_row(one) for one in ran],
            ("drift",),
        ),
        Table("Not measured", "", ["", "why"], [[", ".join(what), why] for why, what in found.not_measured().items()]),
        *[_heaviest(one, one.layers) for one in found.layered if one.layers and one.layers.heaviest],
    ]  # fmt: skip
    return [table for table in made if table.rows]


def number(value: float | None) -> str:
    """Three figures that count."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _figures(of: Figures) -> list[str]:
    interval = "too few runs" if of.low is None else f"{number(of.low)} to {number(of.high)}"
    return [str(of.runs), number(of.mean), interval, *map(number, (of.median, min(of.values), max(of.values), of.sd))]


def _ends(one: Summary) -> list[str]:
    """The lowest and the highest latency of all requests."""
    latencies = [run.latency_ms for run in one.runs]
    return [number(min(each["min"] for each in latencies)), number(max(each["max"] for each in latencies))]


def _execution_row(one: Summary) -> list[str]:
    last = one.runs[-1]
    compile_s = number(figures([run.compile_s for run in one.runs]).mean) + " (cache)" * last.is_from_cache
    counts = ["-" if count is None else str(count) for count in (last.requests, last.streams)]
    disturbed = f"{sum(run.is_disturbed for run in one.all_runs)} of {len(one.all_runs)}"
    how = [one.input_size, " ".join(last.executed_on), one.execution]
    return [one.label, *how, *counts, compile_s, str(len(one.errors)), disturbed]


def _requests(found: Findings) -> Table:
    """A row a device, a column a number of requests; no row where there is one number alone."""
    wanted = {text: int(text) if text.isdecimal() else None for text in found.options.requests}
    rows: dict[str, dict[int | None, str]] = {}
    for one in found.measured if len(wanted) > 1 else []:
        cell, first = one.cell, found.measured[0].cell
        if (cell.model, cell.precision, cell.hint) == (first.model, first.precision, "throughput"):
            rows.setdefault(cell.where, {})[cell.requests] = number(one.inference_fps.mean)
    lines = [
        [where, *[row.get(requests, "not measured") for requests in wanted.values()]] for where, row in rows.items()
    ]
    return Table("Requests in flight, inference FPS", "Means.", ["", *wanted], lines, ("requests",))


def _joined_row(found: Findings, one: Summary) -> list[str]:
    total, best = found.against_members(one)
    against_sum = "-"  # of a HETERO, whose devices work one after the other
    if one.cell.device.startswith("MULTI:"):
        against_sum = str(total or "not all its devices were measured alone")
    return [one.label, against_sum, str(best or "not measured")]


def _accuracy(found: Findings) -> Table:
    """Without AP, its columns are left out; no row where nothing is known."""
    ap = (
        "over one pass of the images"
        if found.options.annotations
        else "not measured without --images and --annotations"
    )
    note = (
        f"PCK: share of FP32's keypoints on the video ({found.options.agreement_frames} frames) that lie within "
        f"{NEAR_PIXELS:.0f} pixels of the network's input, and within {NEAR_TORSO} of the person's torso. FP32 is the "
        f"network executed in f32, of its FP16 file where there is no other. AP: COCO's, {ap}."
    )
    with_ap = any(one.ap for one in found.accuracy)
    head = [*(["AP", "AP50", "images"] if with_ap else []), "keypoints of FP32", "within pixels", "within torso"]
    rows = [
        [f"{one.cell.model} {one.cell.precision}", *(_ap(one) if with_ap else []), *_pck(one)] for one in found.accuracy
    ]
    is_known = any(row[1] not in ("-", "the reference") for row in rows)
    return Table("Accuracy", note, ["", *head, "mean distance, pixels"], rows if is_known else [])


def _ap(one: Summary) -> list[str]:
    if one.ap is None:
        return ["-"] * 3
    return [f"{one.ap.metrics['AP']:.1f}", f"{one.ap.metrics['AP50']:.1f}", str(one.ap.images)]


def _pck(one: Summary) -> list[str]:
    pck = one.pck
    if one.cell.precision == "FP32" or pck is None or not pck.keypoints:
        why = "the reference" if one.cell.precision == "FP32" else "-" if pck is None else "nobody was found"
        return [why, "-", "-", "-"]
    torso = "-" if pck.within_torso is None else f"{pck.within_torso:.1%}"
    return [str(pck.keypoints), f"{pck.within_pixels:.1%}", torso, number(pck.mean_pixels)]


def _split_row(one: Summary, layers: Layers) -> list[str]:
    operations = ", ".join(f"{count} on {device}" for device, count in layers.operations.items())
    crossing = [str(layers.crossing_tensors), f"{layers.crossing_bytes:,}"]
    return [one.label, str(layers.subgraphs or "-"), operations, *crossing]


def _heaviest(one: Summary, layers: Layers) -> Table:
    kinds = ", ".join(f"{kind['type']} {number(kind['ms'])}" for kind in layers.layer_types[:8])
    note = f"Profiled, one request at a time that has the whole device. By type, ms a frame: {kinds}."
    rows = [[layer["name"], layer["type"], layer["executed_as"], number(layer["ms"])] for layer in layers.heaviest]
    return Table(f"Heaviest layers: {one.label}", note, ["layer", "type", "executed as", "ms"], rows, is_detail=True)

"""The report's tables: what the summaries say, a row each."""

from collections.abc import Sequence

from ..measurement.cells import DEFAULT_REQUESTS, FRAMEWORKS
from ..measurement.intervals import Figures, figures
from ..poses.pck import NEAR_PIXELS, NEAR_TORSO
from .charts import Chart
from .findings import Findings, Layers, Speedup, Summary
from .section import Section, text

FIGURES = ["", "runs", "mean", "95 % interval", "median", "min", "max", "sd"]


def tables(found: Findings, drawn: Sequence[Chart] = ()) -> list[Section]:
    """All that have a row, with those of the charts that belong to them."""
    made = [
        Section(
            "Throughput of the whole application, FPS",
            "Read, scale, infer, decode and draw every frame of the video, without a window.",
            FIGURES,
            [[one.label, *_figures(one.application_fps)] for one in found.own],
            _of(drawn, "networks", "fps"),
        ),
        Section(
            "Throughput of inference alone, FPS",
            "All requests in flight, frames at hand.",
            FIGURES,
            [[one.label, *_figures(one.inference_fps)] for one in found.own + found.tools],
        ),
        Section(
            "Latency of a request, ms",
            "From the start of inference on an input to its result, in inference alone: each run's mean; the min and "
            "the max of all requests in the last two columns.",
            [*FIGURES, "min of all", "max of all"],
            [[one.label, *_figures(one.latency_ms), *_ends(one)] for one in found.own],
            _of(drawn, "latency", "histogram"),
        ),
        _accuracy(found),
        Section(
            "MULTI and HETERO against their devices, inference alone",
            "",
            ["", "against the sum of its devices", "against the best of them"],
            [_joined_row(found, one) for one in found.joined("MULTI", "HETERO")],
        ),
        Section(
            "Splits of HETERO",
            "Bytes in the types of the graph; the input is not counted.",
            ["", "subgraphs", "operations", "tensors that cross", "bytes that cross, a frame"],
            [_split(one, one.layers) for one in found.layered if one.layers and one.layers.crossing_bytes is not None],
        ),
        _requests(found, _of(drawn, "requests")),
        Section(
            "OpenVINO / original",
            "The same weights, input size and video.",
            ["", "original", "inference", "whole application", "largest difference of the maps in f32"],
            [_against_original(one) for one in found.against_originals(found.matrix)],
        ),
        Section(
            "How it ran",
            "Means of compilation; how many runs failed, and how many were disturbed by other programs.",
            ["", "input", "executed on", "executed in", "requests", "streams", "compile s", "failed", "disturbed"],
            [_execution(one) for one in found.ran],
            _of(drawn, "drift"),
        ),
        Section(
            "Not measured", "", ["", "why"], [[", ".join(what), why] for why, what in found.not_measured().items()]
        ),
    ]
    details = [_heaviest(one, one.layers) for one in found.layered if one.layers and one.layers.heaviest]
    return [table for table in made if table.rows] + details


def _of(drawn: Sequence[Chart], *kinds: str) -> list[Chart]:
    return [chart for chart in drawn if chart.kind in kinds]


def _figures(of: Figures) -> list[object]:
    interval = "too few runs" if of.low is None else f"{text(of.low)} to {text(of.high)}"
    return [of.runs, of.mean, interval, of.median, min(of.values), max(of.values), of.sd]


def _against_original(one: Speedup) -> list[object]:
    original = FRAMEWORKS[one.base.cell.kind]
    return [one.own.label, original, one.inference, one.application, one.base.largest_difference]


def _ends(one: Summary) -> list[float]:
    """The lowest and the highest latency of all requests."""
    latencies = [run.latency_ms for run in one.runs]
    return [min(each["min"] for each in latencies), max(each["max"] for each in latencies)]


def _execution(one: Summary) -> list[object]:
    last = one.runs[-1]
    compile_s = text(figures([run.compile_s for run in one.runs]).mean) + " (cache)" * last.is_from_cache
    disturbed = f"{sum(run.is_disturbed for run in one.all_runs)} of {len(one.all_runs)}"
    how = [" ".join(last.executed_on), one.execution, last.requests, last.streams]
    return [one.label, one.input_size, *how, compile_s, len(one.errors), disturbed]


def _requests(found: Findings, charts: Sequence[Chart]) -> Section:
    """A row a device, a column a number of requests; no row where there is one number alone."""
    wanted = found.options.requests
    rows: dict[str, dict[str, float]] = {}
    for one in found.measured if len(wanted) > 1 else []:
        cell, first = one.cell, found.measured[0].cell
        if (cell.model, cell.precision, cell.hint) == (first.model, first.precision, "throughput"):
            requests = DEFAULT_REQUESTS if cell.requests is None else str(cell.requests)
            rows.setdefault(cell.where, {})[requests] = one.inference_fps.mean
    lines = [[where, *[row.get(requests, "not measured") for requests in wanted]] for where, row in rows.items()]
    return Section("Requests in flight, inference FPS", "Means.", ["", *wanted], lines, charts)


def _joined_row(found: Findings, one: Summary) -> list[object]:
    """The devices of a HETERO work one after the other: nothing is said of their sum."""
    total, best = found.against_members(one)
    is_multi = one.cell.device.startswith("MULTI:")
    against_sum = (total or "not all its devices were measured alone") if is_multi else None
    return [one.label, against_sum, best or "not measured"]


def _accuracy(found: Findings) -> Section:
    """Without AP, its columns are left out; no row where nothing is known."""
    has_labels = found.options.annotations is not None
    ap = "over one pass of the images" if has_labels else "not measured without --images and --annotations"
    note = (
        f"PCK: share of FP32's keypoints on the video ({found.options.agreement_frames} frames) that lie within "
        f"{NEAR_PIXELS:.0f} pixels of the network's input, and within {NEAR_TORSO} of the person's torso. FP32 is the "
        f"network executed in f32, of its FP16 file where there is no other. AP: COCO's, {ap}."
    )
    names = ["AP", "AP50", "images"] if any(one.ap for one in found.accuracy) else []
    head = ["", *names, "keypoints of FP32", "within pixels", "within torso", "mean distance, pixels"]
    rows = [
        [f"{one.cell.model} {one.cell.precision}", *((one.ap or {}).get(name) for name in names), *_pck(one)]
        for one in found.accuracy
    ]
    return Section("Accuracy", note, head, rows if names or any(one.pck for one in found.accuracy) else [])


def _pck(one: Summary) -> list[object]:
    pck = one.pck
    if one.cell.precision == "FP32" or pck is None or not pck.keypoints:
        why = "the reference" if one.cell.precision == "FP32" else None if pck is None else "nobody was found"
        return [why, None, None, None]
    torso = None if pck.within_torso is None else f"{pck.within_torso:.1%}"
    return [pck.keypoints, f"{pck.within_pixels:.1%}", torso, pck.mean_pixels]


def _split(one: Summary, layers: Layers) -> list[object]:
    operations = ", ".join(f"{count} on {device}" for device, count in layers.operations.items())
    return [one.label, layers.subgraphs, operations, layers.crossing_tensors, f"{layers.crossing_bytes:,}"]


def _heaviest(one: Summary, layers: Layers) -> Section:
    kinds = ", ".join(f"{kind['type']} {text(kind['ms'])}" for kind in layers.layer_types[:8])
    note = f"Profiled, one request at a time that has the whole device. By type, ms a frame: {kinds}."
    rows = [[layer["name"], layer["type"], layer["executed_as"], layer["ms"]] for layer in layers.heaviest]
    return Section(f"Heaviest layers: {one.label}", note, ["layer", "type", "executed as", "ms"], rows, kind="detail")

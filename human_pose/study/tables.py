"""The report's tables, as rows of text; report.py writes them as Markdown and as HTML."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..agreement import NEAR_PIXELS, NEAR_TORSO
from .conclusions import against_members, against_original, measured, name
from .figures import figures
from .plan import FRAMEWORKS, ORIGINALS, Cell
from .results import Study
from .runner import accuracy_cells, layer_cells

FIGURES = ("mean", "95 % interval", "median", "min", "max", "sd")


class Table(NamedTuple):
    """title: over it; note: what a reader must know; the first row is the header."""

    title: str
    note: str
    rows: list[list[str]]


def tables(study: Study) -> list[Table]:
    """All that have more than a header."""
    grid = [cell for cell in study.cells if cell.kind == "openvino"]
    matrix = [cell for cell in grid if cell.requests is None]
    own = [*matrix, *[cell for cell in study.cells if cell.kind in ORIGINALS]]
    tool = [cell for cell in study.cells if cell.kind == "benchmark_app"]
    made = [
        Table(
            "Throughput of inference alone, FPS",
            "All requests in flight, frames at hand.",
            _rows(study, own + tool, "inference_fps"),
        ),
        Table(
            "Throughput of the whole application, FPS",
            "Read, scale, infer, decode, draw.",
            _rows(study, own, "application_fps"),
        ),
        Table(
            "Latency of a request, ms",
            "From the start of inference on an input to its result, in inference alone: each run's mean; least and "
            "greatest of all requests in the last two columns.",
            _latency_rows(study, own),
        ),
        Table("How it ran", "", _execution_rows(study, matrix)),
        Table("Requests in flight, inference FPS", "", _request_rows(study, grid)),
        Table("MULTI and HETERO against their devices, inference alone", "", _several_rows(study)),
        Table("OpenVINO / original", "The same weights, input size and video.", _original_rows(study)),
        Table("Accuracy", _accuracy_note(study), _accuracy_rows(study)),
        Table("Splits of HETERO", "Bytes in the types of the graph; the input is not counted.", _split_rows(study)),
        *_layer_tables(study),
    ]
    return [table for table in made if len(table.rows) > 1]


def number(value: float | None) -> str:
    """Three figures that count."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _rows(study: Study, cells: Sequence[Cell], key: str) -> list[list[str]]:
    rows = [["", "runs", *FIGURES]]
    for cell in cells:
        values = study.values(cell, key)
        label = name(cell) if cell.kind != "benchmark_app" else f"benchmark_app, {name(cell)}"
        rows.append([label, *_figures(values)] if values else [label, "", f"not measured: {study.why_not(cell)}"])
    return rows


def _figures(values: Sequence[float]) -> list[str]:
    told = figures(values)
    interval = "too few runs" if told.low is None else f"{number(told.low)} to {number(told.high)}"
    rest = map(number, (told.median, told.min, told.max, told.sd))
    return [str(told.runs), number(told.mean), interval, *rest]


def _latency_rows(study: Study, cells: Sequence[Cell]) -> list[list[str]]:
    rows = _rows(study, cells, "latency_ms")
    rows[0] += ["least", "greatest"]
    for cell, row in zip(cells, rows[1:], strict=True):
        runs = study.runs(cell)
        if runs:
            least = min(run["latency_ms"]["min"] for run in runs)
            row += [number(least), number(max(run["latency_ms"]["max"] for run in runs))]
    return rows


def _execution_rows(study: Study, cells: Sequence[Cell]) -> list[list[str]]:
    rows = [["", "executed on", "executed in", "requests", "streams", "subgraphs", "compile s", "failed", "disturbed"]]
    for cell in cells:
        runs = study.runs(cell)
        if not runs:
            continue
        last = runs[-1]
        stand_in = " (stand-in)" if last["is_stand_in"] else ""
        cached = " (cache)" if last["is_from_cache"] else ""
        disturbed = sum(bool(run["conditions"]["disturbed"]) for run in runs)
        compile_s = figures([run["compile_s"] for run in runs]).mean
        optional = (last["requests"], last["streams"], last["subgraphs"])
        rows.append([
            name(cell), " ".join(last["executed_on"]) + stand_in, last["execution_precision"],
            *["-" if one is None else str(one) for one in optional], number(compile_s) + cached,
            str(len(study.errors(cell))), f"{disturbed} of {len(runs)}",
        ])  # fmt: skip
    return rows


def _request_rows(study: Study, grid: Sequence[Cell]) -> list[list[str]]:
    """A row a device, a column a number of requests."""
    wanted = [None if text == "optimal" else int(text) for text in study.wish.requests]
    rows = [["", *study.wish.requests]]
    if not wanted or not grid:
        return rows
    first = next((cell for cell in grid if cell.not_measured is None), grid[0])
    ours = [
        cell for cell in grid if (cell.model, cell.precision, cell.hint) == (first.model, first.precision, "throughput")
    ]
    for device, affinity in dict.fromkeys((cell.device, cell.affinity) for cell in ours):
        row = [f"{device} ({affinity})" if device.startswith("HETERO") else device]
        for requests in wanted:
            found = [c for c in ours if (c.device, c.affinity, c.requests) == (device, affinity, requests)]
            values = study.values(found[0], "inference_fps") if found else []
            row.append(number(figures(values).mean) if values else "not measured")
        rows.append(row)
    return rows


def _several_rows(study: Study) -> list[list[str]]:
    rows = [["", "against the sum of its devices", "against the best of them"]]
    for cell in measured(study):
        if cell.device.startswith(("MULTI:", "HETERO:")) and cell.requests is None:
            total, best = against_members(study, cell)
            rows.append([name(cell), str(total or "not all its devices were measured alone"), str(best or "")])
    return rows


def _original_rows(study: Study) -> list[list[str]]:
    rows = [["", "original", "inference", "whole application", "largest difference of the maps in f32"]]
    for original in (cell for cell in study.cells if cell.kind in ORIGINALS):
        framework = FRAMEWORKS[original.kind]
        why = study.why_not(original)
        if why is not None:
            rows.append([original.model, framework, f"not measured: {why}"])
            continue
        check = study.extra("check", original) or {}
        difference = f"{check['largest_difference']:.1e}" if "largest_difference" in check else check.get("error", "-")
        for cell in measured(study):
            if cell.model == original.model and cell.requests is None:
                ratios = against_original(study, cell, original)
                rows.append([name(cell), framework, *[str(one) for one in ratios.values()], difference])
    return rows


def _accuracy_note(study: Study) -> str:
    return (
        f"Agreement: share of FP32's keypoints on the video ({study.wish.agreement_frames} frames) that lie within "
        f"{NEAR_PIXELS:.0f} pixels of the network's input, and within {NEAR_TORSO} of the person's torso. AP: COCO's."
    )


def _accuracy_rows(study: Study) -> list[list[str]]:
    rows = [["", "AP", "AP50", "images", "keypoints of FP32", "within pixels", "within torso", "mean distance, pixels"]]
    cells = accuracy_cells(study.cells, study.wish)
    return rows + [[f"{c.model} {c.precision}", *_ap(study.extra("ap", c)), *_agreement(study, c)] for c in cells]


def _ap(found: dict[str, Any] | None) -> list[str]:
    if found is None or "error" in found:
        return [f"not measured: {(found or {}).get('error', 'no labelled images')}", "", ""]
    return [f"{found['metrics']['AP']:.1f}", f"{found['metrics']['AP50']:.1f}", str(found["images"])]


def _agreement(study: Study, cell: Cell) -> list[str]:
    found = study.extra("agreement", cell)
    if cell.precision == "FP32":
        return ["the reference"]
    if found is None or "error" in found:
        return [f"not measured: {(found or {}).get('error', 'the study was ended before')}"]
    torso = "-" if found["within_torso"] is None else f"{found['within_torso']:.1%}"
    return [str(found["keypoints"]), f"{found['within_pixels']:.1%}", torso, number(found["mean_pixels"])]


def _split_rows(study: Study) -> list[list[str]]:
    rows = [["", "subgraphs", "operations", "tensors that cross", "bytes that cross, a frame"]]
    for cell in layer_cells(study.cells, study.wish):
        found = study.extra("layers", cell)
        if found is not None and "crossing_bytes" in found:
            operations = ", ".join(f"{count} on {device}" for device, count in found["operations"].items())
            told = [found["subgraphs"] or 1, operations, found["crossing_tensors"], f"{found['crossing_bytes']:,}"]
            rows.append([name(cell), *map(str, told)])
    return rows


def _layer_tables(study: Study) -> list[Table]:
    made = []
    for cell in layer_cells(study.cells, study.wish):
        found = study.extra("layers", cell)
        if found is None or not found.get("heaviest"):
            continue
        kinds = ", ".join(f"{kind['type']} {number(kind['ms'])}" for kind in found["layer_types"][:8])
        rows = [["layer", "type", "executed as", "ms"]]
        rows += [[one["name"], one["type"], one["executed_as"], number(one["ms"])] for one in found["heaviest"]]
        note = f"Profiled, one request at a time. By type, ms: {kinds}."
        made.append(Table(f"Heaviest layers: {name(cell)}", note, rows))
    return made

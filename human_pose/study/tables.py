"""The report's tables, as rows of text; report.py writes them as Markdown and as HTML."""

from collections.abc import Sequence
from typing import NamedTuple

from ..measurement.cells import FRAMEWORKS, Cell
from ..measurement.intervals import figures
from ..poses.pck import NEAR_PIXELS, NEAR_TORSO
from .findings import against_members, against_original, measured, not_measured, originals
from .plan import accuracy_cells, layer_cells
from .results import Study, is_disturbed

FIGURES = ("mean", "95 % interval", "median", "min", "max", "sd")


class Table(NamedTuple):
    """title: over it; note: what a reader must know; the first row is the header; charts: kinds that belong to it.

    is_detail: a page shows it only when it is asked for.
    """

    title: str
    note: str
    rows: list[list[str]]
    charts: tuple[str, ...] = ()
    is_detail: bool = False


def tables(study: Study) -> list[Table]:
    """All that have more than a header."""
    grid = measured(study)
    own = [cell for cell in grid if cell.requests is None] + [c for c in originals(study) if study.runs(c)]
    tool = [cell for cell in study.cells if cell.kind == "benchmark_app" and study.runs(cell)]
    lacking = [[", ".join(what), reason] for reason, what in not_measured(study).items()]
    made = [
        Table("Throughput of the whole application, FPS",
              "Read, scale, infer, decode and draw every frame of the video, without a window.",
              _rows(study, own, "application_fps"), ("fps",)),
        Table("Throughput of inference alone, FPS", "All requests in flight, frames at hand.",
              _rows(study, own + tool, "inference_fps")),
        Table("Latency of a request, ms",
              "From the start of inference on an input to its result, in inference alone: each run's mean; the least "
              "and the greatest of all requests in the last two columns.",
              _latency_rows(study, own), ("latency", "histogram")),
        Table("Accuracy", _accuracy_note(study), _accuracy_rows(study)),
        Table("MULTI and HETERO against their devices, inference alone", "", _several_rows(study), ("multi",)),
        Table("Splits of HETERO",
              "Bytes in the types of the graph; the input is not counted.", _split_rows(study)),
        Table("Requests in flight, inference FPS", "Means.", _request_rows(study, grid), ("requests",)),
        Table("OpenVINO / original", "The same weights, input size and video.", _original_rows(study)),
        Table("How it ran",
              "Means of compilation; how many runs failed, and how many were disturbed by other programs.",
              _execution_rows(study, own + [cell for cell in grid if cell not in own]), ("drift",)),
        Table("Not measured", "", [["", "why"], *lacking]),
        *_layer_tables(study),
    ]  # fmt: skip
    return [table for table in made if len(table.rows) > 1]


def number(value: float | None) -> str:
    """Three figures that count."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _rows(study: Study, cells: Sequence[Cell], key: str) -> list[list[str]]:
    return [["", "runs", *FIGURES]] + [[cell.label(), *_figures(study.values(cell, key))] for cell in cells]


def _figures(values: Sequence[float]) -> list[str]:
    told = figures(values)
    interval = "too few runs" if told.low is None else f"{number(told.low)} to {number(told.high)}"
    rest = map(number, (told.median, told.min, told.max, told.sd))
    return [str(told.runs), number(told.mean), interval, *rest]


def _latency_rows(study: Study, cells: Sequence[Cell]) -> list[list[str]]:
    rows = _rows(study, cells, "latency_ms")
    rows[0] += ["least", "greatest"]
    for row, cell in zip(rows[1:], cells, strict=True):
        told = [run["latency_ms"] for run in study.runs(cell)]
        row += [number(min(one["min"] for one in told)), number(max(one["max"] for one in told))]
    return rows


def _execution_rows(study: Study, cells: Sequence[Cell]) -> list[list[str]]:
    rows = [["", "input", "executed on", "executed in", "requests", "streams", "compile s", "failed", "disturbed"]]
    for cell in cells:
        last, every = study.runs(cell)[-1], study.all_runs(cell)
        compile_s = number(figures([run["compile_s"] for run in study.runs(cell)]).mean)
        told = ["-" if last.get(key) is None else str(last[key]) for key in ("requests", "streams")]
        rows.append([
            cell.label(), study.input_size(cell), " ".join(last["executed_on"]), study.execution(cell), *told,
            compile_s + " (cache)" * last["is_from_cache"], str(len(study.errors(cell))),
            f"{sum(map(is_disturbed, every))} of {len(every)}",
        ])  # fmt: skip
    return rows


def _request_rows(study: Study, grid: Sequence[Cell]) -> list[list[str]]:
    """A row a device, a column a number of requests."""
    wanted = [int(text) if text.isdecimal() else None for text in study.wish.requests]
    rows = [["", *study.wish.requests]]
    if len(wanted) < 2 or not grid:
        return rows
    first = grid[0]
    ours = [
        cell for cell in grid if (cell.model, cell.precision, cell.hint) == (first.model, first.precision, "throughput")
    ]
    for where in dict.fromkeys(cell.where for cell in ours):
        row = [where]
        for requests in wanted:
            found = [cell for cell in ours if (cell.where, cell.requests) == (where, requests)]
            values = study.values(found[0], "inference_fps") if found else []
            row.append(number(figures(values).mean) if values else "not measured")
        rows.append(row)
    return rows


def _several_rows(study: Study) -> list[list[str]]:
    rows = [["", "against the sum of its devices", "against the best of them"]]
    for cell in measured(study):
        if cell.device.startswith(("MULTI:", "HETERO:")) and cell.requests is None:
            total, best = against_members(study, cell)
            # Of a HETERO the devices work one after the other: there is no sum.
            unknown = "not all its devices were measured alone" if cell.device.startswith("MULTI:") else "-"
            is_sum = total is not None and cell.device.startswith("MULTI:")
            rows.append([cell.label(), str(total) if is_sum else unknown, str(best or "not measured")])
    return rows


def _original_rows(study: Study) -> list[list[str]]:
    rows = [["", "original", "inference", "whole application", "largest difference of the maps in f32"]]
    for original in originals(study):
        check = study.extra("check", original) or {}
        difference = f"{check['largest_difference']:.1e}" if "largest_difference" in check else "-"
        for cell in measured(study) if study.runs(original) else []:
            if cell.model == original.model and cell.requests is None:
                ratios = against_original(study, cell, original)
                rows.append([cell.label(), FRAMEWORKS[original.kind], *map(str, ratios.values()), difference])
    return rows


def _accuracy_note(study: Study) -> str:
    ap = "over one pass of the images" if study.wish.annotations else "not measured without --images and --annotations"
    return (
        f"PCK: share of FP32's keypoints on the video ({study.wish.agreement_frames} frames) that lie within "
        f"{NEAR_PIXELS:.0f} pixels of the network's input, and within {NEAR_TORSO} of the person's torso. FP32 is the "
        f"network executed in f32, of its FP16 file where there is no other. AP: COCO's, {ap}."
    )


def _accuracy_rows(study: Study) -> list[list[str]]:
    rows = [["", "AP", "AP50", "images", "keypoints of FP32", "within pixels", "within torso", "mean distance, pixels"]]
    for cell in accuracy_cells(study.cells, study.wish):
        told = [*_ap(study, cell), *_agreement(study, cell)]
        rows.append([f"{cell.model} {cell.precision}", *told])
    if all(row[1] == "-" for row in rows[1:]):
        rows = [[row[0], *row[4:]] for row in rows]
    return rows if any(row[1] not in ("-", "the reference") for row in rows[1:]) else rows[:1]


def _ap(study: Study, cell: Cell) -> list[str]:
    found = study.extra("ap", cell)
    if found is None or "error" in found:
        return ["-"] * 3
    return [f"{found['metrics']['AP']:.1f}", f"{found['metrics']['AP50']:.1f}", str(found["images"])]


def _agreement(study: Study, cell: Cell) -> list[str]:
    found = study.extra("agreement", cell)
    if cell.precision == "FP32":
        return ["the reference", "-", "-", "-"]
    if found is None or "error" in found:
        return ["-"] * 4
    if not found["keypoints"]:
        return ["nobody was found", "-", "-", "-"]
    torso = "-" if found["within_torso"] is None else f"{found['within_torso']:.1%}"
    return [str(found["keypoints"]), f"{found['within_pixels']:.1%}", torso, number(found["mean_pixels"])]


def _split_rows(study: Study) -> list[list[str]]:
    rows = [["", "subgraphs", "operations", "tensors that cross", "bytes that cross, a frame"]]
    for cell in layer_cells(study.cells, study.wish):
        found = study.extra("layers", cell)
        if found is not None and "crossing_bytes" in found:
            operations = ", ".join(f"{count} on {device}" for device, count in found["operations"].items())
            told = [found["subgraphs"] or "-", operations, found["crossing_tensors"], f"{found['crossing_bytes']:,}"]
            rows.append([cell.label(), *map(str, told)])
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
        note = f"Profiled, one request at a time that has the whole device. By type, ms a frame: {kinds}."
        made.append(Table(f"Heaviest layers: {cell.label()}", note, rows, is_detail=True))
    return made

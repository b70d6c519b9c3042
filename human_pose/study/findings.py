"""What the cells of a study show against each other: ratios with their intervals, without a word yet."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..inference.backend import members_of
from ..measurement.cells import ORIGINALS, Cell
from ..measurement.intervals import MIN_RUNS, Ratio, figures, ratio
from .plan import accuracy_cells
from .results import Study, is_disturbed

AGREES = 0.05  # two throughputs agree where the whole interval of their ratio lies within so much of 1


class Best(NamedTuple):
    """The best cell by a figure; equal: what the runs do not tell apart from it; is_sure: it has enough runs."""

    cell: Cell
    equal: list[Cell]
    is_sure: bool


def measured(study: Study) -> list[Cell]:
    """The cells of OpenVINO that have figures."""
    return [cell for cell in study.cells if cell.kind == "openvino" and study.runs(cell)]


def not_measured(study: Study) -> dict[str, list[str]]:
    """Each reason why something has no figure, and all that it holds for."""
    reasons: dict[str, list[str]] = {}

    def add(what: str, reason: str) -> None:
        named = reasons.setdefault(reason, [])
        if what not in named:
            named.append(what)

    for device, reason in study.data["missing_devices"].items():
        add(device, reason)
    for cell in study.cells:
        why = study.why_not(cell)
        if why is not None:
            is_model = cell.kind == "openvino" and cell.not_measured is not None
            add(f"{cell.model} {cell.precision}" if is_model else cell.label(), why)
    labels = {cell.id: cell.label() for cell in study.cells}
    for extra in study.data["extras"]:
        if "error" in extra:
            add(f"{extra['task']} of {labels[extra['cell']]}", extra["error"])
    return reasons


def doubt(study: Study) -> str | None:
    """Why the figures are not to be quoted; None where nothing speaks against it."""
    runs = [run for cell in measured(study) for run in study.runs(cell)]
    disturbed = sum(map(is_disturbed, runs))
    if not runs:
        return "Nothing was measured."
    if 2 * disturbed < len(runs):
        return None
    return (
        f"Do not quote these figures: other programs disturbed {disturbed} of the {len(runs)} runs that they rest on. "
        "Repeat the study on a quiet machine."
    )


def best(study: Study, cells: Sequence[Cell], key: str) -> Best | None:
    """The cell with the most FPS, or the least latency; key: of results.KEYS. None where there is no figure."""
    sign = -1 if key == "latency_ms" else 1
    means = {cell: sign * figures(values).mean for cell in cells if (values := study.values(cell, key))}
    if not means:
        return None
    first = max(means, key=lambda cell: means[cell])
    others = {cell: ratio(study.values(cell, key), study.values(first, key)) for cell in means if cell != first}
    equal = [cell for cell, one in others.items() if one.low is not None and not one.is_shown]
    return Best(first, equal, len(study.values(first, key)) >= MIN_RUNS)


def _rest(cell: Cell) -> tuple[str, str, str, int | None]:
    """All but the device."""
    return cell.model, cell.precision, cell.hint, cell.requests


def members(study: Study, cell: Cell) -> dict[str, Cell]:
    """The cells of a MULTI's or HETERO's devices alone, all else being equal: {device: cell}; those measured only."""
    alone = {one.device: one for one in measured(study) if _rest(one) == _rest(cell)}
    return {device: alone[device] for device in members_of(cell.device) if device in alone}


def against_members(study: Study, cell: Cell) -> tuple[Ratio | None, Ratio | None]:
    """Inference FPS of a MULTI or HETERO over the sum of its devices', and over the best of those measured alone.

    None where that is not known: a sum without all of them is none.
    """
    parts = [study.values(one, "inference_fps") for one in members(study, cell).values()]
    if not parts:
        return None, None
    own = study.values(cell, "inference_fps")
    strongest = max(parts, key=lambda part: figures(part).mean)
    return ratio(own, *parts) if len(parts) == len(members_of(cell.device)) else None, ratio(own, strongest)


def layers(study: Study, cell: Cell) -> dict[str, Any] | None:
    """What is known of a cell's layers, which its hint and number of requests do not change; None if nothing is."""
    for other in study.cells:
        is_same = (other.device, other.affinity, other.model, other.precision) == (
            cell.device, cell.affinity, cell.model, cell.precision
        )  # fmt: skip
        found = study.extra("layers", other) if is_same else None
        if found is not None and "error" not in found:
            return found
    return None


def against_fp32(study: Study) -> list[tuple[Cell, Cell, dict[str, Ratio]]]:
    """Each other precision on the first device, the FP32 cell that it is compared with, and the ratios by key."""
    cells = [cell for cell in accuracy_cells(study.cells, study.wish) if study.runs(cell)]
    floats = {cell.model: cell for cell in cells if cell.precision == "FP32"}
    pairs = [(cell, floats[cell.model]) for cell in cells if cell.model in floats and cell.precision != "FP32"]
    return [(cell, base, _both(study, cell, base)) for cell, base in pairs]


def against_original(study: Study, cell: Cell, original: Cell) -> dict[str, Ratio]:
    """OpenVINO over the original: {'inference_fps': ratio, 'application_fps': ratio}."""
    return _both(study, cell, original)


def _both(study: Study, cell: Cell, other: Cell) -> dict[str, Ratio]:
    keys = ("inference_fps", "application_fps")
    return {key: ratio(study.values(cell, key), study.values(other, key)) for key in keys}


def originals(study: Study) -> list[Cell]:
    """The cells of the original, those that were not measured included."""
    return [cell for cell in study.cells if cell.kind in ORIGINALS]


def against_tool(study: Study) -> dict[Cell, Ratio]:
    """Inference alone over benchmark_app's figure of the same session, of each cell that has both."""
    tools = {(t.device, _rest(t)): t for t in study.cells if t.kind == "benchmark_app" and study.runs(t)}
    return {
        cell: ratio(study.values(cell, "inference_fps"), study.values(tool, "inference_fps"))
        for cell in measured(study)
        if (tool := tools.get((cell.device, _rest(cell)))) is not None
    }


def agrees(one: Ratio) -> bool:
    """Whether the runs show that two figures are the same, within AGREES."""
    return one.low is not None and one.high is not None and one.low >= 1 - AGREES and one.high <= 1 + AGREES

"""What the figures say besides the summary, in plain words; nothing is said that the runs do not show."""

from typing import Any, NamedTuple

from ..inference.backend import members_of
from ..measurement.cells import FRAMEWORKS, Cell
from ..measurement.intervals import Ratio
from ..poses.pck import NEAR_PIXELS, NEAR_TORSO
from .findings import against_fp32, against_members, against_original, layers, measured, members, originals
from .plan import accuracy_cells
from .results import Study

TELLING = 0.1  # layers of a type tell why a HETERO is slow where they take so much more of the device's own time


class Conclusion(NamedTuple):
    """title: what it is about; sentences: what the study found of it."""

    title: str
    sentences: list[str]


def conclusions(study: Study) -> list[Conclusion]:
    """The most important first."""
    made = [
        Conclusion("Precision", _precisions(study)),
        Conclusion("MULTI", _joined(study, "MULTI")),
        Conclusion("HETERO", _joined(study, "HETERO")),
        Conclusion("The original", _originals(study)),
    ]
    return [conclusion for conclusion in made if conclusion.sentences]


def first_part(reason: str) -> str:
    """'there is no GPU' of a reason that goes on with a library's own words."""
    return reason.split(": ")[0]


def _precisions(study: Study) -> list[str]:
    """What each precision gives and costs against FP32, on the first device."""
    said = []
    for cell, base, ratios in against_fp32(study):
        said.append(
            f"{cell.model} {cell.precision} on {cell.where}, {cell.hint} hint (executed in {study.execution(cell)}) "
            f"against FP32 ({study.execution(base)}): inference alone {ratios['inference_fps']}, whole application "
            f"{ratios['application_fps']}{_cost(study, cell, base)}."
        )
    return said


def _cost(study: Study, cell: Cell, base: Cell) -> str:
    own, other = study.extra("ap", cell), study.extra("ap", base)
    told = ""
    if own and other and "error" not in own and "error" not in other:
        ap, base_ap = (round(found["metrics"]["AP"], 1) for found in (own, other))
        told = f"; AP {ap:.1f} against {base_ap:.1f} over {own['images']} images ({ap - base_ap:+.1f} points)"
    found = study.extra("agreement", cell)
    if found is None or "error" in found:
        return told or "; what it costs in accuracy was not measured"
    if not found["keypoints"]:
        return told or "; nobody was found on the video, so what it costs in accuracy is not known"
    torso = "" if found["within_torso"] is None else f", {found['within_torso']:.1%} within {NEAR_TORSO} of the torso"
    near = f"{found['within_pixels']:.1%} lie within {NEAR_PIXELS:.0f} pixels"
    return f"{told}; of FP32's {found['keypoints']} keypoints on the video {near}{torso}"


def _joined(study: Study, kind: str) -> list[str]:
    """What a MULTI or HETERO gave over its devices alone, or why that is not known."""
    said = [
        f"{device} was not measured: {first_part(reason)}."
        for device, reason in study.data["missing_devices"].items()
        if device.startswith(f"{kind}:")
    ]
    for cell in measured(study):
        is_alone = kind == "MULTI" and cell.hint == "latency"  # one request runs on one device
        if cell.device.startswith(f"{kind}:") and not is_alone and cell.requests is None:
            total, strongest = against_members(study, cell)
            label = cell.label()
            if strongest is None:
                said.append(f"{label}: no device of it was measured alone, so what it gave is not known.")
                continue
            is_whole = len(members(study, cell)) == len(set(members_of(cell.device)))
            alone = "" if is_whole else " that were measured alone"
            against_sum = f"; against their sum {total}" if kind == "MULTI" and total is not None else ""
            said.append(
                f"{label}{_pays(strongest)}: inference alone against the best of its devices{alone} {strongest}"
                f"{against_sum}.{_why(study, cell, strongest)}"
            )
    return said


def _pays(one: Ratio) -> str:
    return "" if not one.is_shown else " pays" if one.value > 1 else " does not pay"


def _why(study: Study, cell: Cell, strongest: Ratio) -> str:
    """What HETERO's split costs, where the layers of the cell were looked at."""
    told = layers(study, cell)
    if told is None or "crossing_tensors" not in told:
        return ""
    if told["crossing_tensors"] == 0:
        return f" All of the network runs on {' and '.join(told['operations'])}: nothing crosses between devices."
    said = (
        f" The network is cut into {told['subgraphs'] or 'some'} subgraphs; {told['crossing_bytes'] / 1e6:.2f} MB a "
        "frame cross between the devices."
    )
    last = members(study, cell).get(members_of(cell.device)[-1])
    more = [] if last is None or strongest.value > 1 else _more_time(told, layers(study, last))
    return said + (f" Profiled against {last.device} alone, {' and '.join(more)}." if last and more else "")


def _more_time(told: dict[str, Any], alone: dict[str, Any] | None) -> list[str]:
    """The types of layers that take TELLING more time in a HETERO than all layers do on one device alone."""
    before = {one["type"]: one["ms"] for one in (alone or {}).get("layer_types", [])}
    return [
        f"{one['type']} takes {one['ms']:.1f} ms a frame instead of {before[one['type']]:.1f}"
        for one in told["layer_types"]
        if one["type"] in before and one["ms"] - before[one["type"]] > TELLING * sum(before.values())
    ]


def _originals(study: Study) -> list[str]:
    lacking = [FRAMEWORKS[original.kind] for original in originals(study) if study.why_not(original) is not None]
    said = [f"Not measured in {' and '.join(lacking)}."] if lacking else []
    for original in originals(study):
        for cell in accuracy_cells(study.cells, study.wish):
            if cell.model == original.model and study.runs(cell) and study.runs(original):
                ratios = against_original(study, cell, original)
                said.append(
                    f"OpenVINO over {FRAMEWORKS[original.kind]}, {cell.label()}: inference alone "
                    f"{ratios['inference_fps']}, whole application {ratios['application_fps']}."
                )
    return said

"""What the figures say, in plain words; nothing is said that the runs do not show."""

from collections.abc import Sequence

from ..agreement import NEAR_PIXELS, NEAR_TORSO
from ..devices import members_of
from .figures import Ratio, figures, ratio
from .plan import FRAMEWORKS, ORIGINALS, Cell
from .results import Study
from .runner import accuracy_cells


def conclusions(study: Study) -> list[str]:
    """Sentences, the most important first."""
    said = []
    if not study.data["complete"]:
        planned = sum(cell.not_measured is None for cell in study.cells) * study.wish.runs
        said.append(f"This study was stopped after {len(study.data['runs'])} of about {planned} runs.")
    disturbed = sum(bool((run.get("conditions") or {}).get("disturbed")) for run in study.data["runs"])
    if disturbed:
        said.append(
            f"{disturbed} of {len(study.data['runs'])} runs were disturbed by other programs. They are in the figures, "
            "and marked in results.json; where they are many, repeat the study on a quiet machine."
        )
    for model in dict.fromkeys(cell.model for cell in measured(study)):
        cells = [cell for cell in measured(study) if cell.model == model]
        said.append(_best(study, model, cells, "application_fps", "throughput of the whole application", "FPS"))
        said.append(_best(study, model, cells, "latency_ms", "latency of a request", "ms"))
    said += [*_several_devices(study), *_hetero(study), *_precisions(study), *_originals(study), *_tool(study)]
    if any(device["is_stand_in"] for device in study.data["machine"]["devices"]):
        said.append(
            "A second device here is a stand-in, the CPU under another name: its rows, and those of MULTI and HETERO "
            "over it, show that the machinery works, and say nothing about a GPU."
        )
    return said


def measured(study: Study) -> list[Cell]:
    """The cells of OpenVINO that have figures."""
    return [cell for cell in study.cells if cell.kind == "openvino" and study.runs(cell)]


def name(cell: Cell, with_model: bool = True) -> str:
    """What a reader calls a cell."""
    if cell.kind in ORIGINALS:
        return f"{FRAMEWORKS[cell.kind]} ({cell.model})"
    affinity = f" ({cell.affinity})" if cell.device.startswith("HETERO") else ""
    requests = "" if cell.requests is None else f", {cell.requests} request{'s' if cell.requests > 1 else ''}"
    model = f" {cell.model}" if with_model else ""
    return f"{cell.device}{affinity}{model} {cell.precision}, {cell.hint}{requests}"


def _best(study: Study, model: str, cells: Sequence[Cell], key: str, what: str, unit: str) -> str:
    """The best cell by a figure, and those that the runs do not tell apart from it."""
    sign = -1 if key == "latency_ms" else 1
    means = {cell: sign * figures(values).mean for cell in cells if (values := study.values(cell, key))}
    if not means:
        return f"{model}: nothing was measured for the {what}."
    best = max(means, key=lambda cell: means[cell])
    ratios = {cell: ratio(study.values(cell, key), study.values(best, key)) for cell in means if cell != best}
    unsure = any(one.low is None for one in ratios.values())
    equal = [name(cell, False) for cell, one in ratios.items() if not one.is_shown]
    told = f"{model}: best for {what}: {name(best, False)}, {sign * means[best]:.1f} {unit}."
    if unsure:
        return told + " Too few runs to say how sure that is."
    return told + (f" No difference from it was shown for: {'; '.join(equal)}." if equal else "")


def _throughput(study: Study, device: str, like: Cell) -> list[float]:
    """FPS of inference alone on another device, all else as for a cell."""
    for cell in measured(study):
        if (cell.device, cell.affinity) == (device, "auto") and _rest(cell) == _rest(like):
            return study.values(cell, "inference_fps")
    return []


def _rest(cell: Cell) -> tuple[str, str, str, int | None]:
    return cell.model, cell.precision, cell.hint, cell.requests


def against_members(study: Study, cell: Cell) -> tuple[Ratio | None, Ratio | None]:
    """Inference FPS of a MULTI or HETERO over the sum of its devices', and over the best of those measured alone.

    None where that is not known: a sum without all of them is none.
    """
    members = members_of(cell.device)
    parts = [part for member in members if (part := _throughput(study, member, cell))]
    if not parts:
        return None, None
    own = study.values(cell, "inference_fps")
    best = max(parts, key=lambda part: figures(part).mean)
    return ratio(own, *parts) if len(parts) == len(members) else None, ratio(own, best)


def _several_devices(study: Study) -> list[str]:
    said = []
    for cell in measured(study):
        if cell.device.startswith("MULTI:") and cell.hint != "latency" and cell.requests is None:
            total, best = against_members(study, cell)
            if best is None:
                said.append(f"{name(cell)}: no device of it was measured alone, so what it gave is not known.")
            elif total is None:
                said.append(
                    f"{name(cell)}, inference alone: against the best of its devices that were measured alone {best}; "
                    "not all of them were, so their sum is not known."
                )
            else:
                said.append(
                    f"{name(cell)}, inference alone: against the sum of its devices {total}; "
                    f"against the best one {best}."
                )
    return said


def _hetero(study: Study) -> list[str]:
    said = []
    for cell in measured(study):
        if cell.device.startswith("HETERO:") and cell.hint != "latency" and cell.requests is None:
            _, best = against_members(study, cell)
            if best is not None:
                said.append(
                    f"{name(cell)}, inference alone: against the best one of its devices {best}.{_why(study, cell)}"
                )
    return said


def _why(study: Study, cell: Cell) -> str:
    """What HETERO's split costs, where the layers of the cell were looked at."""
    told = study.extra("layers", cell)
    if told is None or "crossing_bytes" not in told:
        return ""
    return (
        f" The network is cut into {told['subgraphs'] or 1} subgraph{'s' if (told['subgraphs'] or 1) > 1 else ''}; "
        f"{told['crossing_bytes'] / 1e6:.2f} MB a frame cross between the devices."
    )


def _precisions(study: Study) -> list[str]:
    """What each precision gives and costs against FP32, on the first device."""
    said = []
    cells = accuracy_cells(study.cells, study.wish)
    for cell in cells:
        base = next((one for one in cells if (one.model, one.precision) == (cell.model, "FP32")), None)
        if base is None or cell == base or not study.runs(cell) or not study.runs(base):
            continue
        speed = ratio(study.values(cell, "inference_fps"), study.values(base, "inference_fps"))
        said.append(
            f"{cell.model} {cell.precision} on {cell.device}, inference FPS against FP32: {speed}"
            f"{_cost(study, cell, base)}."
        )
    return said


def _cost(study: Study, cell: Cell, base: Cell) -> str:
    own, other = study.extra("ap", cell), study.extra("ap", base)
    if own and other and "error" not in own and "error" not in other:
        points = own["metrics"]["AP"] - other["metrics"]["AP"]
        return f"; AP {own['metrics']['AP']:.1f} against {other['metrics']['AP']:.1f} ({points:+.1f} points)"
    found = study.extra("agreement", cell)
    if found is None or "error" in found:
        return "; what it costs in accuracy was not measured"
    if not found["keypoints"]:
        return "; nobody was found on the video, so what it costs in accuracy is not known"
    torso = "" if found["within_torso"] is None else f", {found['within_torso']:.1%} within {NEAR_TORSO} of the torso"
    near = f"{found['within_pixels']:.1%} lie within {NEAR_PIXELS:.0f} pixels"
    return f"; of FP32's {found['keypoints']} keypoints {near}{torso}"


def against_original(study: Study, cell: Cell, original: Cell) -> dict[str, Ratio]:
    """OpenVINO over the original: {'inference_fps': ratio, 'application_fps': ratio}."""
    return {
        key: ratio(study.values(cell, key), study.values(original, key)) for key in ("inference_fps", "application_fps")
    }


def _originals(study: Study) -> list[str]:
    said = []
    for original in study.cells:
        if original.kind not in ORIGINALS:
            continue
        why = study.why_not(original)
        if why is not None:
            said.append(f"The original in {FRAMEWORKS[original.kind]} was not measured: {why.rstrip('.')}.")
            continue
        cells = [c for c in accuracy_cells(study.cells, study.wish) if c.model == original.model and study.runs(c)]
        for cell in cells:
            ratios = against_original(study, cell, original)
            said.append(
                f"OpenVINO / {FRAMEWORKS[original.kind]}, {name(cell)}: inference {ratios['inference_fps']}, "
                f"whole application {ratios['application_fps']}."
            )
    return said


def _tool(study: Study) -> list[str]:
    """How far inference alone agrees with OpenVINO's own tool."""
    tools = [cell for cell in study.cells if cell.kind == "benchmark_app" and study.runs(cell)]
    said = []
    for tool in tools:
        for cell in measured(study):
            if (cell.device, _rest(cell)) == (tool.device, _rest(tool)):
                one = ratio(study.values(cell, "inference_fps"), study.values(tool, "inference_fps"))
                said.append(f"Inference alone, {name(cell)}, over benchmark_app's figure of the same session: {one}.")
    return said

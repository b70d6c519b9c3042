"""A study in five sentences, for its first page: what is fastest, its cost, and what precisions and devices give."""

from .conclusions import first_part, with_interval
from .figures import LEAST_RUNS, figures
from .findings import against_fp32, against_members, against_tool, agrees, best, doubt, measured
from .plan import Cell, accuracy_cells
from .results import Study, is_disturbed


def summary(study: Study) -> list[str]:
    """Five sentences; without the first three of them where the figures are not to be quoted."""
    why = doubt(study)
    found = best(study, measured(study), "application_fps")
    if why is not None or found is None:
        return [sentence for sentence in (why, _devices(study), _trust(study)) if sentence]
    cell, others = found.cell, len(found.equal)
    equal = f" No difference from it was shown for {others} other{'s' * (others > 1)}." if others else ""
    fastest = (
        f"{cell.model} {cell.precision} on {cell.where} with the {cell.hint} hint is the fastest: "
        f"{with_interval(study.values(cell, 'application_fps'), 'FPS')} for the whole application at an input of "
        f"{study.input_size(cell)}.{equal if found.is_sure else ' Too few runs to be sure.'}"
    )
    return [fastest, _cost(study, cell), _precisions(study, cell), _devices(study), _trust(study)]


def _mean(study: Study, cell: Cell, key: str) -> str:
    return f"{figures(study.values(cell, key)).mean:.1f}"


def _cost(study: Study, fastest: Cell) -> str:
    """Latency, against that of the quickest with the same model and precision, and accuracy."""
    same = [c for c in measured(study) if (c.model, c.precision) == (fastest.model, fastest.precision)]
    quickest = best(study, same, "latency_ms")
    said = f"Inference of a frame then takes {_mean(study, fastest, 'latency_ms')} ms"
    if quickest is not None and quickest.cell != fastest and fastest not in quickest.equal:
        cell = quickest.cell
        said += (
            f"; on {cell.where} with the {cell.hint} hint it takes {_mean(study, cell, 'latency_ms')} ms, at "
            f"{_mean(study, cell, 'application_fps')} FPS"
        )
    accuracies = [cell for cell in accuracy_cells(study.cells, study.wish) if cell.model == fastest.model]
    ap = {c.precision: e["metrics"]["AP"] for c in accuracies if "metrics" in (e := study.extra("ap", c) or {})}
    if fastest.precision in ap:
        base = f", FP32's {ap['FP32']:.1f}" if "FP32" in ap and fastest.precision != "FP32" else ""
        return f"{said}. Its AP is {ap[fastest.precision]:.1f}{base}."
    for cell in accuracies:
        agreed = study.extra("agreement", cell) or {}
        if cell.precision == fastest.precision and agreed.get("keypoints"):
            return f"{said}. It finds {agreed['within_pixels']:.1%} of FP32's keypoints on the video again."
    return f"{said}. What it costs in accuracy was not measured."


def _precisions(study: Study, fastest: Cell) -> str:
    told = [
        f"{cell.precision} (executed in {study.execution(cell)}) gives {ratios['application_fps']}"
        for cell, _, ratios in against_fp32(study)
        if cell.model == fastest.model
    ]
    if not told:
        return f"What FP16 and INT8 bring was not measured: {fastest.model} ran in {fastest.precision} alone."
    return f"Over FP32 on {study.wish.devices[0]}, {', '.join(told)} the FPS of the whole application."


def _devices(study: Study) -> str:
    """What MULTI and HETERO bring, each at its best, or that they were not measured."""
    told, lacking = [], []
    for kind in ("MULTI", "HETERO"):
        cells = [c for c in measured(study) if c.device.startswith(f"{kind}:") and c.requests is None]
        found = best(study, cells, "inference_fps")
        if found is None:
            lacking.append(kind)
            continue
        strongest = against_members(study, found.cell)[1]
        if strongest is None:
            told.append(f"what {found.cell.where} gives is not known, since no device of it was measured alone")
        else:
            told.append(f"{found.cell.where} gives, of the FPS of its best device alone, {strongest}")
    if lacking:
        reasons = [why for name, why in study.data["missing_devices"].items() if name.split(":")[0] in lacking]
        why = f": {first_part(reasons[0])}" if reasons else ""
        told.append(f"{' and '.join(lacking)} {'were' if len(lacking) > 1 else 'was'} not measured{why}")
    said = "; ".join(told)
    return f"{said[0].upper()}{said[1:]}."


def _trust(study: Study) -> str:
    """How many runs, how many of them disturbed, and whether OpenVINO's own tool finds the same."""
    wish, runs = study.wish, study.data["runs"]
    disturbed = sum(map(is_disturbed, runs))
    length = f"{wish.frames} frames" if wish.frames else f"{wish.seconds:g} s"
    said = f"How far to trust this: {wish.runs} run{'s' * (wish.runs > 1)} of {length} each"
    said += "" if wish.runs >= LEAST_RUNS else f", too few for an interval, which takes {LEAST_RUNS}"
    said += f"; other programs disturbed {disturbed or 'none'} of {len(runs)} runs"
    if not study.data["complete"]:
        said += "; the study was stopped before its end"
    tool = list(against_tool(study).values())
    if tool and all(map(agrees, tool)):
        said += "; OpenVINO's benchmark_app finds the same within 5 %"
    elif tool:
        said += "; that OpenVINO's benchmark_app finds the same within 5 % was not shown"
    if any(device["is_stand_in"] for device in study.data["machine"]["devices"]):
        said += "; the second device is the CPU under another name and says nothing about a GPU"
    return f"{said}."

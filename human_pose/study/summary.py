"""A study in five sentences, for its first page: what is fastest, its cost, and what precisions and devices give."""

from collections.abc import Sequence

from ..measurement.cells import Cell
from ..measurement.intervals import MIN_RUNS, figures
from .conclusions import first_part
from .findings import AGREES, against_fp32, against_members, against_tool, agrees, best, doubt, measured
from .plan import accuracy_cells, schedule
from .results import Study, error_of, is_disturbed

NAMED = 2  # cells that are no slower than the fastest, by name; of more, their number


def summary(study: Study) -> list[str]:
    """Five sentences; where the figures are not to be quoted, why that is so, and how far to trust the study."""
    why = doubt(study)
    found = best(study, measured(study), "application_fps")
    if why is not None or found is None:
        return [sentence for sentence in (why, _trust(study)) if sentence]
    cell, others = found.cell, found.equal
    named = "; ".join(other.label() for other in others) if len(others) <= NAMED else f"{len(others)} others"
    fastest = (
        f"{cell.model} {cell.precision} on {cell.where} with the {cell.hint} hint is the fastest: "
        f"{_with_interval(study.values(cell, 'application_fps'))} for the whole application at an input of "
        f"{study.input_size(cell)}."
    )
    if others:
        fastest += f" No difference from it was shown for {named}."
    elif not found.is_sure:
        fastest += " Too few runs to be sure."
    return [fastest, _cost(study, cell), _precisions(study, cell), _devices(study), _trust(study)]


def _with_interval(values: Sequence[float]) -> str:
    """'26.4 FPS (26.1 to 26.7)': the mean, and its interval where there is one."""
    told = figures(values)
    return f"{told.mean:.1f} FPS" + ("" if told.low is None else f" ({told.low:.1f} to {told.high:.1f})")


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
    """What MULTI and HETERO give, each at its best, or that they were not measured."""
    told, lacking, said = [], [], []
    for kind in ("MULTI", "HETERO"):
        cells = [c for c in measured(study) if c.device.startswith(f"{kind}:") and c.requests is None]
        found = best(study, cells, "inference_fps")
        strongest = None if found is None else against_members(study, found.cell)[1]
        if found is None:
            lacking.append(kind)
        elif strongest is None:
            said.append(f"what {found.cell.where} gives is not known, since no device of it was measured alone")
        else:
            told.append(f"{found.cell.where} gives {strongest}")
    if told:
        said.insert(0, f"against the FPS of its best device alone, {' and '.join(told)}")
    if lacking:
        reasons = [why for name, why in study.data["missing_devices"].items() if name.split(":")[0] in lacking]
        why = f": {first_part(reasons[0])}" if reasons else ""
        said.append(f"{' and '.join(lacking)} {'were' if len(lacking) > 1 else 'was'} not measured{why}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _trust(study: Study) -> str:
    """How many runs there are, what spoiled some of them, and whether OpenVINO's own tool finds the same."""
    wish, runs = study.wish, study.data["runs"]
    length = f"{wish.frames} frames" if wish.frames else f"{wish.seconds:g} s"
    said = [f"How far to trust this: {wish.runs} run{'s' * (wish.runs > 1)} of {length} each"]
    if wish.runs < MIN_RUNS:
        said.append(f"too few runs for intervals, which take {MIN_RUNS}")
    if not study.data["complete"]:
        done = sum(run["round"] < wish.runs for run in runs)
        said.append(f"the study was stopped after {done} of {len(schedule(study.cells, wish))} runs")
    disturbed = sum(map(is_disturbed, runs))
    said.append(f"other programs disturbed {disturbed or 'none'} of {len(runs)} runs")
    if disturbed:
        kept = sum(any(map(is_disturbed, study.runs(cell))) for cell in study.cells)
        said[-1] += f", which count in {kept} cells that have too few others" if kept else ", which are left out"
    if failed := sum(error_of(run) is not None for run in runs):
        said.append(f"{failed} run{'s' * (failed > 1)} failed (results.json has the errors)")
    if tool := against_tool(study):
        differ = [f"{cell.label()}: {one}" for cell, one in tool.items() if not agrees(one)]
        same = f"OpenVINO's benchmark_app finds the same FPS of inference alone within {AGREES:.0%}"
        said.append(f"that {same} was not shown for {', '.join(differ)}" if differ else same)
    if any(device["is_stand_in"] for device in study.data["machine"]["devices"]):
        said.append("the second device is the CPU under another name and says nothing about a GPU")
    return f"{'; '.join(said)}."

"""What a study found, in words: the sentences of the first page, then more; nothing that the runs do not show."""

from ..inference.backend import members_of
from ..measurement.cells import FRAMEWORKS
from ..measurement.intervals import MIN_RUNS, Ratio
from ..poses.pck import NEAR_PIXELS, NEAR_TORSO
from .findings import AGREES, Findings, Speedup, Summary, agrees, best
from .plan import schedule
from .results import error_of, is_disturbed

NAMED = 2  # cells that are no slower than the fastest, by name; of more, their number
TELLING = 0.1  # layers of a type explain why a HETERO is slow where they take so much more of the device's own time


def first_page(found: Findings) -> list[str]:
    """Five sentences: what is fastest, its cost, what precisions and devices give, and how far to trust the study.

    Where the figures are not to be quoted, the last one alone.
    """
    top = best(found.measured, "application_fps")
    if found.doubt() or top is None:
        return [_trust(found)]
    fastest, others = top
    cell, fps = fastest.cell, fastest.application_fps
    interval = "" if fps.low is None else f" ({fps.low:.1f} to {fps.high:.1f})"
    said = (
        f"{cell.model} {cell.precision} on {cell.where} with the {cell.hint} hint is the fastest: {fps.mean:.1f} FPS"
        f"{interval} for the whole application at an input of {fastest.input_size}."
    )
    if others:
        named = "; ".join(other.label for other in others) if len(others) <= NAMED else f"{len(others)} others"
        said += f" No difference from it was shown for {named}."
    elif fps.low is None:
        said += " Too few runs to be sure."
    return [said, _cost(found, fastest), _precisions(found, fastest), _devices(found), _trust(found)]


def _cost(found: Findings, fastest: Summary) -> str:
    """Latency, against the lowest with the same model and precision, and accuracy."""
    model, precision = fastest.cell.model, fastest.cell.precision
    same = [one for one in found.measured if (one.cell.model, one.cell.precision) == (model, precision)]
    said = f"Inference of a frame then takes {fastest.latency_ms.mean:.1f} ms"
    quickest, equal = best(same, "latency_ms") or (fastest, [])
    if fastest not in (quickest, *equal):
        said += (
            f"; on {quickest.cell.where} with the {quickest.cell.hint} hint it takes {quickest.latency_ms.mean:.1f} "
            f"ms, at {quickest.application_fps.mean:.1f} FPS"
        )
    accuracy = {one.cell.precision: one for one in found.accuracy if one.cell.model == model}
    own, base = accuracy.get(precision), accuracy.get("FP32")
    if own and own.ap:
        against = f", FP32's {base.ap['AP']:.1f}" if base and base.ap and base is not own else ""
        return f"{said}. Its AP is {own.ap['AP']:.1f}{against}."
    if own and own.pck and own.pck.keypoints:
        return f"{said}. It finds {own.pck.within_pixels:.1%} of FP32's keypoints on the video again."
    return f"{said}. What it costs in accuracy was not measured."


def _precisions(found: Findings, fastest: Summary) -> str:
    given = [
        f"{one.own.cell.precision} (executed in {one.own.execution}) gives {one.application}"
        for one in found.against_fp32()
        if one.own.cell.model == fastest.cell.model
    ]
    if given:
        return f"Over FP32 on {found.options.devices[0]}, {', '.join(given)} the FPS of the whole application."
    alone = f"{fastest.cell.model} ran in {fastest.cell.precision} alone"
    return f"What FP16 and INT8 bring was not measured: {alone}."


def _devices(found: Findings) -> str:
    """What MULTI and HETERO give, each at its best, or that they were not measured."""
    given, unknown, lacking = [], [], []
    for kind in ("MULTI", "HETERO"):
        top = best(found.joined(kind), "inference_fps")
        if top is None:
            lacking.append(kind)
        elif (strongest := found.against_members(top[0])[1]) is not None:
            given.append(f"{top[0].cell.where} gives {strongest}")
        else:
            unknown.append(f"what {top[0].cell.where} gives is not known, since no device of it was measured alone")
    said = [f"against the FPS of its best device alone, {' and '.join(given)}"] * bool(given) + unknown
    if lacking:
        missing = found.study.data["missing_devices"]
        reasons = [first_part(why) for name, why in missing.items() if name.split(":")[0] in lacking]
        why = "".join(f": {reason}" for reason in reasons[:1])
        said.append(f"{' and '.join(lacking)} {'were' if len(lacking) > 1 else 'was'} not measured{why}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def first_part(reason: str) -> str:
    """'there is no GPU' of a reason that goes on with a library's own words."""
    return reason.split(": ")[0]


def _trust(found: Findings) -> str:
    """How many runs there are, what spoiled some of them, and whether OpenVINO's own tool finds the same."""
    study, options, runs = found.study, found.options, found.study.data["runs"]
    said = [f"How far to trust this: {options.runs} run{'s' * (options.runs > 1)} of {options.length} each"]
    if options.runs < MIN_RUNS:
        said.append(f"too few runs for intervals, which take {MIN_RUNS}")
    if not study.data["complete"]:
        done = sum(run["round"] < options.runs for run in runs)
        said.append(f"the study was stopped after {done} of {len(schedule(study.cells, options))} runs")
    disturbed = sum(map(is_disturbed, runs))
    said.append(f"other programs disturbed {disturbed or 'none'} of {len(runs)} runs")
    if disturbed:
        kept = sum(any(run.is_disturbed for run in one.runs) for one in found.every)
        said[-1] += f", which count in {kept} cells that have too few others" if kept else ", which are left out"
    if failed := sum(error_of(run) is not None for run in runs):
        said.append(f"{failed} run{'s' * (failed > 1)} failed (results.json has the errors)")
    if tool := found.against_tool():
        differ = [f"{one.own.label}: {one.inference}" for one in tool if not agrees(one.inference)]
        same = f"OpenVINO's benchmark_app finds the same FPS of inference alone within {AGREES:.0%}"
        said.append(f"that {same} was not shown for {', '.join(differ)}" if differ else same)
    devices = study.data["machine"]["devices"]
    if any(device["is_stand_in"] for device in devices):
        said.append("the second device is the CPU under another name and says nothing about a GPU")
    if any("emulated" in device["full_name"] for device in devices):
        said.append("the GPU is emulated on the CPU: what it gives is right, and its speed says nothing about a GPU")
    return f"{'; '.join(said)}."


def conclusions(found: Findings) -> dict[str, list[str]]:
    """What the figures say besides the first page, the most important first: sentences by what they are about."""
    lacking = [FRAMEWORKS[one.cell.kind] for one in found.originals if one.why_not is not None]
    originals = [f"Not measured in {' and '.join(lacking)}."] if lacking else []
    originals += [
        f"OpenVINO over {FRAMEWORKS[one.base.cell.kind]}, {one.own.label}: inference alone {one.inference}, whole "
        f"application {one.application}."
        for one in found.against_originals(found.accuracy)
    ]
    return {
        "Networks": [_network(one) for one in found.against_first_model()],
        "Precision": [_precision(one) for one in found.against_fp32()],
        "MULTI": _joined(found, "MULTI"),
        "HETERO": _joined(found, "HETERO"),
        "The original": originals,
    }


def _network(one: Speedup) -> str:
    """What another network gives and costs against the first; no PCK, because neither is the truth for the other."""
    cell = one.own.cell
    return (
        f"{cell.model} {cell.precision} on {cell.where}, {cell.hint} hint, at {one.own.input_size} against "
        f"{one.base.cell.model} at {one.base.input_size}: inference alone {one.inference}, whole application "
        f"{one.application}{_ap(one)}."
    )


def _ap(one: Speedup) -> str:
    """'; AP 42.2 against 42.6 over 200 images (-0.4 points)', or '' where it was not measured for both."""
    ap, base_ap = one.own.ap, one.base.ap
    if not ap or not base_ap:
        return ""
    points = round(ap["AP"], 1) - round(base_ap["AP"], 1)
    return f"; AP {ap['AP']:.1f} against {base_ap['AP']:.1f} over {ap['images']} images ({points:+.1f} points)"


def _precision(one: Speedup) -> str:
    """What a precision gives and costs against FP32."""
    cell, pck, ap = one.own.cell, one.own.pck, _ap(one)
    said = (
        f"{cell.model} {cell.precision} on {cell.where}, {cell.hint} hint (executed in {one.own.execution}) against "
        f"FP32 ({one.base.execution}): inference alone {one.inference}, whole application {one.application}"
    )
    said += ap
    if pck is not None and pck.keypoints:
        said += f"; of FP32's {pck.keypoints} keypoints on the video {pck.within_pixels:.1%} lie within "
        said += f"{NEAR_PIXELS:.0f} pixels"
        said += "" if pck.within_torso is None else f", {pck.within_torso:.1%} within {NEAR_TORSO} of the torso"
    elif not ap:
        nobody = "nobody was found on the video, so what it costs in accuracy is not known"
        said += f"; {nobody if pck else 'what it costs in accuracy was not measured'}"
    return f"{said}."


def _joined(found: Findings, kind: str) -> list[str]:
    """What a MULTI or HETERO gave over its devices alone, or why that is not known."""
    said = [
        f"{device} was not measured: {first_part(reason)}."
        for device, reason in found.study.data["missing_devices"].items()
        if device.startswith(f"{kind}:")
    ]
    for one in found.joined(kind):
        if kind == "MULTI" and one.cell.hint == "latency":
            continue  # one request runs on one device
        total, strongest = found.against_members(one)
        if strongest is None:
            said.append(f"{one.label}: no device of it was measured alone, so what it gave is not known.")
            continue
        pays = "" if not strongest.is_shown else " pays" if strongest.value > 1 else " does not pay"
        is_whole = len(found.members(one)) == len(set(members_of(one.cell.device)))
        alone = "" if is_whole else " that were measured alone"
        against_sum = f"; against their sum {total}" if kind == "MULTI" and total is not None else ""
        said.append(
            f"{one.label}{pays}: inference alone against the best of its devices{alone} {strongest}{against_sum}."
            f"{_split(found, one, strongest)}"
        )
    return said


def _split(found: Findings, one: Summary, strongest: Ratio) -> str:
    """What HETERO's split costs, where the layers of the cell are known."""
    layers = found.layers(one)
    if layers is None or layers.crossing_bytes is None:
        return ""
    if layers.crossing_tensors == 0:
        return f" All of the network runs on {' and '.join(layers.operations)}: nothing crosses between devices."
    said = (
        f" The network is cut into {layers.subgraphs or 'some'} subgraphs; {layers.crossing_bytes / 1e6:.2f} MB a "
        "frame cross between the devices."
    )
    last = found.members(one).get(members_of(one.cell.device)[-1])
    alone = last and found.layers(last)
    before = {layer["type"]: layer["ms"] for layer in alone.layer_types} if alone else {}
    more = [
        f"{layer['type']} takes {layer['ms']:.1f} ms a frame instead of {before[layer['type']]:.1f}"
        for layer in layers.layer_types
        if layer["type"] in before and layer["ms"] - before[layer["type"]] > TELLING * sum(before.values())
    ]
    if last and more and strongest.value <= 1:
        said += f" Profiled against {last.cell.device} alone, {' and '.join(more)}."
    return said

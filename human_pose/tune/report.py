"""What was found, in words."""

from collections.abc import Sequence
from statistics import median

from ..measurement.cells import Cell
from .accuracy import known_sizes
from .goals import LIVE_FPS, LIVE_LATENCY_MS, fps_of, latency_of
from .tuner import Plan, Tuned


def spread(values: Sequence[float], digits: int = 1) -> str:
    """'61.2 (58.0 to 63.1)': the median and the range."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def name_of(plan: Plan, cell: Cell) -> str:
    """'CPU FP16-INT8, throughput hint, 3 requests, 2 streams, size 256'."""
    numbers = [(name, number) for name, number in cell.numbers if number is not None and name != "size"]
    counts = [f"{number} {name if number != 1 else name[:-1]}" for name, number in numbers]
    return ", ".join([f"{cell.device} {cell.precision}", f"{cell.hint} hint", *counts, f"size {plan.size_of(cell)}"])


def report(tuned: Tuned) -> str:
    """Lines for the terminal: the best, its figures, its gain over the default, its accuracy, how it was measured."""
    plan, found = tuned.plan, tuned.found
    best = found.best
    if best is None:
        return "Nothing was measured." if not tuned.measured.errors else "Every candidate failed."
    head = "Interrupted. The best so far" if found.interrupted else "The best"
    lines = [f"{head} for {plan.goal.wish}: {name_of(plan, best)}"]
    if not found.keeps_up:
        lines = [
            f"Nothing keeps up with {LIVE_FPS:.0f} FPS at {LIVE_LATENCY_MS:.0f} ms of latency. "
            f"The nearest: {name_of(plan, best)}"
        ]
    lines.append(f"  {figures(tuned, best)}")
    lines.append(f"  {gain(tuned, best)}")
    lines.append(f"  {accuracy(tuned, best)}")
    return "\n".join([*lines, *notes(tuned)])


def figures(tuned: Tuned, cell: Cell) -> str:
    """'61.2 FPS (58.0 to 63.1), latency 47.0 ms (45.1 to 49.0): median and range of 6 runs'."""
    runs = tuned.measured.runs[cell]
    facts = runs[-1]
    executed = f"executes in {facts['execution_precision']} with {facts['requests']} in flight"
    return (
        f"FPS {spread([fps_of(run) for run in runs])}, latency in ms {spread([latency_of(run) for run in runs])}: "
        f"median and range of {len(runs)} run{'s' * (len(runs) > 1)}; {executed}"
    )


def gain(tuned: Tuned, best: Cell) -> str:
    """What it gains over the default configuration, by rounds in which both were measured."""
    plan = tuned.plan
    if best == plan.baseline:
        return "That is the default: nothing tried is better."
    ratios = tuned.trials.ratios(best, plan.baseline)
    if not ratios:
        return "It was not compared with the default: the time was too short (--seconds)."
    what = {"throughput": "as many FPS as", "latency": "as fast as", "live": "the reserve of"}[plan.goal.name]
    sure = "" if min(ratios) > 1 or max(ratios) < 1 else "; no difference shown"
    return f"{spread(ratios, 2)} times {what} the default ({name_of(plan, plan.baseline)}){sure}"


def accuracy(tuned: Tuned, best: Cell) -> str:
    """What it costs in accuracy: AP where it is known, else agreement with FP32."""
    plan = tuned.plan
    own, default = plan.ap(best), plan.ap(plan.baseline)
    if (best.precision, plan.size_of(best)) == (plan.baseline.precision, plan.size_of(plan.baseline)):
        known = "" if own is None else f" (AP {own:.3f})"
        return f"Accuracy: the default's{known}; precision and size are the same"
    if own is not None:
        return f"Accuracy: AP {own:.3f}" + ("" if default is None else f"; the default has {default:.3f}")
    words = []
    near = [(size, ap) for size in known_sizes(plan.model) if (ap := plan.ap(_resized(best, size))) is not None]
    if near:
        words.append("AP was not measured at this size; " + ", ".join(f"{ap:.3f} at {size}" for size, ap in near))
    words += _agreement(tuned)
    return "Accuracy: " + ("; ".join(words) or "not known")


def _resized(cell: Cell, size: int) -> Cell:
    from dataclasses import replace

    return replace(cell, size=size)


def _agreement(tuned: Tuned) -> list[str]:
    found = tuned.agreement
    if found is None:
        return ["it executes in FP32"] if tuned.found.best and tuned.found.best.precision == "FP32" else []
    if "error" in found:
        return [f"agreement with FP32 is not known: {found['error']}"]
    pck = found["within_pixels"] if found["within_torso"] is None else found["within_torso"]
    return [f"PCK {pck:.3f}: the share of FP32's {found['keypoints']} keypoints that it finds again"]


def notes(tuned: Tuned) -> list[str]:
    """How it was measured, and what went wrong."""
    runs = sum(len(one) for one in tuned.measured.runs.values())
    tried = len(tuned.measured.runs)
    lines = [f"Tried {tried} candidates in {runs} runs, {tuned.elapsed_s:.0f} s."]
    disturbed, known = tuned.measured.disturbed_runs
    if disturbed:
        lines.append(
            f"Other programs disturbed {disturbed} of {known} runs: close them and tune again for a sure choice."
        )
    if not known:
        lines.append("Whether other programs disturbed it is not known here: pip install psutil.")
    lines += [f"Failed: {name_of(tuned.plan, cell)}: {why}" for cell, why in tuned.measured.errors.items()]
    return lines

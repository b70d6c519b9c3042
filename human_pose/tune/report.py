"""What was found, in words."""

from collections.abc import Sequence
from statistics import median

from ..invocation import pip_install
from ..measurement.cells import Cell
from ..measurement.intervals import figures as with_interval
from .accuracy import known_sizes
from .goals import LIVE_FPS, LIVE_LATENCY_MS, fps_of, latency_of
from .tuner import Tuned


def report(tuned: Tuned) -> str:
    """Lines for the terminal: the best, its figures, its gain over the default, its accuracy, how it was measured."""
    plan, found = tuned.plan, tuned.found
    best = found.best
    if best is None:
        return "Interrupted before anything was measured."
    head = f"The best for {plan.goal.wish}: {plan.name(best)}"
    if found.interrupted:
        head = f"Interrupted. The best so far for {plan.goal.wish}: {plan.name(best)}"
    if not found.keeps_up:
        head = (
            f"{'Interrupted. ' * found.interrupted}Nothing measured keeps up with {LIVE_FPS:.0f} FPS at "
            f"{LIVE_LATENCY_MS:.0f} ms of latency. The nearest: {plan.name(best)}"
        )
    lines = [figures(tuned, best), gain(tuned, best), accuracy(tuned, best)]
    return "\n".join([head, *(f"  {line}" for line in lines), *notes(tuned)])


def spread(values: Sequence[float], digits: int = 1) -> str:
    """'61.2 (58.0 to 63.1)': the median and the range; of one value only that."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def figures(tuned: Tuned, cell: Cell) -> str:
    """'61.2 FPS (58.0 to 63.1), latency 47.0 ms (45.1 to 49.0): median and range of 6 runs'."""
    runs = tuned.runs(cell)
    facts = runs[-1]
    how = f"median and range of {len(runs)} runs" if len(runs) > 1 else "one run: too few to be sure"
    in_flight = f"{facts['requests']} request{'s' * (facts['requests'] != 1)} in flight"
    fps, latency = spread([fps_of(run) for run in runs]), spread([latency_of(run) for run in runs])
    return f"FPS {fps}, latency in ms {latency}: {how}; it executes in {facts['execution_precision']} with {in_flight}"


def gain(tuned: Tuned, best: Cell) -> str:
    """What it gains over the default configuration, by rounds in which both were measured."""
    plan = tuned.plan
    if best == plan.baseline:
        return "It is the default: nothing that was tried is better."
    ratios = tuned.trials.ratios(best, plan.baseline, tuned.since)
    default = f"the default ({plan.name(plan.baseline)})"
    if not ratios:
        return f"It was not compared with {default}."
    if plan.goal.name == "live":
        runs = tuned.runs(plan.baseline)
        fps, latency = [fps_of(run) for run in runs], [latency_of(run) for run in runs]
        return f"Beside it {default}: FPS {spread(fps)}, latency in ms {spread(latency)}"
    what = {"throughput": "as many FPS as", "latency": "as fast a result as"}[plan.goal.name]
    verdict = ": too few rounds to tell" if len(ratios) == 1 else "" if is_shown(ratios) else ": no difference shown"
    return f"{spread(ratios, 2)} times {what} {default}{verdict}"


def is_shown(ratios: Sequence[float]) -> bool:
    """Whether the ratios show a difference: their mean's interval, or their range where they are few, is beside 1."""
    found = with_interval(ratios)
    low, high = (min(ratios), max(ratios)) if found.low is None or found.high is None else (found.low, found.high)
    return not low <= 1 <= high


def accuracy(tuned: Tuned, best: Cell) -> str:
    """What it costs in accuracy: AP where it is known, else agreement with FP32."""
    plan = tuned.plan
    own, default = plan.ap(best), plan.ap(plan.baseline)
    if (best.precision, plan.size_of(best)) == (plan.baseline.precision, plan.size_of(plan.baseline)):
        known = "" if own is None else f", AP {own:.3f}"
        return f"Accuracy: that of the default{known}; precision and size are the same"
    if own is not None:
        return f"Accuracy: AP {own:.3f}" + ("" if default is None else f"; the default has {default:.3f}")
    sizes = [(size, plan.ap(plan.resized(best, size))) for size in known_sizes(plan.model)]
    near = ", ".join(f"{ap:.3f} at {size}" for size, ap in sizes if ap is not None)
    words = [f"AP was not measured at this size, but it is {near}"] if near else ["AP is not known"]
    return "Accuracy: " + "; ".join([*words, *_agreement(tuned)])


def _agreement(tuned: Tuned) -> list[str]:
    found = tuned.agreement
    if found is None:
        return []
    if "error" in found:
        return [f"agreement with FP32 is not known: {found['error']}"]
    pck = found["within_pixels"] if found["within_torso"] is None else found["within_torso"]
    return [f"PCK {pck:.3f}, the share of the {found['keypoints']} keypoints of FP32 that it finds again"]


def notes(tuned: Tuned) -> list[str]:
    """How it was measured, and what went wrong."""
    counts = [len(runs) for runs in tuned.measured.runs.values()]
    lines = [f"Tried {len(counts)} candidates in {sum(counts)} runs, {tuned.elapsed_s:.0f} s."]
    disturbed, known = tuned.measured.disturbed_runs
    if disturbed:
        lines.append(f"Other programs disturbed {disturbed} of {known} runs. Close them and tune again to be sure.")
    if not known:
        lines.append(f"Whether other programs disturbed it is not known here: {pip_install('study')}.")
    lines += [f"Failed: {tuned.plan.name(cell)}: {why}" for cell, why in tuned.measured.errors.items()]
    return lines

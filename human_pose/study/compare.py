"""Two studies side by side: two machines, or two versions."""

from pathlib import Path

from ..errors import UsageError
from ..measurement.intervals import figures, ratio
from .report import facts
from .results import KEYS, Study
from .tables import number


def comparison(first: Path, second: Path) -> str:
    """Every figure of the cells that both studies have, and B's over A's with its interval, as Markdown.

    Raises UsageError where a file is no study, or the two have no cell in common.
    """
    a, b = Study.load(first), Study.load(second)
    pairs = [(cell, other) for cell in a.cells for other in b.cells if cell.id == other.id]
    lines = ["| | A | B |", "|---|---|---|"]
    for (what, ours), (_, theirs) in zip(facts(a), facts(b), strict=True):
        lines.append(f"| {what} | {ours} | {theirs if theirs != ours else 'the same'} |")
    lines += ["", "| | figure | A | B | B / A |", "|---|---|---|---|---|"]
    rows = len(lines)
    for cell, other in pairs:
        for what, key in KEYS.items():
            runs, others = a.values(cell, key), b.values(other, key)
            if runs and others:
                told = number(figures(runs).mean), number(figures(others).mean), str(ratio(others, runs))
                lines.append(f"| {cell.label()} | {what} | {' | '.join(told)} |")
    if len(lines) == rows:
        raise UsageError(f"'{first}' and '{second}' have no measured cell in common: other devices, models or hints.")
    alone = {"A": set(_ids(a)) - set(_ids(b)), "B": set(_ids(b)) - set(_ids(a))}
    told_alone = [f"Only in {which}: {'; '.join(sorted(ids))}." for which, ids in alone.items() if ids]
    return "\n".join([*lines, "", *told_alone]).rstrip()


def _ids(study: Study) -> list[str]:
    return [cell.id for cell in study.cells if study.runs(cell)]

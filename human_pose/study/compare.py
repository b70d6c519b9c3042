"""Two studies side by side: two machines, or two versions."""

from pathlib import Path

from ..errors import UsageError
from ..measurement.intervals import ratio
from .findings import Findings
from .report import facts
from .results import KEYS, Study
from .tables import number


def comparison(first: Path, second: Path) -> str:
    """Every figure of the cells that both studies have, and B's over A's with its interval, as Markdown.

    Raises UsageError where a file is no study, or the two have no cell in common.
    """
    a, b = Study.load(first), Study.load(second)
    ours, theirs = ({one.cell.id: one for one in Findings(study).every if one.runs} for study in (a, b))
    common = [(one, theirs[name]) for name, one in ours.items() if name in theirs]
    if not common:
        raise UsageError(f"'{first}' and '{second}' have no measured cell in common: other devices, models or hints.")
    lines = ["| | A | B |", "|---|---|---|"]
    for (what, fact), (_, same) in zip(facts(a), facts(b), strict=True):
        lines.append(f"| {what} | {fact} | {'the same' if same == fact else same} |")
    lines += ["", "| | figure | A | B | B / A |", "|---|---|---|---|---|"]
    for one, other in common:
        for what, key in KEYS.items():
            own, its = getattr(one, key), getattr(other, key)
            if own.runs and its.runs:
                means = f"{number(own.mean)} | {number(its.mean)}"
                lines.append(f"| {one.label} | {what} | {means} | {ratio(its, own)} |")
    alone = {"A": ours.keys() - theirs.keys(), "B": theirs.keys() - ours.keys()}
    said = [f"Only in {which}: {'; '.join(sorted(ids))}." for which, ids in alone.items() if ids]
    return "\n".join([*lines, "", *said]).rstrip()

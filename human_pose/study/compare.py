"""Two studies side by side: two machines, or two versions."""

from pathlib import Path

from ..errors import UsageError
from ..measurement.intervals import ratio
from .findings import Findings
from .report import facts
from .results import KEYS, Study
from .section import Section, as_markdown


def comparison(first: Path, second: Path) -> str:
    """Every figure of the cells that both studies have, and B's over A's with its interval, as Markdown.

    Raises UsageError where a file is no study, or the two have no cell in common.
    """
    a, b = Study.load(first), Study.load(second)
    ours, theirs = ({one.cell.id: one for one in Findings(study).every if one.runs} for study in (a, b))
    machines = [
        [what, fact, "the same" if same == fact else same]
        for (what, fact), (_, same) in zip(facts(a), facts(b), strict=True)
    ]
    rows = [
        [one.label, what, own.mean, its.mean, ratio(its, own)]
        for name, one in ours.items()
        if name in theirs
        for what, key in KEYS.items()
        if (own := getattr(one, key)).runs and (its := getattr(theirs[name], key)).runs
    ]
    if not rows:
        raise UsageError(f"'{first}' and '{second}' have no measured cell in common: other devices, models or hints.")
    alone = {"A": ours.keys() - theirs.keys(), "B": theirs.keys() - ours.keys()}
    said = [f"Only in {which}: {'; '.join(sorted(ids))}." for which, ids in alone.items() if ids]
    tables = [Section(head=["", "A", "B"], rows=machines), Section(head=["", "figure", "A", "B", "B / A"], rows=rows)]
    return as_markdown([*tables, Section(note="\n".join(said))]).rstrip()

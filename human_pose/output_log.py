"""The log of a run's output files: those written, and those that failed."""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


class OutputLog:
    """The output files of a run. One that fails does not stop the run, but sets the exit code to 1.

    lines: what the run prints at its end, one line for each file.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.has_failed = False

    def add(self, path: Path, details: str = "") -> None:
        """Note a file that is complete."""
        line = f"Wrote {path}" + (f" ({details})" if details else "")
        if line not in self.lines:
            self.lines.append(line)

    def fail(self, problem: object) -> None:
        """Report at once that something could not be written."""
        self.has_failed = True
        log.error("%s", problem)

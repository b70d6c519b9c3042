"""What a run has written, and what it could not write."""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


class OutputLog:
    """What a run has written, for its last lines. A file that fails costs no more than itself, and the exit code."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.has_failed = False

    def add(self, path: Path, details: str = "") -> None:
        """A file that is complete."""
        line = f"Wrote {path}" + (f" ({details})" if details else "")
        if line not in self.lines:
            self.lines.append(line)

    def fail(self, problem: object) -> None:
        """Something that could not be written: said at once."""
        self.has_failed = True
        log.error("%s", problem)

"""Write visits to files: CSV or JSON lines. A visit is in the file from the moment it ends."""

import abc
import contextlib
import csv
import io
import json
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..files import GrowingFile, check_writable
from ..output_log import OutputLog
from .visits import Visit

if TYPE_CHECKING:  # OpenCV is not needed here
    from ..media.sources import Source

COLUMNS = (
    "number", "first_s", "last_s", "first_clock", "last_clock", "in_view_s", "entries", "crossed_in", "crossed_out",
)  # fmt: skip
SAME_START = timedelta(seconds=1)  # how much the clock's reading of a source's start may waver; a result comes late
STARTS_KEPT = 1000

Clock = Callable[[], datetime]


def local_time() -> datetime:
    """The time by this machine's clock, with its offset from UTC."""
    return datetime.now(timezone.utc).astimezone()


class VisitWriter(contextlib.AbstractContextManager["VisitWriter"], abc.ABC):
    """Writes visits when they have ended. Use it as a context manager."""

    @abc.abstractmethod
    def write(self, visits: Sequence[Visit], time_s: float | None = None) -> None:
        """Write visits that have ended.

        time_s: the time of the source now, in s since its first frame. With a live source, call this for every frame,
        also without a visit: the clock's time of a visit is then right although the source's time stands still in a
        pause. If it is never given, the source's time is taken to run on from when the writer was entered.
        """


class NullVisitWriter(VisitWriter):
    """The stand-in for a run that writes no visits."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def write(self, visits: Sequence[Visit], time_s: float | None = None) -> None:
        pass


class SourceClock:
    """The clock's time of the moments of a live source, whose own time may stand still for a while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # The source's time, and when its start would have been by the clock if it had never stood still until then.
        self._starts: deque[tuple[float, datetime]] = deque(maxlen=STARTS_KEPT)

    def note(self, time_s: float) -> None:
        """Compare the two: the source's time is `time_s` now."""
        start = self._clock() - timedelta(seconds=time_s)
        if not self._starts or abs(start - self._starts[-1][1]) >= SAME_START:
            self._starts.append((time_s, start))

    def at(self, time_s: float) -> str:
        """The clock's time when the source's was `time_s`, ISO 8601 to the second. Call `note` before."""
        start = next((start for since_s, start in reversed(self._starts) if since_s <= time_s), self._starts[0][1])
        return (start + timedelta(seconds=time_s)).isoformat(timespec="seconds")


class VisitFile(VisitWriter):
    """Writes each visit immediately. If the disk is full, the file ends with the last complete visit."""

    head = ""

    def __init__(self, path: Path, source: "Source", written: OutputLog | None, clock: Clock) -> None:
        self._file = GrowingFile(path, "visit", written, self.head)
        self._clock = SourceClock(clock) if source.is_live else None

    def __enter__(self) -> "VisitFile":
        self._file.open()
        if self._clock is not None:
            self._clock.note(0.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, visits: Sequence[Visit], time_s: float | None = None) -> None:
        if self._clock is not None and time_s is not None:
            self._clock.note(time_s)
        for visit in visits:
            self._file.append(self.text(self.record(visit)))

    def record(self, visit: Visit) -> dict[str, int | float | str | None]:
        """A visit as the file tells it: column -> value; the times by the clock are None where the source has none."""
        clock = self._clock
        values = (
            visit.number,
            round(visit.first_s, 3),
            round(visit.last_s, 3),
            None if clock is None else clock.at(visit.first_s),
            None if clock is None else clock.at(visit.last_s),
            round(visit.in_view_s, 3),
            visit.entries,
            visit.crossed_in,
            visit.crossed_out,
        )
        return dict(zip(COLUMNS, values, strict=True))

    @abc.abstractmethod
    def text(self, record: dict[str, int | float | str | None]) -> str:
        """The line that a visit adds to the file."""


class JsonLinesVisits(VisitFile):
    """One JSON object per visit."""

    def text(self, record: dict[str, int | float | str | None]) -> str:
        return json.dumps(record, allow_nan=False) + "\n"


class CsvVisits(VisitFile):
    """One row per visit."""

    head = ",".join(COLUMNS) + "\n"

    def text(self, record: dict[str, int | float | str | None]) -> str:
        row = io.StringIO()
        csv.writer(row, lineterminator="\n").writerow(record.values())
        return row.getvalue()


def open_visit_writer(
    path: Path | None, source: "Source", written: OutputLog | None = None, clock: Clock = local_time
) -> VisitWriter:
    """The writer for a path. Raises UsageError where its suffix is unknown or it cannot be written.

    written: the log of the run's files. clock: gives the local time with its offset; only a live source needs it.
    """
    if path is None:
        return NullVisitWriter()
    kinds: dict[str, Callable[[Path, Source, OutputLog | None, Clock], VisitFile]]
    kinds = {".csv": CsvVisits, ".jsonl": JsonLinesVisits}
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"Cannot write visits to '{path}': give a name that ends in {' or '.join(kinds)}.")
    check_writable(path)
    return kind(path, source, written, clock)

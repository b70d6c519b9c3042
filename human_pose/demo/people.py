"""Who is in view: a number for each person, calm skeletons, the time in view, visits."""

import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

from ..media.capture import Frame
from ..poses.labels import Marks
from ..poses.pose import Pose
from ..tracking.gate import Gate
from ..tracking.smoothing import Smoother
from ..tracking.tracker import Tracker
from ..tracking.visit_files import VisitWriter
from ..tracking.visits import DEFAULT_GAP_S, Visits


class Seen(NamedTuple):
    """The people of one frame.

    poses: as the network found them, with numbers. shown: what is drawn; if calmed, only people who are confirmed.
    marks: their labels, and the gate. notes: lines for the panel.
    """

    poses: Sequence[Pose]
    shown: Sequence[Pose]
    marks: Marks = Marks()
    notes: tuple[str, ...] = ()


class People(contextlib.AbstractContextManager["People"]):
    """Follows the people from frame to frame. Images, which have no clock, stay as they are.

    As a context manager, it writes the visits that are still open at the end.
    """

    def __init__(
        self, writer: VisitWriter, gap_s: float = DEFAULT_GAP_S, gate: Gate | None = None, is_smoothed: bool = True
    ) -> None:
        """gap_s, gate: see Visits. is_smoothed: whether the skeletons that are shown are calmed."""
        self._writer, self._gate = writer, gate
        self._visits = Visits(gap_s, gate)
        self._line = None if gate is None else (gate.x1, gate.y1, gate.x2, gate.y2)
        self._tracker = Tracker()
        self._smoother = Smoother() if is_smoothed else None

    def see(self, frame: Frame, poses: Sequence[Pose]) -> Seen:
        """Take in the people of the next frame."""
        if frame.time_s is None:
            return Seen(poses, poses)
        numbered = self._tracker.update(poses, frame.time_s)
        height, width = frame.image.shape[:2]
        self._writer.write(self._visits.update(numbered, frame.time_s, (width, height)), frame.time_s)
        shown, strengths = numbered, {}
        if self._smoother is not None:
            shown, strengths = self._smoother.smooth(numbered, frame.time_s), self._smoother.strengths()
        labels = {
            pose.id: f"#{pose.id} {_duration(self._visits.seconds_in_view(pose.id))}"
            for pose in shown
            if pose.id is not None
        }
        return Seen(numbered, shown, Marks(labels, gate=self._line, strengths=strengths), self._notes())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.write(self._visits.close())

    def _notes(self) -> tuple[str, ...]:
        notes = [f"{self._visits.people} since the start"] if self._visits.people else []
        if self._gate is not None:
            notes.append(f"gate: {self._visits.crossed_in} in, {self._visits.crossed_out} out")
        return tuple(notes)


def _duration(seconds: float) -> str:
    """Minutes and seconds: '1:05'."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"

"""Who is in view since when, and who has crossed the gate. Times are the source's own, in s."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..poses.pose import Pose
from .gate import Gate, Walk

DEFAULT_GAP_S = 3.0
BLINK_S = 0.5  # who is lost for no longer has not left: a pose is often missed for a few frames


@dataclass(frozen=True)
class Visit:
    """One person's time before the camera, from the first sighting to the last.

    number: the person's, from the tracker. first_s, last_s: the first and the last sighting. in_view_s: the sum of the
    time in view. entries: how many times the person came into view, 1 or more. crossed_in, crossed_out: how many times
    the person crossed the gate in each direction.
    """

    number: int
    first_s: float
    last_s: float
    in_view_s: float
    entries: int
    crossed_in: int
    crossed_out: int


@dataclass
class _OpenVisit:
    number: int
    first_s: float
    last_s: float
    walk: Walk | None
    update: int  # the number of the update with the last sighting
    in_view_s: float = 0.0
    entries: int = 1
    crossed_in: int = 0
    crossed_out: int = 0

    def ended(self) -> Visit:
        return Visit(
            self.number,
            self.first_s,
            self.last_s,
            self.in_view_s,
            self.entries,
            self.crossed_in,
            self.crossed_out,
        )


class Visits:
    """Follows the visits of all people that a tracker has numbered.

    The time from one sighting of a person to the next is time in view if no update between them missed the person, at
    any frame rate, or if it is at most `BLINK_S`. Else the person was away, and comes into view once more: one more
    entry of the same visit. A visit ends when the person is away for more than `gap_s`; its last sighting is then its
    end. If the number comes back later, that is a new visit. Where the source's time goes back, as in a new round of a
    looped video, all visits end.

    crossed_in, crossed_out: how many times the gate was crossed so far, by anybody; 0 without a gate.
    """

    def __init__(self, gap_s: float = DEFAULT_GAP_S, gate: Gate | None = None) -> None:
        self._gap_s, self._gate = gap_s, gate
        self._open: dict[int, _OpenVisit] = {}
        self._numbers: set[int] = set()
        self._updates = 0
        self._time_s = 0.0
        self.crossed_in = self.crossed_out = 0

    @property
    def in_view(self) -> int:
        """How many people were seen at the last update; 0 after `close`."""
        return sum(visit.update == self._updates for visit in self._open.values())

    @property
    def people(self) -> int:
        """How many people were seen so far; who comes back with the same number counts once."""
        return len(self._numbers)

    def seconds_in_view(self, number: int) -> float:
        """A person's time in view during the visit that is not over yet; 0 where there is none."""
        return self._open[number].in_view_s if number in self._open else 0.0

    def update(self, poses: Sequence[Pose], time_s: float, frame_size: tuple[int, int]) -> list[Visit]:
        """Take in the next frame; returns the visits that ended by now, in the order of their starts.

        poses: those without a number are left out. time_s: of the frame; frame_size: its width and height in pixels.
        """
        goes_back = self._updates > 0 and time_s < self._time_s
        ended = self._end(lambda visit: goes_back or time_s - visit.last_s > self._gap_s)
        self._updates += 1
        self._time_s = time_s
        for pose in poses:
            if pose.id is not None:
                self._see(pose.id, pose, time_s, frame_size)
        return ended

    def close(self) -> list[Visit]:
        """End all visits that are not over yet, and return them in the order of their starts."""
        return self._end(lambda _: True)

    def _end(self, is_over: Callable[[_OpenVisit], bool]) -> list[Visit]:
        over = [visit for visit in self._open.values() if is_over(visit)]
        for visit in over:
            del self._open[visit.number]
        return [visit.ended() for visit in over]

    def _see(self, number: int, pose: Pose, time_s: float, frame_size: tuple[int, int]) -> None:
        visit = self._open.get(number)
        if visit is None:
            self._numbers.add(number)
            walk = None if self._gate is None else Walk(self._gate)
            visit = self._open[number] = _OpenVisit(number, time_s, time_s, walk, self._updates)
        elif visit.update == self._updates:  # a number belongs to one pose of a frame
            return
        elif visit.update == self._updates - 1 or time_s - visit.last_s <= BLINK_S:
            visit.in_view_s += time_s - visit.last_s
        else:
            visit.entries += 1
        visit.last_s, visit.update = time_s, self._updates
        direction = None if visit.walk is None else visit.walk.step(pose, frame_size)
        if direction == "in":
            visit.crossed_in += 1
            self.crossed_in += 1
        elif direction == "out":
            visit.crossed_out += 1
            self.crossed_out += 1

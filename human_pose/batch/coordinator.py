"""Hand out the jobs of many videos, and take in what comes back."""

import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import DemoError, UsageError
from .crew import Crew
from .inputs import Video
from .jobs import Failed, Find, Found, Job, Join, Joined, Plan, Planned, Task
from .ledger import Ledger
from .pieces import Piece
from .progress import Progress

AHEAD = 2  # jobs in flight beyond one for each worker, so that none waits for this process
SLOW = 3.0  # a job that takes so many times the median is given to another worker, too ...
SLOW_S = 5.0  # ... but not before this time
POLL_S = 0.2


@dataclass(frozen=True)
class Outcome:
    """What became of a video. state: 'done', 'done before' or 'failed'; problem: what is wrong, '' if nothing."""

    video: Video
    state: str
    frames: int = 0
    people: int = 0
    problem: str = ""


@dataclass
class _Open:
    """A video whose pieces are being worked on."""

    task: Task
    pieces: tuple[Piece, ...]
    left: set[Piece]


@dataclass
class _Flight:
    """A job in flight. is_double: it was given to a second worker."""

    started_at: float = field(default_factory=time.monotonic)
    is_double: bool = False


class Coordinator:
    """Plans a video when there is room, then has its pieces done in order, and joins them as soon as all are there."""

    def __init__(
        self, videos: Sequence[Video], ledger: Ledger, piece_s: float, threads: int | None, progress: Progress
    ) -> None:
        self._ledger, self._piece_s, self._threads, self._progress = ledger, piece_s, threads, progress
        self._waiting = deque(videos)
        self._ready: deque[Job] = deque()
        self._open: dict[Video, _Open] = {}
        self._flights: dict[Job, _Flight] = {}
        self._durations: list[float] = []  # of pieces, in s
        self.outcomes: list[Outcome] = []

    def run(self, crew: Crew) -> None:
        """Do everything. Raises DemoError where no video can succeed any more; what is done stays done."""
        while self._submit(crew) or self._flights:
            for job, result in crew.wait(POLL_S):
                self._take(job, result)
            self._double_slow(crew)
            self._progress.show()

    def _submit(self, crew: Crew) -> bool:
        """Hand out as many jobs as there is room for. Returns False where none is left to hand out."""
        while len(self._flights) < (crew.size + AHEAD if crew.size > 1 else 1):
            job = self._next()
            if job is None:
                return False
            self._flights[job] = _Flight()
            crew.submit(job)
        return True

    def _next(self) -> Job | None:
        while not self._ready and self._waiting:
            video = self._waiting.popleft()
            note = self._ledger.done(video)
            if note is not None:
                self._end(Outcome(video, "done before", note["frames"], note["people"], note["problem"]))
                continue
            try:
                self._ready.append(Plan(self._ledger.task(video, self._piece_s, self._threads)))
            except UsageError as error:
                self._end(Outcome(video, "failed", problem=str(error)))
        return self._ready.popleft() if self._ready else None

    def _take(self, job: Job, result: object) -> None:
        flight = self._flights.pop(job, None)
        if flight is None:
            return  # the other of two doubles was faster
        video = job.task.video
        match job, result:
            case _, Failed(reason, stops, exit_code):
                if stops:
                    error = DemoError(f"{reason} What is done is kept: start the same command again.")
                    error.exit_code = exit_code
                    raise error
                self._forget(video)
                self._end(Outcome(video, "failed", problem=reason))
            case _, Planned(pieces, done, frames):
                self._forget(video)
                self._open[video] = _Open(job.task, pieces, set(pieces) - done)
                self._progress.expect(video, frames, sum(piece.count or 0 for piece in done))
                self._ready.extend(Find(job.task, piece) for piece in pieces if piece not in done)
                self._join_if_whole(video)
            case Find(_, piece), Found(frames):
                self._durations.append(time.monotonic() - flight.started_at)
                state = self._open.get(video)
                if state is not None and piece in state.left:
                    state.left.remove(piece)
                    self._progress.add(frames)
                    self._join_if_whole(video)
            case Join(task, _), Joined(_, frames, people, problem):
                self._ledger.commit(task, result)
                self._forget(video)
                self._end(Outcome(video, "done", frames, people, problem))

    def _join_if_whole(self, video: Video) -> None:
        state = self._open[video]
        if not state.left:
            self._ready.appendleft(Join(state.task, state.pieces))

    def _forget(self, video: Video) -> None:
        """Give up what is left of a video: results of its pieces that still come are not waited for."""
        self._open.pop(video, None)
        self._ready = deque(job for job in self._ready if job.task.video != video)
        for job in [job for job in self._flights if job.task.video == video]:
            del self._flights[job]

    def _end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._progress.end(outcome.video)

    def _double_slow(self, crew: Crew) -> None:
        """When a worker is idle, give it what others take too long for. A double does no harm: see `piece_files`."""
        if self._ready or self._waiting or not self._durations:
            return
        limit_s = max(SLOW_S, SLOW * statistics.median(self._durations))
        now = time.monotonic()
        for job, flight in self._flights.items():
            if not flight.is_double and now - flight.started_at > limit_s:
                flight.is_double = crew.submit_again(job)
                return  # the next one when it is known who is idle then

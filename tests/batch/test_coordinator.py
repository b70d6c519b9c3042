"""Which jobs are handed out when: nothing is lost and nothing counts twice, whoever is slow or comes late."""

from collections.abc import Callable
from pathlib import Path

import pytest

from human_pose.batch import coordinator as module
from human_pose.batch.coordinator import Coordinator
from human_pose.batch.inputs import Video
from human_pose.batch.jobs import Failed, Find, Found, Job, Join, Joined, Plan, Planned, Result
from human_pose.batch.ledger import Ledger
from human_pose.batch.pieces import WHOLE, Piece
from human_pose.batch.progress import Progress
from human_pose.batch.recipe import Recipe
from human_pose.errors import DemoError

PIECES = tuple(Piece(10 * number, 10, number, number + 0.5) for number in range(3))
RECIPE = Recipe(None, None, "CPU", None, None, None, False, "jsonl")


class Played:
    """A crew whose answers are written down beforehand."""

    size = 2

    def __init__(self, answer: Callable[[Job], list[tuple[Job, Result]]], has_idle: bool = False) -> None:
        self.submitted: list[Job] = []
        self.again: list[Job] = []
        self._answer, self._has_idle = answer, has_idle
        self._done: list[tuple[Job, Result]] = []

    def submit(self, job: Job) -> None:
        self.submitted.append(job)
        self._done += self._answer(job)

    def submit_again(self, job: Job) -> bool:
        if self._has_idle:
            self.again.append(job)
            self._done += [(job, Found(10))]
        return self._has_idle

    def wait(self, timeout_s: float) -> list[tuple[Job, Result]]:
        done, self._done = self._done, []
        return done


def usual(job: Job) -> list[tuple[Job, Result]]:
    match job:
        case Plan():
            return [(job, Planned(PIECES, frozenset(), 30))]
        case Find(_, piece):
            return [(job, Found(piece.count or 30))]
        case Join(task, _):
            task.folder.mkdir(parents=True, exist_ok=True)
            (task.folder / "x").touch()
            return [(job, Joined(((".jsonl", task.folder / "x"),), 30, 1))]


def play(
    tmp_path: Path, answer: Callable[[Job], list[tuple[Job, Result]]], has_idle: bool = False
) -> tuple[Coordinator, Played]:
    (tmp_path / "v.mp4").touch()
    video = Video(str(tmp_path / "v.mp4"), "v")
    coordinator = Coordinator([video], Ledger(tmp_path / "out", RECIPE), 1, None, Progress(1))
    crew = Played(answer, has_idle)
    coordinator.run(crew)
    return coordinator, crew


def kinds(jobs: list[Job]) -> list[str]:
    return [type(job).__name__ for job in jobs]


def test_a_video_is_planned_found_and_joined(tmp_path: Path) -> None:
    coordinator, crew = play(tmp_path, usual)
    assert kinds(crew.submitted) == ["Plan", "Find", "Find", "Find", "Join"]
    assert [outcome.frames for outcome in coordinator.outcomes] == [30]
    assert (tmp_path / "out" / "v.jsonl").exists()


def test_pieces_of_an_earlier_run_are_not_found_again(tmp_path: Path) -> None:
    def answer(job: Job) -> list[tuple[Job, Result]]:
        return [(job, Planned(PIECES, frozenset(PIECES[:2]), 30))] if isinstance(job, Plan) else usual(job)

    assert kinds(play(tmp_path, answer)[1].submitted) == ["Plan", "Find", "Join"]


def test_a_slow_piece_is_given_to_an_idle_worker_and_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_S", 0.0)
    monkeypatch.setattr(module, "SLOW", 0.0)
    hung = PIECES[1]

    def answer(job: Job) -> list[tuple[Job, Result]]:
        if isinstance(job, Find) and job.piece == hung:
            return []
        late: list[tuple[Job, Result]] = [(Find(job.task, hung), Found(10))] if isinstance(job, Join) else []
        return late + usual(job)  # the slow worker ends after all

    coordinator, crew = play(tmp_path, answer, has_idle=True)
    assert [job.piece for job in crew.again if isinstance(job, Find)] == [hung]
    assert [(outcome.state, outcome.frames) for outcome in coordinator.outcomes] == [("done", 30)]


def test_a_piece_that_is_not_exact_makes_the_video_one_piece(tmp_path: Path) -> None:
    def answer(job: Job) -> list[tuple[Job, Result]]:
        if isinstance(job, Find) and job.piece == PIECES[1]:
            return [(job, Planned((WHOLE,), frozenset(), 30))]
        return usual(job)

    coordinator, crew = play(tmp_path, answer)
    assert Find(crew.submitted[0].task, WHOLE) in crew.submitted
    assert [job.pieces for job in crew.submitted if isinstance(job, Join)] == [(WHOLE,)]
    assert len(coordinator.outcomes) == 1


def test_a_video_fails_once_however_many_pieces_do(tmp_path: Path) -> None:
    def answer(job: Job) -> list[tuple[Job, Result]]:
        return [(job, Failed("broken"))] if isinstance(job, Find) else usual(job)

    coordinator, _ = play(tmp_path, answer)
    assert [(outcome.state, outcome.problem) for outcome in coordinator.outcomes] == [("failed", "broken")]


def test_what_stops_everything_is_raised_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"no room\. What is done is kept: start") as raised:
        play(tmp_path, lambda job: [(job, Failed("no room.", stops=True, exit_code=2))])
    assert raised.value.exit_code == 2


def test_progress_estimates_what_was_not_opened_yet() -> None:
    progress = Progress(3)
    progress.expect(Video("a", "a"), 100, 20)
    progress.add(30)
    assert progress.text(10.0) == "videos 0 of 3, frame 50 of about 300, 3.0 FPS, 1:23 left"
    progress.end(Video("a", "a"))
    assert progress.text(0.0) == "videos 1 of 3, frame 50, 0.0 FPS"

"""What the coordinator hands out, and what comes back: plain data, because it travels between machines."""

from dataclasses import dataclass
from pathlib import Path

from .inputs import Video
from .pieces import Piece
from .recipe import Recipe


@dataclass(frozen=True)
class Task:
    """A video, how to work on it, and the folder for its pieces, which every worker sees under this path.

    piece_s: the least length of a piece, in s. threads: CPU threads for the network; 0: as many as the worker has
    cores; None: OpenVINO's choice, as in the demo.
    """

    video: Video
    recipe: Recipe
    folder: Path
    piece_s: float
    threads: int | None = None


@dataclass(frozen=True)
class Plan:
    """Cut a video."""

    task: Task


@dataclass(frozen=True)
class Find:
    """Find the poses of a piece."""

    task: Task
    piece: Piece


@dataclass(frozen=True)
class Join:
    """Number the people of all pieces, and write the results."""

    task: Task
    pieces: tuple[Piece, ...]


Job = Plan | Find | Join


@dataclass(frozen=True)
class Planned:
    """The pieces of a video; done: those whose poses an earlier run found. frames: as far as it is known."""

    pieces: tuple[Piece, ...]
    done: frozenset[Piece]
    frames: int | None


@dataclass(frozen=True)
class Found:
    frames: int


@dataclass(frozen=True)
class Joined:
    """results: (suffix, file) of each, in the task's folder. problem: why the video ended early, '' if not."""

    results: tuple[tuple[str, Path], ...]
    frames: int
    people: int
    problem: str = ""


@dataclass(frozen=True)
class Failed:
    """reason: one line. stops: no other job could succeed either, so the run ends with exit_code."""

    reason: str
    stops: bool = False
    exit_code: int = 1


Result = Planned | Found | Joined | Failed

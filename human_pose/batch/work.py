"""Do a job. Each process compiles the network once for each size of its input."""

import contextlib
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2

from ..api import PoseEstimator
from ..errors import DemoError, UsageError, first_line
from ..inference.backend import DeviceError
from ..inference.backends import check_device
from ..inference.devices import open_core
from ..media.capture import Capture
from ..media.sources import Source, early_end, open_source
from ..poses.pose import Pose
from .inputs import is_remote, open_system
from .jobs import Failed, Find, Found, Job, Join, Plan, Planned, Result, Task
from .join import join
from .piece_files import OutputError, PiecePoses, put, read_piece, write_piece
from .pieces import WHOLE, InexactCutError, Piece, cut, piece_source
from .recipe import Recipe

PLAN_FILE = "plan.json"


class RefusedError(UsageError):
    """The process has another version of the program, or another model."""


def do(job: Job, on_frame: Callable[[], None] = lambda: None) -> Result:
    """Do a job. What a user can mend comes back as Failed. on_frame: called for each frame whose poses are found."""
    try:
        match job:
            case Plan(task):
                return _plan(task)
            case Find(task, piece):
                return _find(task, piece, on_frame)
            case Join(task, pieces):
                return _join(task, pieces)
    except (OutputError, DeviceError, RefusedError) as error:
        return Failed(str(error), stops=True, exit_code=error.exit_code)
    except DemoError as error:
        return Failed(str(error))
    except (OSError, cv2.error, MemoryError) as error:
        return Failed(f"'{job.task.video.address}': {first_line(error)}")


@functools.lru_cache(maxsize=1)
def estimator_for(recipe: Recipe, threads: int | None) -> PoseEstimator:
    """The estimator of this process. Raises UsageError, or RefusedError where it would make other poses."""
    if recipe.version != (own := Recipe.__dataclass_fields__["version"].default):
        raise RefusedError(f"This is version {own} of the program, not {recipe.version}. Install the same everywhere.")
    if threads == 0:
        threads = own_cores()
    estimator = PoseEstimator(
        recipe.model, recipe.device, recipe.precision, recipe.size, recipe.threshold, recipe.min_keypoints,
        threads=threads,
    )  # fmt: skip
    if recipe.sha256 and estimator.sha256() != recipe.sha256:
        raise RefusedError(
            f"The model '{recipe.model or 'by default'}' is another file here. Copy the same everywhere."
        )
    return estimator


def check_worker(recipe: Recipe, threads: int | None) -> None:
    """Raise UsageError, or RefusedError, where this process cannot make the poses of a recipe."""
    estimator_for(recipe, threads)
    check_device(open_core(None), recipe.device)


def own_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _plan(task: Task) -> Planned:
    """Cut the video, or take the plan of an earlier run, with the pieces that are done."""
    plan = _read_plan(task)
    if plan is None:
        with local_path(task.video.address) as path:
            source = open_video(path)
            pieces, counted = cut(path, source.frame_count, source.fps, task.piece_s)
            problem = early_end(task.video.address, counted, source.frame_count) if counted else None
            plan = _write_plan(task, pieces, source.fps, counted or source.frame_count, problem)
    pieces = [Piece(**piece) for piece in plan["pieces"]]
    done = frozenset(piece for piece in pieces if (task.folder / piece.file_name).exists())
    return Planned(tuple(pieces), done, plan["frames"])


def _read_plan(task: Task) -> dict[str, Any] | None:
    try:
        plan: dict[str, Any] = json.loads((task.folder / PLAN_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return plan


def _write_plan(
    task: Task, pieces: list[Piece], fps: float | None, frames: int | None, problem: str | None
) -> dict[str, Any]:
    plan = {"pieces": [asdict(piece) for piece in pieces], "fps": fps, "frames": frames, "problem": problem or ""}
    put(task.folder / PLAN_FILE, json.dumps(plan).encode())
    return plan


def open_video(path: str) -> Source:
    """A source that is a video with an end. Raises UsageError or DemoError."""
    source = open_source(path)
    if source.images_from or source.is_live:
        raise UsageError(f"'{path}' is not a video with an end. Give video files.")
    return source


def _find(task: Task, piece: Piece, on_frame: Callable[[], None]) -> Result:
    estimator = estimator_for(task.recipe, task.threads)
    plan = _read_plan(task) or {}
    frames: list[list[Pose]] = []
    with local_path(task.video.address) as path:
        source = open_video(path) if piece == WHOLE else piece_source(path, piece, plan.get("fps"))
        try:
            with Capture(source) as capture:
                for _, poses in estimator.find(capture):
                    frames.append(poses)
                    on_frame()
        except InexactCutError:  # the video is read from its start, as a whole
            plan = _write_plan(task, [WHOLE], plan.get("fps"), plan.get("frames"), None)
            return Planned((WHOLE,), frozenset(), plan["frames"])
    problem = source.breaks[0].replace(path, task.video.address) if source.breaks else ""
    size = (capture.frame_size[0], capture.frame_size[1])
    write_piece(task.folder / piece.file_name, PiecePoses(frames, size, estimator.device, problem))
    return Found(len(frames))


def _join(task: Task, pieces: tuple[Piece, ...]) -> Result:
    plan = _read_plan(task)
    if plan is None:
        raise DemoError(f"'{task.folder / PLAN_FILE}' is gone. Start the command again.")
    skeleton = estimator_for(task.recipe, task.threads).skeleton
    found = [read_piece(task.folder / piece.file_name, skeleton) for piece in pieces]
    if not task.recipe.annotates:
        return join(task, found, skeleton, plan["fps"], plan["problem"])
    with local_path(task.video.address) as path:
        return join(task, found, skeleton, plan["fps"], plan["problem"], open_video(path))


@contextlib.contextmanager
def local_path(address: str) -> Iterator[str]:
    """A path or URL that FFmpeg can read. What fsspec fetches stays until this process needs another video."""
    if not is_remote(address):
        if "://" not in address and not Path(address).exists():
            raise UsageError(f"'{address}' is gone, or this machine does not see it. Mount it under the same path.")
        yield address
        return
    yield str(_copies.fetch(address))


class _Copies:
    """The last video that was fetched: the next job is often on another piece of it."""

    def __init__(self) -> None:
        self._address = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def fetch(self, address: str) -> Path:
        """The path of a copy. Raises DemoError."""
        if self._folder is not None and self._address == address:
            return next(Path(self._folder.name).iterdir())
        if self._folder is not None:
            self._folder.cleanup()
        self._folder, self._address = tempfile.TemporaryDirectory(prefix="human-pose-"), ""
        system, path = open_system(address)
        copy = Path(self._folder.name) / f"video{Path(path).suffix}"
        try:
            with system.open(path, "rb") as remote, copy.open("wb") as file:
                shutil.copyfileobj(remote, file, 1 << 20)
        except Exception as error:  # whatever a file system's library raises
            raise DemoError(f"Cannot fetch '{address}': {first_line(error)}. Start the command again.") from error
        self._address = address
        return copy


_copies = _Copies()

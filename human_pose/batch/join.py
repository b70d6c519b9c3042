"""Put the pieces of a video together: number the people, write the files, draw the video."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..demo.people import People, Seen
from ..errors import DemoError
from ..media.capture import Frame
from ..media.sources import Source
from ..media.writer import FPS_WITHOUT_CLOCK, VideoWriter
from ..output_log import OutputLog
from ..poses.draw import draw
from ..poses.keypoint_files import JsonLinesWriter
from ..poses.pose import Pose
from ..poses.skeleton import Skeleton
from ..tracking.visit_files import open_visit_writer
from .jobs import Joined, Task
from .piece_files import OutputError, PiecePoses
from .tables import write_parquet

ANNOTATED_SUFFIX = "-poses.mp4"


def join(
    task: Task,
    pieces: Sequence[PiecePoses],
    skeleton: Skeleton,
    fps: float | None,
    problem: str,
    source: Source | None = None,
) -> Joined:
    """Write the results of a video into the task's folder. source: the video, if it is to be drawn.

    Everybody is numbered as in the demo, in the order of the frames. Raises OutputError where a file cannot be written,
    DemoError where the video cannot be read again.
    """
    clock = Source(task.video.address, lambda: iter(()), fps=fps)
    video = task.folder / f"{uuid.uuid4().hex}.mp4"
    seen = _seen(clock, pieces) if source is None else _drawn(clock, pieces, source, video)
    numbered = [people.poses for people in seen]
    if len(numbered) < (expected := sum(len(piece.frames) for piece in pieces)):
        raise DemoError(f"'{clock.name}' gave {len(numbered)} of {expected} frames when it was read again.")
    numbers = {pose.id for poses in numbered for pose in poses} - {None}
    problem = problem or next((piece.problem for piece in pieces if piece.problem), "")
    table = task.folder / f"{uuid.uuid4().hex}.{task.recipe.format}"
    try:
        if task.recipe.format == "jsonl":
            _write_lines(table, clock, pieces, numbered)
        else:
            width, height = pieces[0].size
            facts: dict[str, Any] = {
                "width": width,
                "height": height,
                "fps": fps,
                "frames": len(numbered),
                "problem": problem,
            }
            facts |= {"video": task.video.address, "device": pieces[0].device, "made_with": asdict(task.recipe)}
            write_parquet(table, skeleton, numbered, fps, facts)
    except OSError as error:
        raise OutputError(f"Cannot write '{table}': {error.strerror or error}. Make room.") from error
    results = [(f".{task.recipe.format}", table)] + ([] if source is None else [(ANNOTATED_SUFFIX, video)])
    return Joined(tuple(results), len(numbered), len(numbers), problem)


def _frames(clock: Source, pieces: Sequence[PiecePoses]) -> Iterator[tuple[Frame, str, Sequence[Pose]]]:
    """Each frame with a blank image of its size, its device, and its poses."""
    index = 0
    for piece in pieces:
        width, height = piece.size
        blank = np.broadcast_to(np.uint8(0), (height, width, 3))  # takes no memory
        for poses in piece.frames:
            yield Frame(index, blank, 0.0, time_s=clock.time_s(index)), piece.device, poses
            index += 1


def _people() -> People:
    return People(open_visit_writer(None, Source("", lambda: iter(())), OutputLog()))


def _seen(clock: Source, pieces: Sequence[PiecePoses]) -> Iterator[Seen]:
    people = _people()
    for frame, _, poses in _frames(clock, pieces):
        yield people.see(frame, poses)


def _drawn(clock: Source, pieces: Sequence[PiecePoses], source: Source, path: Path) -> Iterator[Seen]:
    """The same, while the video is read again and drawn as the demo draws it, without a panel."""
    written = OutputLog()
    sound_of = Path(source.name) if Path(source.name).is_file() else None
    with VideoWriter(path, source.fps or FPS_WITHOUT_CLOCK, written, sound_of) as writer, closing(
        source.images()  # type: ignore[type-var]
    ) as images:  # fmt: skip
        for seen, (frame, _, _), (image, _) in zip(_seen(clock, pieces), _frames(clock, pieces), images, strict=False):
            writer.write(frame, draw(image, seen.shown, in_place=True, marks=seen.marks))
            yield seen
    if written.has_failed or not path.exists():
        raise OutputError(f"Cannot write the annotated video of '{clock.name}'. Make room, or leave --annotate out.")


def _write_lines(path: Path, clock: Source, pieces: Sequence[PiecePoses], numbered: Sequence[Sequence[Pose]]) -> None:
    """Write what the demo's --keypoints writes. Raises OutputError."""
    written = OutputLog()
    with JsonLinesWriter(path, clock, written) as writer:
        for (frame, device, _), poses in zip(_frames(clock, pieces), numbered, strict=True):
            writer.write(frame, device, poses)
    if written.has_failed:
        raise OutputError(f"Cannot write '{path}': the disk is full. Make room.")

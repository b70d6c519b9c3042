"""Pieces of a video, cut at key frames, so that several processes can work on one video."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from ..errors import DemoError
from ..files import opencv_path
from ..media.sources import Images, Source, as_bgr


class InexactCutError(DemoError):
    """A piece does not give the frames that reading the video from its start would give."""


@dataclass(frozen=True)
class Piece:
    """Frames of a video. first: the index of the first. count: None: all of the video, read from its start.

    first_ms, last_ms: the times of its first and its last frame in the video, by which they are recognised.
    """

    first: int = 0
    count: int | None = None
    first_ms: float = 0.0
    last_ms: float = 0.0

    @property
    def file_name(self) -> str:
        return f"{self.first:09d}-{'whole' if self.count is None else self.count}.npz"


WHOLE = Piece()


def cut(path: str, frame_count: int | None, fps: float | None, piece_s: float) -> tuple[list[Piece], int | None]:
    """The pieces of a video, each at least piece_s long, and the number of its frames where they were counted.

    The packets are read, and nothing is decoded. A video that is short, has one key frame, or whose timestamps are
    missing or not unique is one piece.
    """
    shortest = max(1, round(piece_s * (fps or 30.0)))
    if frame_count is not None and frame_count < 2 * shortest:
        return [WHOLE], None
    packets = _packets(path)
    order = sorted(packets)
    times = [time_ms for time_ms, _ in order]
    if len(set(times)) != len(times) or len(times) < 2 * shortest:
        return [WHOLE], None
    # A frame's index is its place by time. Packets come in the order of decoding, which B-frames change.
    starts = [0]
    for index, (_, is_key) in enumerate(order):
        if is_key and index - starts[-1] >= shortest and len(order) - index >= shortest:
            starts.append(index)
    if len(starts) == 1:
        return [WHOLE], None
    ends = [*starts[1:], len(order)]
    pieces = [Piece(start, end - start, times[start], times[end - 1]) for start, end in zip(starts, ends, strict=True)]
    return pieces, len(order)


def _packets(path: str) -> list[tuple[float, bool]]:
    """Of each packet the time of its frame in ms, and whether it is a key frame."""
    found = []
    video = _open(path, [cv2.CAP_PROP_FORMAT, -1])
    while video.grab():
        found.append((video.get(cv2.CAP_PROP_POS_MSEC), video.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) > 0))
    video.release()
    return found


def _open(path: str, parameters: list[int]) -> cv2.VideoCapture:
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "://" in path:
        return cv2.VideoCapture(path, cv2.CAP_FFMPEG, parameters)
    with opencv_path(Path(path)) as name:
        return cv2.VideoCapture(name, cv2.CAP_FFMPEG, parameters)


def piece_source(path: str, piece: Piece, fps: float | None) -> Source:
    """A source of the frames of a piece. Playing it raises InexactCutError where they are not those that were cut."""
    return Source(path, lambda: _read(path, piece), piece.count, fps)


def _read(path: str, piece: Piece) -> Images:
    assert piece.count is not None
    video = _open_at(path, piece)
    try:
        for index in range(piece.count):
            is_read, image = video.retrieve() if index == 0 else video.read()
            time_ms = video.get(cv2.CAP_PROP_POS_MSEC)
            if not is_read or time_ms > piece.last_ms or (time_ms < piece.last_ms) != (index < piece.count - 1):
                raise InexactCutError(f"'{path}' gives other frames from {piece.first} on than from its start.")
            yield as_bgr(image), None
    finally:
        video.release()


def _open_at(path: str, piece: Piece) -> cv2.VideoCapture:
    """The video with the first frame of the piece grabbed. Where a seek misses it, all frames before it are read."""

    def by_seeking(video: cv2.VideoCapture) -> None:
        video.set(cv2.CAP_PROP_POS_MSEC, piece.first_ms)

    ways: list[Callable[[cv2.VideoCapture], None]] = [by_seeking, lambda video: None]
    for go in ways if piece.first else ways[1:]:
        video = _open(path, [])
        go(video)
        while video.grab() and video.get(cv2.CAP_PROP_POS_MSEC) < piece.first_ms:
            pass
        if video.get(cv2.CAP_PROP_POS_MSEC) == piece.first_ms:
            return video
        video.release()
    raise InexactCutError(f"'{path}' has no frame {piece.first} where its packets say so.")

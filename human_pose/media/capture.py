"""Play a source: read its frames in order, or only the newest one."""

import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from ..errors import DemoError, UsageError
from .sources import Source, open_source

QUEUED_FRAMES = 3  # frames of a file that are read ahead
FIRST_FRAME_TIMEOUT_S = 20.0  # some webcams take long to start
CLOCK_OF_IMAGES_FPS = 30.0  # images have no clock of their own
# With --realtime, a frame is read READ_AHEAD times the last reading time, plus SPARE_S, before it is due.
READ_AHEAD, SPARE_S = 2.0, 0.004


@dataclass(frozen=True)
class Frame:
    """One frame of the source.

    index: its index in the source, from 0, dropped frames included. image: (height, width, 3) uint8, BGR. captured_at:
    when it was ready, in s of time.perf_counter. name: of an image, its file name. read_ms: how long it took to read
    and decode; for a live source this includes the wait for the frame. time_s: its time in the source, in s: from the
    start of the file, anew in each round of a loop; from the first frame of a live source; None for images, which have
    no clock.
    """

    index: int
    image: np.ndarray
    captured_at: float
    name: str | None = None
    read_ms: float = 0.0
    time_s: float | None = None


class Capture:
    """Plays a source in its own thread: every frame of a file in order, the newest frame of a live source.

    Use it as a context manager. Raises UsageError or DemoError where the first frame cannot be read.
    """

    def __init__(self, source: Source, loop: bool = False, realtime: bool = False) -> None:
        self.source = source
        self.dropped = 0
        self.loops = loop
        self._realtime = realtime
        self.keeps_newest = source.is_live or realtime
        self._queue: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._is_held = False
        self._is_closed = False
        self._is_finished = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._play, name="capture", daemon=True)

    def __enter__(self) -> "Capture":
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_finished, FIRST_FRAME_TIMEOUT_S)
            if not self._queue:
                self._is_closed = True
                raise self._error or DemoError(f"'{self.source.name}' gave no frame in {FIRST_FRAME_TIMEOUT_S:.0f} s.")
            self.first_image = self._queue[0].image
            self.frame_size = self.first_image.shape[1::-1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(timeout=2)  # a camera that hangs must not block the end

    @property
    def is_over(self) -> bool:
        """Whether all frames have been read and no more will come."""
        with self._changed:
            return self._is_finished and not self._queue and self._error is None

    @property
    def has_broken_off(self) -> bool:
        """Whether the source ended too early, and all its frames have been read."""
        return bool(self.source.breaks) and (self.loops or self.is_over)

    @property
    def frame_count(self) -> int | None:
        """The number of frames in all; None if it is unknown."""
        return None if self.loops else self.source.frame_count

    def read(self, wait_s: float = 0.0) -> Frame | None:
        """The next frame; None if none comes within `wait_s`, or the source is over.

        Raises the source's error, but only to who can wait: who cannot still has frames before it to work on.
        """
        with self._changed:
            if wait_s > 0:
                self._changed.wait_for(lambda: self._queue or self._is_finished, wait_s)
            if self._queue:
                self._changed.notify_all()
                return self._queue.popleft()
            if self._error is not None and wait_s > 0:
                error, self._error = self._error, None
                raise error
            return None

    def _play(self) -> None:
        try:
            index = 0
            started_at = first_at = time.perf_counter()
            interval_s = 1 / (self.source.fps or CLOCK_OF_IMAGES_FPS)
            while True:
                first = index
                with closing(self.source.images()) as images:  # type: ignore[type-var]
                    reading_since = time.perf_counter()
                    for image, name in images:
                        read_ms = 1000 * (time.perf_counter() - reading_since)
                        if self._realtime:
                            started_at += self._time_held(index)
                            self._wait_until(started_at + index * interval_s)
                        elif self.source.is_live and self._is_held and index > 0:
                            continue
                        captured_at = time.perf_counter()
                        if index == 0:
                            first_at = captured_at
                        time_s = captured_at - first_at if self.source.is_live else self.source.time_s(index - first)
                        if not self._put(Frame(index, image, captured_at, name, read_ms, time_s)):
                            return
                        index += 1
                        if self._realtime and not self._is_held:
                            # Read the next frame late, so that reading does not slow down inference on this one.
                            self._wait_until(started_at + index * interval_s - READ_AHEAD * read_ms / 1000 - SPARE_S)
                        reading_since = time.perf_counter()
                if not self.loops:
                    return
        except Exception as error:  # read() raises it
            self._error = error
        finally:
            with self._changed:
                self._is_finished = True
                self._changed.notify_all()

    def hold(self, is_held: bool) -> None:
        """Pause a live source, or a file played by its clock. Frames that come meanwhile are not counted."""
        with self._changed:
            self._is_held = is_held
            self._changed.notify_all()

    def _time_held(self, index: int) -> float:
        """Wait while the clock is held; returns for how long, in s. The first frame does not wait."""
        if index == 0 or not self._is_held:
            return 0.0
        held_at = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: not self._is_held or self._is_closed)
        return time.perf_counter() - held_at

    def _wait_until(self, moment: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed, max(0.0, moment - time.perf_counter()))

    def _put(self, frame: Frame) -> bool:
        """Queue a frame. Returns False when the capture is closed."""
        with self._changed:
            if self.keeps_newest:
                self.dropped += len(self._queue)
                self._queue.clear()
            else:
                self._changed.wait_for(lambda: len(self._queue) < QUEUED_FRAMES or self._is_closed)
            self._queue.append(frame)
            self._changed.notify_all()
            return not self._is_closed


def open_capture(source: str, loop: bool = False, realtime: bool = False) -> Capture:
    """Open a video file, an image, a folder of images, a camera index or a stream's URL.

    loop: start a file or folder over at its end. realtime: play it by its own clock and drop the frames that come too
    fast, like a camera. Raises UsageError or DemoError if the source cannot be opened.
    """
    described = open_source(source)
    if described.is_live and loop:
        raise UsageError(f"--loop is for files: '{source}' has no end to start over at.")
    return Capture(described, loop, realtime)

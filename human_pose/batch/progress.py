"""The progress of many videos, in one line."""

import time

from ..console import ProgressLine, minutes
from .inputs import Video


class Progress:
    """Videos and frames so far, FPS, time left. Frames of videos that were not opened yet are estimated."""

    def __init__(self, videos: int) -> None:
        self._videos, self._ended = videos, 0
        self._expected: dict[Video, int] = {}
        self._known = 0  # frames of this run that were done before
        self._frames = 0
        self._in_piece = 0
        self._started_at = time.monotonic()
        self._line = ProgressLine()

    def expect(self, video: Video, frames: int | None, done: int) -> None:
        """A video was opened: it has so many frames, of which so many were done before."""
        self._expected[video] = frames or 0
        self._known += done
        self._in_piece = 0

    def tick(self) -> None:
        """A frame is done of a piece that this process works on."""
        self._in_piece += 1
        self.show()

    def add(self, frames: int) -> None:
        """A piece is done."""
        self._frames += frames
        self._in_piece = 0

    def end(self, video: Video) -> None:
        """A video is done, or failed."""
        self._ended += 1

    def show(self) -> None:
        if self._line.is_due:
            self._line.show(self.text(time.monotonic() - self._started_at))

    def text(self, elapsed_s: float) -> str:
        """'video 3 of 10, frame 1200 of about 5400, 180.0 FPS, 0:23 left'."""
        frames = self._frames + self._in_piece
        fps = frames / elapsed_s if elapsed_s > 0 else 0.0
        text = f"videos {self._ended} of {self._videos}, frame {frames + self._known}"
        unopened = self._videos - max(self._ended, len(self._expected))
        known = sum(self._expected.values())
        total = known + unopened * known // max(1, len(self._expected))
        if fps == 0 or total < frames + self._known:
            return f"{text}, {fps:.1f} FPS"
        left_s = (total - self._known - frames) / fps
        return f"{text} of {'about ' if unopened else ''}{total}, {fps:.1f} FPS, {minutes(left_s)} left"

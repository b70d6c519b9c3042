"""What the viewer sees: the annotated picture in the window and in the output, the panel, and what just happened."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .capture import Capture
from .decode import Pose
from .draw import draw
from .errors import DemoError
from .inference import Estimator, Inference
from .models import PoseNetwork
from .panel import KEYS, Line, PanelPlace, panel_lines
from .stats import DeviceStatistics
from .terminal import say
from .window import Key, NoWindow
from .writer import NoWriter, write_image

NOTICE_S = 4.0  # how long the panel keeps saying what just happened


@dataclass(frozen=True)
class Shown:
    """What a picture is drawn from."""

    inference: Inference
    poses: Sequence[Pose]
    statistics: DeviceStatistics


class Viewer:
    """Draws, shows and writes pictures, and draws the last one anew when the panel has something else to say."""

    def __init__(
        self, window: NoWindow, writer: NoWriter, network: PoseNetwork, estimator: Estimator, capture: Capture
    ) -> None:
        self.is_paused = False
        self.has_window = window.is_shown
        self.keeps_picture = window.is_shown and capture.frame_count == 1  # a single image stays until a key
        self._window, self._writer = window, writer
        self._network, self._estimator, self._capture = network, estimator, capture
        self._has_panel = True
        self._notice, self._notice_until = "", 0.0
        self._shown: Shown | None = None
        self._lines: list[Line] = []
        self._place = PanelPlace()

    def show(self, inference: Inference, poses: Sequence[Pose], statistics: DeviceStatistics) -> None:
        """A new result: draw it, show it, write it."""
        self._shown = Shown(inference, poses, statistics)
        self._place.update(poses, inference.frame.image.shape[1::-1], time.perf_counter())
        self._draw(self._shown)
        self._writer.write(inference.frame, self._picture)

    def poll_key(self, stands_still: bool) -> Key | None:
        """Handle the keys that concern the picture alone, and return the others.

        stands_still: no new result is to be expected, so there is time to wait for a key.
        """
        key = self._window.poll_key(wait_ms=20 if stands_still else 0)
        if key is Key.PANEL:
            self._has_panel = not self._has_panel
        elif key is Key.SAVE:
            self._save()
        if stands_still and self._shown is not None and self._panel(self._shown) != self._lines:
            self._draw(self._shown)
        return key

    def notice(self, text: str) -> None:
        """Tell the viewer what just happened, on the terminal and for a while in the panel."""
        say(text)
        self._notice, self._notice_until = text, time.perf_counter() + NOTICE_S

    def _draw(self, shown: Shown) -> None:
        self._lines = self._panel(shown)
        self._picture = draw(shown.inference.frame.image, shown.poses, self._lines, self._place.corner)
        self._window.show(self._picture)

    def _panel(self, shown: Shown) -> list[Line]:
        if not self._has_panel:
            return []
        notices = []
        if self._capture.dropped:
            notices.append(f"{self._capture.dropped} frames dropped to keep up with the source")
        if self._estimator.compiling is not None:
            notices.append("compiling {} ... {:.0f} s".format(*self._estimator.compiling))
        if self.is_paused:
            notices.append("paused")
        if time.perf_counter() < self._notice_until:
            notices.append(self._notice)
        if self.has_window:
            notices.append(KEYS)
        return panel_lines(self._network, shown.inference, shown.statistics, len(shown.poses), notices)

    def _save(self) -> None:
        if self._shown is None:
            return
        path = Path(f"pose-{self._shown.inference.frame.index:06d}.png")
        try:
            write_image(path, self._picture)
            self.notice(f"saved {path}")
        except DemoError as error:
            self.notice(str(error))

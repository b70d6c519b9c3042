"""What the viewer sees: the annotated picture in the window and in the output, the panel, and what just happened."""

import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

from .capture import Capture
from .decode import Pose
from .devices import DeviceCycle
from .draw import draw
from .errors import DemoError
from .files import free_name
from .inference import Estimator, Inference
from .network import PoseNetwork
from .panel import KEYS, Line, PanelPlace, comparison_lines, cycle_line, panel_lines, profile_lines
from .stats import LastSecond, RunStatistics
from .terminal import say
from .window import Key, NoWindow
from .writer import NoWriter, write_image

NOTICE_WIDTH = 60  # characters of a line
DEFAULT_DISPLAY_FPS = 60.0
REPAINT_S = 0.5  # at the latest, of a picture that stands still
NOTICE_S = 4.0  # how long the panel keeps saying what just happened


class Viewer:
    """Draws, shows and writes pictures, and draws the last one anew when the panel has something else to say.

    Every result is drawn in the output; the window is painted no more often than a display can show.
    """

    def __init__(
        self,
        window: NoWindow,
        writer: NoWriter,
        network: PoseNetwork,
        estimator: Estimator,
        capture: Capture,
        devices: DeviceCycle,
        statistics: RunStatistics,
        display_fps: float = DEFAULT_DISPLAY_FPS,
    ) -> None:
        self.is_paused = False
        self.has_window = window.is_shown
        self.keeps_picture = window.is_shown and capture.frame_count == 1  # a single image stays until a key
        self._window, self._writer, self._network, self._estimator = window, writer, network, estimator
        self._capture, self._devices, self._statistics = capture, devices, statistics
        self._has_panel, self._has_comparison, self._has_profile = True, False, False
        self._profile = statistics.profile
        self._paint_interval_s = 1 / display_fps
        self._paint_due_at = self._poll_due_at = 0.0
        self._is_painted = False
        self._painted = LastSecond()
        self._notice, self._notice_until = "", 0.0
        self._shown: tuple[Inference, Sequence[Pose]] | None = None
        self._lines: list[Line] = []
        self._drawn_at = 0.0
        self._place = PanelPlace()

    def show(self, inference: Inference, poses: Sequence[Pose]) -> None:
        """A new result: draw it, show it unless the last one is only just there, write it."""
        self._shown = inference, poses
        self._is_painted = False
        now = time.perf_counter()
        self._place.update(poses, inference.frame.image.shape[1::-1], now)
        is_due = self.has_window and now >= self._paint_due_at
        if is_due or self._writer.is_open or not self.has_window:
            self._draw()
        if is_due:
            self._paint()
        with self._profile.stage("write"):
            self._writer.write(inference.frame, self._picture)

    def poll_key(self, stands_still: bool) -> Key | int | None:
        """Handle the keys that concern the picture alone, and return the others: a Key, or the number of a device.

        stands_still: no new result is to be expected, so there is time to wait for a key.
        """
        now = time.perf_counter()
        if not self.has_window or (now < self._poll_due_at and not stands_still):
            return None
        self._poll_due_at = now + self._paint_interval_s
        with self._profile.stage("show"):  # that is when the window's toolkit paints
            key = self._window.poll_key(wait_ms=20 if stands_still else 0)
        if key is Key.PANEL:
            self._has_panel = not self._has_panel
        elif key is Key.COMPARE:
            self._has_comparison = not self._has_comparison
        elif key is Key.PROFILE:
            self._has_profile = not self._has_profile
        elif key is Key.SAVE:
            self._save()
        # Painted anew also without need: a window may have missed its first picture, and no other follows.
        is_due = not self._is_painted or time.perf_counter() > self._drawn_at + REPAINT_S
        if stands_still and self._shown is not None and (is_due or self._panel() != self._lines):
            self._draw()
            self._paint()
        return key

    def notice(self, text: str) -> None:
        """Tell the viewer what just happened, on the terminal and for a while in the panel."""
        say(text)
        self._notice, self._notice_until = text, time.perf_counter() + NOTICE_S

    def _draw(self) -> None:
        assert self._shown is not None
        inference, poses = self._shown
        with self._profile.stage("draw"):
            self._lines = self._panel()
            # Only a window may want to draw the same frame again.
            in_place = not self.has_window
            self._picture = draw(inference.frame.image, poses, self._lines, self._place.corner, in_place)

    def _paint(self) -> None:
        with self._profile.stage("show"):
            self._window.show(self._picture)
        self._is_painted = True
        self._drawn_at = time.perf_counter()
        self._painted.add(self._drawn_at, 0.0)
        is_in_step = self._drawn_at - self._paint_due_at < self._paint_interval_s
        self._paint_due_at = (self._paint_due_at if is_in_step else self._drawn_at) + self._paint_interval_s

    def _panel(self) -> list[Line]:
        if not self._has_panel or self._shown is None or not (self.has_window or self._writer.is_open):
            return []
        inference, poses = self._shown
        figures = self._statistics.devices[inference.compiled.device]
        painted_fps = self._painted.fps() if self.has_window else None
        lines = panel_lines(self._network, inference, figures, len(poses), painted_fps)
        if self._has_profile:
            lines += profile_lines(self._profile.recent_ms())
        if self._has_comparison:
            lines += comparison_lines(list(self._statistics.devices.values()))
        if self._capture.dropped:
            lines.append(Line(f"{self._capture.dropped} frames dropped to keep up with the source"))
        if self._estimator.compiling is not None:
            lines.append(Line("compiling {} ... {:.0f} s".format(*self._estimator.compiling)))
        if time.perf_counter() < self._notice_until:
            lines += [Line(part) for part in textwrap.wrap(self._notice, NOTICE_WIDTH)]
        if self.is_paused:
            lines.append(Line("paused"))
        if self.has_window:
            lines += [cycle_line(self._devices.devices, self._devices.target, self._devices.failed), Line(KEYS)]
        return lines

    def _save(self) -> None:
        if self._shown is None:
            return
        path = free_name(Path(f"pose-{self._shown[0].frame.index:06d}.png"))
        self._draw()
        try:
            write_image(path, self._picture)
            self.notice(f"saved {path}")
        except DemoError as error:
            self.notice(str(error))

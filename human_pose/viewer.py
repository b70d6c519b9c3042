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
from .inference import Estimator, Inference
from .network import PoseNetwork
from .panel import KEYS, Line, PanelPlace, comparison_lines, cycle_line, panel_lines
from .stats import RunStatistics
from .terminal import say
from .window import Key, NoWindow
from .writer import NoWriter, write_image

NOTICE_WIDTH = 60  # characters of a line
REPAINT_S = 0.5  # at the latest, of a picture that stands still
NOTICE_S = 4.0  # how long the panel keeps saying what just happened


class Viewer:
    """Draws, shows and writes pictures, and draws the last one anew when the panel has something else to say."""

    def __init__(
        self,
        window: NoWindow,
        writer: NoWriter,
        network: PoseNetwork,
        estimator: Estimator,
        capture: Capture,
        devices: DeviceCycle,
        statistics: RunStatistics,
    ) -> None:
        self.is_paused = False
        self.has_window = window.is_shown
        self.keeps_picture = window.is_shown and capture.frame_count == 1  # a single image stays until a key
        self._window, self._writer, self._network, self._estimator = window, writer, network, estimator
        self._capture, self._devices, self._statistics = capture, devices, statistics
        self._has_panel, self._has_comparison = True, False
        self._notice, self._notice_until = "", 0.0
        self._shown: tuple[Inference, Sequence[Pose]] | None = None
        self._lines: list[Line] = []
        self._drawn_at = 0.0
        self._place = PanelPlace()

    def show(self, inference: Inference, poses: Sequence[Pose]) -> None:
        """A new result: draw it, show it, write it."""
        self._shown = inference, poses
        self._place.update(poses, inference.frame.image.shape[1::-1], time.perf_counter())
        self._draw()
        self._writer.write(inference.frame, self._picture)

    def poll_key(self, stands_still: bool) -> Key | int | None:
        """Handle the keys that concern the picture alone, and return the others: a Key, or the number of a device.

        stands_still: no new result is to be expected, so there is time to wait for a key.
        """
        key = self._window.poll_key(wait_ms=20 if stands_still else 0)
        if key is Key.PANEL:
            self._has_panel = not self._has_panel
        elif key is Key.COMPARE:
            self._has_comparison = not self._has_comparison
        elif key is Key.SAVE:
            self._save()
        # Painted anew also without need: a window may have missed its first picture, and no other follows.
        is_due = time.perf_counter() > self._drawn_at + REPAINT_S
        if stands_still and self._shown is not None and (is_due or self._panel() != self._lines):
            self._draw()
        return key

    def notice(self, text: str) -> None:
        """Tell the viewer what just happened, on the terminal and for a while in the panel."""
        say(text)
        self._notice, self._notice_until = text, time.perf_counter() + NOTICE_S

    def _draw(self) -> None:
        assert self._shown is not None
        inference, poses = self._shown
        self._lines = self._panel()
        self._picture = draw(inference.frame.image, poses, self._lines, self._place.corner)
        self._window.show(self._picture)
        self._drawn_at = time.perf_counter()

    def _panel(self) -> list[Line]:
        if not self._has_panel or self._shown is None:
            return []
        inference, poses = self._shown
        figures = self._statistics.devices[inference.compiled.device]
        lines = panel_lines(self._network, inference, figures, len(poses))
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
        path = Path(f"pose-{self._shown[0].frame.index:06d}.png")
        try:
            write_image(path, self._picture)
            self.notice(f"saved {path}")
        except DemoError as error:
            self.notice(str(error))

"""The program in a real window: keys are pressed, the screen is read."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import mss
import numpy as np
import Xlib.display
import Xlib.protocol.event
import Xlib.X

from human_pose.demo.panel import Style, Text
from human_pose.demo.panel_picture import LOOKS, panel_picture

ROOT = Path(__file__).resolve().parents[2]
TITLE = "Human pose estimation"
PATIENCE_S = 60
MAP_AGAIN_S = 4.0  # a window that is black for so long never got its first picture
TITLE_COLOUR = LOOKS[Style.TITLE].colour


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


class Demo:
    """The demo in its window, and what a person does with it."""

    def __init__(
        self,
        screen: str,
        folder: Path,
        *arguments: object,
        script: Path | None = None,
        env: dict[str, str] | None = None,
        command: Sequence[object] = (),
    ) -> None:
        """screen: the display's name. folder: where it runs, and writes its report. env: changes its environment.

        command: the demo that is started, without arguments; this project's, with a report, unless given.
        """
        self._environment = {**os.environ, **(env or {}), "DISPLAY": screen, "PYTHONFAULTHANDLER": "1"}
        self._screen = screen
        self._map_again_at = time.monotonic() + MAP_AGAIN_S
        of_this_project = [sys.executable, script or ROOT / "human_pose_est.py", "--report", folder / "r.json"]
        self.process = subprocess.Popen(
            [str(part) for part in [*(command or of_this_project), *arguments]],
            cwd=folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def xdotool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def press(self, key: str) -> None:
        self.xdotool("key", key)

    def has_window(self) -> bool:
        return self.xdotool("search", "--name", TITLE) != ""

    def picture(self) -> np.ndarray:
        """The screen, (h, w, 3) uint8 BGR."""
        with mss.MSS(display=self._screen) as screen:  # afresh each time: nothing of an earlier picture can remain
            return np.ascontiguousarray(np.array(screen.grab(screen.monitors[0]))[..., :3])

    def pixels_of(self, colour: tuple[int, int, int]) -> int:
        return cv2.countNonZero(near(self.picture(), colour, 11))

    def is_painted(self, with_panel: bool) -> bool:
        """Whether the window shows a picture, `with_panel` or not.

        Where there is no window manager, Qt sometimes misses that its window was mapped, and never paints it: a window
        that is still black is mapped once more.
        """
        if self.pixels_of(TITLE_COLOUR) > 20 if with_panel else self.picture().any():
            return True
        if time.monotonic() > self._map_again_at and (window := self.xdotool("search", "--name", TITLE)):
            self.xdotool("windowunmap", "--sync", window, "windowmap", "--sync", window)
            self._map_again_at = time.monotonic() + MAP_AGAIN_S
        return False

    def shows(self, device: str, runs_on: str = "") -> bool:
        """Whether the panel names the device, letter for letter, and says where it runs."""
        return all(self._shows_line(text, style) for text, style in ((device, Style.TITLE), (runs_on, Style.SMALL)))

    def shows_small(self, text: str) -> bool:
        """Whether a line in small letters is in the panel."""
        return self._shows_line(text, Style.SMALL)

    def _shows_line(self, text: str, style: Style) -> bool:
        if not text:
            return True
        # OutputLog by itself, the same text has the same pixels.
        panel = panel_picture((Text(text, style), Text("1.0 FPS")), (960, 720))
        assert panel is not None
        expected = letters(panel[: panel.shape[0] // 2, 8:], style)  # without the panel's coloured edge
        rows, columns = np.nonzero(expected)
        margin = 6  # of nothing around it, so that no part of a longer text matches
        box = np.pad(
            expected[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], ((0, 0), (margin, margin))
        )
        shown = np.pad(letters(self.picture(), style), margin)
        rows, columns = np.nonzero(shown)
        if not len(rows):
            return False
        # Only where there are letters, which is a small part of the screen.
        part = shown[rows.min() : rows.max() + 1, columns.min() - margin : columns.max() + 1 + margin]
        if part.shape[0] < box.shape[0] or part.shape[1] < box.shape[1]:
            return False
        return float(cv2.matchTemplate(part, box, cv2.TM_CCOEFF_NORMED).max()) > 0.9

    def stands_still(self) -> bool:
        before = self.picture()
        time.sleep(0.6)
        return bool((before == self.picture()).all())

    def close(self) -> None:
        """Ask the window to close, as a click on its frame does."""
        connection = Xlib.display.Display(self._environment["DISPLAY"])
        window = connection.create_resource_object("window", int(self.xdotool("search", "--name", TITLE)))
        delete = [connection.intern_atom("WM_DELETE_WINDOW"), Xlib.X.CurrentTime, 0, 0, 0]
        protocols = connection.intern_atom("WM_PROTOCOLS")
        window.send_event(Xlib.protocol.event.ClientMessage(window=window, client_type=protocols, data=(32, delete)))
        connection.sync()
        connection.close()

    def quit(self, key: str = "Escape") -> str:
        """Press a key that quits; returns what was printed."""
        self.press(key)
        output, errors = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, errors
        return output


def near(picture: np.ndarray, colour: tuple[int, int, int], most: int) -> np.ndarray:
    """Mask of what differs from a colour by so much at most in each channel, (h, w) uint8: 0 or 255."""
    bounds = [np.clip(np.add(colour, step), 0, 255) for step in (-most, most)]
    return cv2.inRange(picture, *bounds)


def letters(picture: np.ndarray, style: Style) -> np.ndarray:
    """Mask of the letters of a style, (h, w) float32."""
    return near(picture, LOOKS[style].colour, 39).astype(np.float32)

"""The window of an exhibition: it fills the screen, says what is seen, and is left only by a key that is held."""

import time

import cv2
import numpy as np

from .kiosk_picture import add_caption, caption_height
from .screen import screen_size
from .window import DesktopWindow, Key, key_of

LEAVES_AFTER_S = 2.0  # ESC is held so long
FIRST_REPEAT_S = 1.0  # a held key comes again after this time at most, as the desktop is set
RELEASED_S = 0.15  # and then so often that silence for this time means that it was released
VISITORS_KEYS = (Key.WORK, Key.DETAILS)
ESC = 0x1B


class HeldKey:
    """Tells from a key's repeated codes how long it is held. Who only taps it lets it rest between two taps."""

    def __init__(self) -> None:
        self._since = self._last = 0.0
        self._count = 0

    def held_s(self, is_pressed: bool, now: float) -> float:
        """Tell whether the key came at a poll at the time `now`, in s. Returns for how long it is held by now."""
        if is_pressed:
            if self._count == 0:
                self._since = now
            self._count += 1
            self._last = now
        elif now - self._last > (FIRST_REPEAT_S if self._count == 1 else RELEASED_S):
            self._count = 0
        return now - self._since if self._count > 1 else 0.0

    def release(self) -> None:
        """Another key was pressed, which ends the repetition."""
        self._count = 0


class KioskWindow(DesktopWindow):
    """A window over the whole screen, with a caption under the picture. If it is closed, it opens again.

    `is_left` tells that ESC was held for LEAVES_AFTER_S; then poll_key returns Key.QUIT. Of other keys it returns only
    VISITORS_KEYS.
    """

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.caption = ""
        self.is_left = False
        self._esc = HeldKey()

    def picture_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """The size of the screen without the caption, whatever the frame's size."""
        if self._size is None:
            self._size = screen_size()
        width, height = super().picture_size(frame_size)
        return width, height - caption_height(height)

    def show(self, image: np.ndarray) -> None:
        """Show a picture of picture_size above the caption."""
        assert self._size is not None
        super().show(add_caption(image, self.caption, caption_height(self._size[1])))

    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        if not self._is_open:
            return None
        code = self._poll(wait_ms)
        now = time.perf_counter()
        if code >= 0 and code & 0xFFFF != ESC:
            self._esc.release()
            key = key_of(code)
            return key if key in VISITORS_KEYS else None
        if self._esc.held_s(code >= 0, now) >= LEAVES_AFTER_S:
            self.is_left = True
        return Key.QUIT if self.is_left else None

    def _open(self, width: int, height: int) -> None:
        super()._open(width, height)
        cv2.moveWindow(self._title, 0, 0)  # where no window manager does what the next line asks for
        cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_FULLSCREEN)

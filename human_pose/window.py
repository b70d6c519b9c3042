"""The window: shows pictures and gives the keys that were pressed in it."""

import ctypes
import ctypes.util
import enum
import sys
from types import TracebackType

import cv2
import numpy as np

LARGEST_AT_START = (1280, 800)  # width, height of the window, in pixels; the viewer may change it


class Key(enum.Enum):
    QUIT = "quit"
    NEXT_DEVICE = "next device"
    PREVIOUS_DEVICE = "previous device"
    PAUSE = "pause"
    PANEL = "panel"
    COMPARE = "compare"
    PROFILE = "profile"
    SAVE = "save"


_LETTERS = {
    "q": Key.QUIT,
    "h": Key.PANEL,
    "c": Key.COMPARE,
    "p": Key.PROFILE,
    "s": Key.SAVE,
    " ": Key.PAUSE,
    "\x1b": Key.QUIT,
}
_SHIFT_TABS = (0x0B, 0x19, 0xFE20)  # in Qt's windows, in those of macOS, in those of X


def key_of(code: int) -> Key | int | None:
    """What a key code of OpenCV means: a Key, the number of a device, or nothing."""
    code &= 0xFFFF  # above are the states of Shift, Num Lock, ...
    if code in _SHIFT_TABS:
        return Key.PREVIOUS_DEVICE
    if code == 0x09:
        return Key.NEXT_DEVICE
    if code > 0x7F:
        return None
    character = chr(code).lower()
    return int(character) if character.isdecimal() and character != "0" else _LETTERS.get(character)


class NoWindow:
    """Stands in where nothing is to be shown: nobody sees the picture and nobody presses a key."""

    is_shown = False

    def __enter__(self) -> "NoWindow":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, image: np.ndarray) -> None:
        pass

    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        return None


class Window(NoWindow):
    """A window of the desktop. Use it as a context manager."""

    is_shown = True

    def __init__(self, title: str) -> None:
        self._title = title
        self._is_open = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open:
            cv2.destroyAllWindows()

    def show(self, image: np.ndarray) -> None:
        """image: (h, w, 3) uint8 BGR."""
        if not self._is_open:
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            height, width = image.shape[:2]
            scale = min(1.0, LARGEST_AT_START[0] / width, LARGEST_AT_START[1] / height)
            cv2.resizeWindow(self._title, max(1, round(width * scale)), max(1, round(height * scale)))
            self._is_open = True
        cv2.imshow(self._title, image)

    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        """The key pressed since the last call, waiting for one up to wait_ms; a closed window counts as QUIT."""
        if not self._is_open:
            return None
        code = cv2.waitKeyEx(wait_ms) if wait_ms > 0 else cv2.pollKey()
        if not self._is_visible():
            self._is_open = False
            return Key.QUIT
        return key_of(code) if code >= 0 else None

    def _is_visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # Qt's way to say that its last window was closed
            return False


def why_no_window() -> str | None:
    """Why no window can be opened here; None if one can.

    Asked beforehand, because the window toolkit ends the whole process where it finds no display.
    """
    if "GUI:                           NONE" in cv2.getBuildInformation():
        return "opencv-python-headless is installed, which has no windows"
    if sys.platform.startswith("linux"):
        return _why_no_x_display()
    return None


def _why_no_x_display() -> str | None:
    library = ctypes.util.find_library("xcb") or "libxcb.so.1"
    try:
        xcb = ctypes.CDLL(library)
    except OSError:
        return "the system library libxcb1 is missing"
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    has_error = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return "there is no display" if has_error else None


def open_window(title: str, is_wanted: bool) -> NoWindow:
    """The window, or its stand-in."""
    return Window(title) if is_wanted else NoWindow()

"""The window: shows pictures and returns the keys pressed in it."""

import abc
import contextlib
import enum
from types import TracebackType

import cv2
import numpy as np

from .screen import room_for_window

LARGEST_AT_START = (1280, 800)  # width, height of the window in pixels; the user may resize it
SMALL = (960, 720)  # width, height; a smaller picture is enlarged, so that the panel covers less of it
BESIDE = 280  # pixels beside an upright picture, for the panel
SMALLEST = 32  # pixels; a window that reports less is not open yet


class Key(enum.Enum):
    QUIT = "quit"
    NEXT_DEVICE = "next device"
    PREVIOUS_DEVICE = "previous device"
    NEXT_PRECISION = "next precision"
    NEXT_HINT = "next hint"
    NEXT_NETWORK = "next network"
    LARGER = "larger"
    SMALLER = "smaller"
    PAUSE = "pause"
    PANEL = "panel"
    COMPARE = "compare"
    PROFILE = "profile"
    DETAILS = "details"
    SAVE = "save"
    COLOURS = "colours"
    WORK = "work"
    RACE = "race"
    BEST = "best"


_LETTERS = {
    "q": Key.QUIT,
    "h": Key.PANEL,
    "c": Key.COMPARE,
    "p": Key.PROFILE,
    "i": Key.DETAILS,
    "s": Key.SAVE,
    "l": Key.COLOURS,
    "f": Key.NEXT_PRECISION,
    "t": Key.NEXT_HINT,
    "n": Key.NEXT_NETWORK,
    "+": Key.LARGER,
    "=": Key.LARGER,
    "-": Key.SMALLER,
    "_": Key.SMALLER,
    "v": Key.WORK,
    "r": Key.RACE,
    "b": Key.BEST,
    " ": Key.PAUSE,
    "\x1b": Key.QUIT,
}
_KEYPAD = {0xFFAB: Key.LARGER, 0xFFAD: Key.SMALLER}  # of X: plus and minus
_SHIFT_TABS = (0x0B, 0x19, 0xFE20)  # in Qt's windows, in those of macOS, in those of X


def key_of(code: int) -> Key | int | None:
    """The meaning of OpenCV's key code: a Key, the number of a device, or None."""
    code &= 0xFFFF  # the higher bits are the states of Shift, Num Lock, ...
    if code in _SHIFT_TABS:
        return Key.PREVIOUS_DEVICE
    if code == 0x09:
        return Key.NEXT_DEVICE
    if code > 0x7F:
        return _KEYPAD.get(code)
    character = chr(code).lower()
    return int(character) if character.isdecimal() and character != "0" else _LETTERS.get(character)


class Window(contextlib.AbstractContextManager["Window"], abc.ABC):
    """Shows pictures and returns pressed keys. Use it as a context manager."""

    is_shown: bool

    @abc.abstractmethod
    def picture_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the picture to show for frames of `frame_size` (width, height)."""

    @abc.abstractmethod
    def show(self, image: np.ndarray) -> None:
        """image: (h, w, 3) uint8 BGR, of the size that `picture_size` gave."""

    @abc.abstractmethod
    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        """The key pressed since the last call, waiting up to wait_ms for one; None if none. A closed window is QUIT."""


class NullWindow(Window):
    """The stand-in for a run without a window: shows nothing and gives no key."""

    is_shown = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def picture_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        return frame_size

    def show(self, image: np.ndarray) -> None:
        pass

    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        return None


class DesktopWindow(Window):
    """A window on the desktop, with OpenCV."""

    is_shown = True

    def __init__(self, title: str) -> None:
        self._title = title
        self._size: tuple[int, int] | None = None
        self._is_open = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open:
            cv2.destroyAllWindows()

    def picture_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """The size of the window, so that OpenCV does not scale again; at first, a size that suits frame and screen."""
        if self._size is None:
            self._size = size_at_start(frame_size, room_for_window())
        elif self._is_open:
            _, _, width, height = cv2.getWindowImageRect(self._title)
            if min(width, height) >= SMALLEST:
                self._size = (width, height)
        return self._size

    def show(self, image: np.ndarray) -> None:
        if not self._is_open:
            self._open(image.shape[1], image.shape[0])
            self._is_open = True
        cv2.imshow(self._title, image)

    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        if not self._is_open:
            return None
        code = self._poll(wait_ms)
        if not self._is_open:
            return Key.QUIT
        return key_of(code) if code >= 0 else None

    def _open(self, width: int, height: int) -> None:
        """Open the window for a picture of a size."""
        # The caller keeps the frame's aspect ratio; the toolkit would keep that of the first picture.
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(self._title, width, height)

    def _poll(self, wait_ms: int) -> int:
        """OpenCV's code of a key, -1 for none. Notices when the window was closed."""
        code = cv2.waitKeyEx(wait_ms) if wait_ms > 0 else cv2.pollKey()
        self._is_open = self._is_visible()
        return code

    def _is_visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # Qt raises it when its last window was closed
            return False


def size_at_start(frame_size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a new window's picture. room: the maximum that fits the screen, (width, height).

    A large frame is reduced, a small one enlarged; an upright one gets a margin beside it for the panel.
    """
    width, height = frame_size
    room = min(room[0], LARGEST_AT_START[0]), min(room[1], LARGEST_AT_START[1])
    enlarged = max(1.0, min(SMALL[0] / width, SMALL[1] / height))
    scale = min(enlarged, room[0] / width, room[1] / height)
    shown = max(1, round(width * scale)), max(1, round(height * scale))
    return min(room[0], shown[0] + BESIDE) if height > width else shown[0], shown[1]


def open_window(title: str, is_wanted: bool) -> Window:
    """A window, or its stand-in if none is wanted."""
    return DesktopWindow(title) if is_wanted else NullWindow()

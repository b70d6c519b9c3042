"""The display: whether there is one, and how large a window may be."""

import ctypes
import ctypes.util
import sys
from pathlib import Path
from typing import Any

import cv2

DEFAULT_WORK_AREA = (1280, 720)  # width, height in pixels, where the system does not report it
FRAME = (16, 48)  # width and height in pixels of the borders and the title bar of a window
CARDINAL = 6  # the type of a property in X11
AREA_VALUES = 4  # x, y, width, height
QT_PLUGIN = Path(cv2.__file__).parent / "qt" / "plugins" / "platforms" / "libqxcb.so"
SPI_GETWORKAREA = 0x30  # a constant of Windows


class _XScreen(ctypes.Structure):
    """The start of xcb_screen_t."""

    _fields_ = (("root", ctypes.c_uint32), ("_masks", ctypes.c_uint32 * 4),
                ("width", ctypes.c_uint16), ("height", ctypes.c_uint16))  # fmt: skip


class _XScreens(ctypes.Structure):
    """xcb_screen_iterator_t."""

    _fields_ = (("data", ctypes.POINTER(_XScreen)), ("rem", ctypes.c_int), ("index", ctypes.c_int))


class _XAtom(ctypes.Structure):
    """The start of xcb_intern_atom_reply_t."""

    _fields_ = (("_head", ctypes.c_uint32 * 2), ("atom", ctypes.c_uint32))


class _XProperty(ctypes.Structure):
    """xcb_get_property_reply_t and the `value_count` numbers that follow it."""

    _fields_ = (("_head", ctypes.c_uint32 * 4), ("value_count", ctypes.c_uint32), ("_pad", ctypes.c_uint8 * 12),
                ("values", ctypes.c_uint32 * AREA_VALUES))  # fmt: skip


def why_no_window() -> str | None:
    """Why no window can be opened here; None if one can.

    This is checked first, because the window toolkit ends the process if it finds no display or misses a library.
    """
    if "GUI:                           NONE" in cv2.getBuildInformation():
        return "opencv-python-headless is installed, which has no windows"
    if sys.platform.startswith("linux"):
        return _why_no_x_display()
    return None


def room_for_window() -> tuple[int, int]:
    """The maximum width and height in pixels of a window's picture, so that the complete window fits the screen."""
    width, height = _work_area() or DEFAULT_WORK_AREA
    return max(1, width - FRAME[0]), max(1, height - FRAME[1])


def screen_size() -> tuple[int, int]:
    """Width and height of the screen in pixels, for a window that fills it."""
    if sys.platform == "win32":
        metrics = ctypes.windll.user32.GetSystemMetrics
        return metrics(0), metrics(1)
    return (_x_area(with_panels=True) if sys.platform.startswith("linux") else None) or DEFAULT_WORK_AREA


def _work_area() -> tuple[int, int] | None:
    """Width and height of the screen without its panels; None if the system does not report it."""
    if sys.platform == "win32":
        rectangle = (ctypes.c_long * 4)()  # left, top, right, bottom
        if ctypes.windll.user32.SystemParametersInfoW(SPI_GETWORKAREA, 0, rectangle, 0):
            return rectangle[2] - rectangle[0], rectangle[3] - rectangle[1]
        return None
    return _x_area() if sys.platform.startswith("linux") else None


def _xcb() -> Any:
    """The X11 library; None if it is not installed."""
    try:
        return ctypes.CDLL(ctypes.util.find_library("xcb") or "libxcb.so.1")
    except OSError:
        return None


def _connect(xcb: Any) -> ctypes.c_void_p | None:
    """A connection to the display, to be closed with xcb_disconnect; None if there is none."""
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    if xcb.xcb_connection_has_error(connection):
        xcb.xcb_disconnect(connection)
        return None
    return connection


def _why_no_x_display() -> str | None:
    xcb = _xcb()
    if xcb is None:
        return "the system library libxcb.so.1 is missing"
    connection = _connect(xcb)
    if connection is None:
        return "there is no display"
    xcb.xcb_disconnect(connection)
    missing = _missing_library()
    return f"the system library {missing} is missing" if missing else None


def _missing_library() -> str | None:
    """The library that Qt's plugin for X11 lacks; importing OpenCV does not need it. None: it can be loaded."""
    if not QT_PLUGIN.is_file():  # another build of OpenCV
        return None
    try:
        ctypes.CDLL(str(QT_PLUGIN))
    except OSError as error:
        return str(error).split(":")[0]
    return None


def _x_area(with_panels: bool = False) -> tuple[int, int] | None:
    """Width and height from the window manager's _NET_WORKAREA; without one, or `with_panels`, of the full screen."""
    xcb = _xcb()
    connection = _connect(xcb) if xcb is not None else None
    if connection is None:
        return None
    try:
        xcb.xcb_get_setup.restype = ctypes.c_void_p
        xcb.xcb_setup_roots_iterator.restype = _XScreens
        setup = ctypes.c_void_p(xcb.xcb_get_setup(connection))
        screen = xcb.xcb_setup_roots_iterator(setup).data.contents
        if with_panels:
            return screen.width, screen.height
        atom = _reply(xcb, connection, "xcb_intern_atom", _XAtom, 1, 13, b"_NET_WORKAREA")
        if atom is not None and atom.atom:
            area = _reply(xcb, connection, "xcb_get_property", _XProperty, 0, screen.root, atom.atom, CARDINAL, 0,
                          AREA_VALUES)  # fmt: skip
            if area is not None and area.value_count == AREA_VALUES:
                return area.values[2], area.values[3]
        return screen.width, screen.height
    finally:
        xcb.xcb_disconnect(connection)


def _reply(xcb: Any, connection: ctypes.c_void_p, request: str, kind: Any, *arguments: Any) -> Any:
    """Send a request to the display; returns the reply as a structure, None if there is none."""
    ask, answer = getattr(xcb, request), getattr(xcb, f"{request}_reply")
    ask.restype = ctypes.c_uint32  # a cookie is a structure of this one number
    answer.restype = ctypes.POINTER(kind)
    found = answer(connection, ctypes.c_uint32(ask(connection, *arguments)), None)
    return found.contents if found else None

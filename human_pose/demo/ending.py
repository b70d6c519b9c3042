"""How the program ends: whatever asks it to, what it has written is closed first."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType

from ..console import handle_stop_signals, say

EXIT_CODE_INTERRUPTED = 130
LEAVE_AT_ONCE = "Ctrl-Break" if sys.platform == "win32" else "Ctrl-\\"


class Ending:
    """Takes the signals for the rest of the process.

    Before the run, Ctrl-C (a polite kill, the end of the terminal) raises KeyboardInterrupt, once. From `protect` on it
    interrupts nothing: files are being closed, which takes moments; the second one says so, and how to leave at once.
    """

    def __init__(self) -> None:
        self._is_protected = False
        self._count = 0
        self._before = handle_stop_signals(self._handle)

    def protect(self) -> None:
        """From now on nothing is interrupted."""
        self._is_protected = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._is_protected:
            self._is_protected = True
            raise KeyboardInterrupt
        self._count += 1
        if self._count == 1:
            # Not by `say`: the signal may have come in the middle of another line's being written.
            line = f"Closing the files, a moment please. {LEAVE_AT_ONCE} leaves at once, and the files as they are.\n"
            with contextlib.suppress(OSError):
                os.write(2, line.encode())

    def be_deaf(self) -> None:
        """The process's last step: no signal changes the exit code any more."""
        handle_stop_signals(signal.SIG_IGN)

    def give_back(self) -> None:
        """The last step within a process that goes on: signals mean what they meant before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


class DisplayWatch:
    """While it is entered, files are closed when the display goes away: the window's toolkit ends the process then.

    It calls C's exit(), which runs the functions that C's atexit has been given, the last one first, and nothing of
    Python's. To be used where the process ends by os._exit: after Python's end the function could not run.
    """

    def __init__(self, close: Callable[[], None]) -> None:
        """close: ends everything that is written, without the window."""
        self._close = close
        self._is_on = True
        self._callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._end)

    def __enter__(self) -> "DisplayWatch":
        if sys.platform.startswith("linux"):
            register = getattr(ctypes.CDLL(None), "__cxa_atexit", None)  # what atexit itself calls
            if register is not None:
                register(self._callback, None, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_on = False

    def _end(self, _: object) -> None:
        if self._is_on:
            self._is_on = False
            try:
                say("error: The display went away: the run ends here.")
                self._close()
            finally:
                os._exit(1)

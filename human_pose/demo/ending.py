"""How the program ends: whatever ends it, the output files are closed first."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType

from ..console import handle_stop_signals, say
from ..errors import DemoError, explain_path_error

EXIT_CODE_INTERRUPTED = 130
LEAVE_AT_ONCE = "Ctrl-Break" if sys.platform == "win32" else "Ctrl-\\"


def guarded(run: Callable[[], int]) -> int:
    """The exit code of a run. What a user can mend becomes one line, and its own exit code."""
    try:
        return run()
    except DemoError as error:
        say(f"error: {error}")
        return error.exit_code
    except OSError as error:  # the system rejects a path itself
        say(f"error: {explain_path_error(error)}")
        return 2
    except KeyboardInterrupt:
        say("interrupted")
        return EXIT_CODE_INTERRUPTED


class Ending:
    """Handles the stop signals until the process ends.

    Before `protect`, the first Ctrl-C (or SIGTERM, SIGHUP) raises KeyboardInterrupt. After it, signals interrupt
    nothing, because files are being closed, which takes a moment; the first of these prints how to leave at once.
    """

    def __init__(self) -> None:
        self._is_protected = False
        self._count = 0
        self._before = handle_stop_signals(self._handle)

    def protect(self) -> None:
        """From now on, signals interrupt nothing."""
        self._is_protected = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._is_protected:
            self._is_protected = True
            raise KeyboardInterrupt
        self._count += 1
        if self._count == 1:
            # Not with `say`: the signal may arrive while another line is being written.
            line = f"Closing the files, a moment please. {LEAVE_AT_ONCE} leaves at once, and the files as they are.\n"
            with contextlib.suppress(OSError):
                os.write(2, line.encode())

    def ignore_signals(self) -> None:
        """The last step before the process ends: no signal can change the exit code any more."""
        handle_stop_signals(signal.SIG_IGN)

    def restore_signals(self) -> None:
        """The last step in a process that continues: put the previous handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


class DisplayWatch:
    """While this context is entered, files are closed when the display disappears.

    Then the window's toolkit ends the process: it calls C's exit(), which runs the functions registered with C's
    atexit, but none of Python's. Use it only in a process that ends with os._exit: after Python has shut down, the
    registered function cannot run.
    """

    def __init__(self, close: Callable[[], None]) -> None:
        """close: closes the output files; it must not use the window."""
        self._close = close
        self._is_on = True
        self._callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._end)

    def __enter__(self) -> "DisplayWatch":
        if sys.platform.startswith("linux"):
            register = getattr(ctypes.CDLL(None), "__cxa_atexit", None)  # the function that atexit itself calls
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

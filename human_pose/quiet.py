"""Keep the lines that C libraries write to the terminal by themselves out of it: an error of the demo is one line."""

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator

# How the lines of libpng begin, and those of the logger of OpenVINO's TensorFlow frontend.
LIBRARY_LINES = (b"libpng ", b"WARNING: All log messages before absl::", b"E0000 ", b"W0000 ")

_lock = threading.Lock()


@contextlib.contextmanager
def hide_library_lines() -> Iterator[None]:
    """While it is entered, what is written to standard error is held back; afterwards all but LIBRARY_LINES follows.

    The libraries write to the file descriptor itself, so Python's own lines of other threads are held back, too.
    """
    with _lock, contextlib.ExitStack() as stack:
        try:
            terminal = os.dup(2)
        except OSError:  # started without standard error
            yield
            return
        stack.callback(os.close, terminal)
        held = stack.enter_context(tempfile.TemporaryFile())
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            held.seek(0)
            kept = b"".join(line for line in held if not line.startswith(LIBRARY_LINES))
            with contextlib.suppress(OSError):  # nobody reads it
                os.write(2, kept)

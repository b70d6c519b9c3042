"""Memory that was freed, back to the system."""

import contextlib
import ctypes
import sys


def return_memory() -> None:
    """Give freed memory back. The C library of Linux keeps it in pieces, more with every network and every video."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)

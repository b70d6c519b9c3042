"""Keep the memory of a program that runs for days flat."""

import contextlib
import ctypes
import sys

M_ARENA_MAX = -8  # of mallopt(3)
ARENAS = 2


def limit_arenas() -> None:
    """Let all threads share two heaps, in glibc; elsewhere nothing happens.

    Each race compiles two networks in threads of their own. glibc gives new threads heaps of their own, up to eight a
    core, and what is freed in one is not used by another: the memory in use stayed the same, the process grew.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)

"""The terminal: messages, results, the progress line, stop signals, and lines of libraries that are hidden."""

import contextlib
import io
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, TextIO

from .errors import DemoError


def say(line: str) -> None:
    """Print one line to standard error, so that standard output holds only results."""
    ProgressLine.clear()
    _write(f"{line}\n")


def _write(text: str) -> None:
    """Write to standard error. A full disk, a closed pipe or a closed terminal does not stop the program."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Discard everything written to a stream from now on, and what its buffer still holds."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_result(text: str) -> None:
    """Print results to standard output. A closed pipe (`| head`) or a full disk does not stop the program."""
    ProgressLine.clear()
    try:
        print(text, flush=True)
    except OSError:
        _silence(sys.stdout)


class _Messages(logging.Handler):
    """Prints each log record of the package as one line for the user."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"{'error: ' if record.levelno >= logging.ERROR else ''}{record.getMessage()}")


def show_messages() -> None:
    """Show the package's log messages and its progress line; without this call the library is silent."""
    package = logging.getLogger(__package__)
    if not any(isinstance(handler, _Messages) for handler in package.handlers):
        package.addHandler(_Messages())
    package.setLevel(logging.INFO)
    ProgressLine.is_on = True


def set_up_terminal() -> None:
    """The first step of every command: show messages, and make standard output and error safe to write to.

    If the program was started without one of them, it writes to the null device. Characters that the terminal's
    encoding lacks (as in a file's name) are written as escapes.
    """
    show_messages()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may hold characters that the terminal lacks


def run_command(command: Callable[[], int | None]) -> int:
    """Run a command and return its exit code. A DemoError becomes one line and its own exit code."""
    try:
        return command() or 0
    except DemoError as error:
        say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130


class ProgressLine:
    """One line of the terminal that is overwritten again and again; silent where the output is not a terminal."""

    is_on = False  # until show_messages is called
    _shown = ""

    def __init__(self, interval_s: float = 0.2) -> None:
        self._interval_s = interval_s
        self._due_at = 0.0

    @property
    def is_due(self) -> bool:
        return self.is_on and time.monotonic() >= self._due_at and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Replace the line's text with `text`, unless it was replaced less than interval_s ago."""
        if not self.is_due:
            return
        self._due_at = time.monotonic() + self._interval_s
        padding = " " * max(0, len(ProgressLine._shown) - len(text))
        ProgressLine._shown = text
        _write(f"\r{text}{padding}")

    @classmethod
    def clear(cls) -> None:
        """Empty the line, so that other output starts on an empty line."""
        if cls._shown:
            shown, cls._shown = cls._shown, ""
            _write("\r" + " " * len(shown) + "\r")


STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
INTERRUPTS_AFTER_S = 3.0


def handle_stop_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> dict[int, Any]:
    """Set `handler` for Ctrl-C, SIGTERM and SIGHUP (the terminal closes). Returns the previous handlers.

    Where SIGHUP is ignored, as under nohup, it stays ignored.
    """
    taken = [number for number in STOP_SIGNALS if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in taken}


class StopRequest:
    """While this context is entered, Ctrl-C (or SIGTERM, SIGHUP) asks the loop to end: the object becomes true.

    Further signals within INTERRUPTS_AFTER_S are ignored; a later one raises KeyboardInterrupt. Where one request is
    entered inside another, the outer one becomes true, too, when the inner one is left.
    """

    def __init__(self) -> None:
        self._asked_at: float | None = None

    def __bool__(self) -> bool:
        return self._asked_at is not None

    def __enter__(self) -> "StopRequest":
        self._before = handle_stop_signals(self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
            outer = getattr(handler, "__self__", None)
            if self and isinstance(outer, StopRequest):
                outer._asked_at = self._asked_at

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
        elif time.monotonic() - self._asked_at > INTERRUPTS_AFTER_S:
            raise KeyboardInterrupt


def run_progress(frames: int, in_source: int | None, limit: int | None, elapsed_s: float) -> str:
    """The progress of a run: frames so far, frames in all, time left. in_source, limit: None: unknown, unlimited."""
    frame_count = min((number for number in (in_source, limit) if number is not None), default=None)
    fps = frames / elapsed_s if elapsed_s > 0 else 0.0
    if frame_count is None or fps == 0 or frames > frame_count:  # the frame count in a file may be too low
        return f"frame {frames}, {fps:.1f} FPS"
    return f"frame {frames} of {frame_count}, {fps:.1f} FPS, {minutes((frame_count - frames) / fps)} left"


def minutes(seconds: float) -> str:
    """75.2 -> '1:15'."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


# The beginnings of lines that libpng and the logger of OpenVINO's TensorFlow frontend write.
LIBRARY_LINES = (b"libpng ", b"WARNING: All log messages before absl::", b"E0000 ", b"W0000 ")

_library_lines_lock = threading.Lock()


@contextlib.contextmanager
def hide_library_lines() -> Iterator[None]:
    """Hold standard error back while this context is entered; on leaving, write all of it but LIBRARY_LINES.

    The libraries write to the file descriptor itself, so lines that other threads write are held back, too.
    """
    with _library_lines_lock, contextlib.ExitStack() as stack:
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
            with contextlib.suppress(OSError):  # a closed pipe
                os.write(2, kept)

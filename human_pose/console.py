"""The terminal: what is said there, progress, signals that stop the program, and what libraries must not write."""

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
    """A line for the person at the terminal; the results, on standard output, stay free of it."""
    ProgressLine.clear()
    _tell(f"{line}\n")


def _tell(text: str) -> None:
    """Write to standard error; a full disk, a reader or a terminal that has gone away stops nothing."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Let what is written to a stream from now on, and what still waits in it, go nowhere."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_result(text: str) -> None:
    """Results for standard output; a reader that has gone away (`| head`), or a full disk, stops nothing else."""
    ProgressLine.clear()
    try:
        print(text, flush=True)
    except OSError:
        _silence(sys.stdout)


class _Messages(logging.Handler):
    """Says what the package logs: a line each, as a user reads it."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"{'error: ' if record.levelno >= logging.ERROR else ''}{record.getMessage()}")


def show_messages() -> None:
    """Show what the package logs, and progress; as a library it is silent."""
    package = logging.getLogger(__package__)
    if not any(isinstance(handler, _Messages) for handler in package.handlers):
        package.addHandler(_Messages())
    package.setLevel(logging.INFO)
    ProgressLine.is_on = True


def set_up_terminal() -> None:
    """What every command does first: show_messages, and streams that can be written to, whatever they are.

    A program that was started without standard output or error gets somewhere to write to. What the terminal's encoding
    does not have (a file's name in another script) is written as an escape.
    """
    show_messages()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may hold what the terminal cannot show


def run_command(command: Callable[[], int | None]) -> int:
    """Run a command. Returns its exit code: what the user can mend is one line, and the code that the error has."""
    try:
        return command() or 0
    except DemoError as error:
        say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130


class ProgressLine:
    """One line of the terminal that is written over and over; nothing where the output is no terminal."""

    is_on = False  # until a command says so
    _shown = ""

    def __init__(self, interval_s: float = 0.2) -> None:
        self._interval_s = interval_s
        self._due_at = 0.0

    @property
    def is_due(self) -> bool:
        return self.is_on and sys.stderr.isatty() and time.monotonic() >= self._due_at

    def show(self, text: str) -> None:
        """Write `text` in place of the line's last text, unless that is only just there."""
        if not self.is_due:
            return
        self._due_at = time.monotonic() + self._interval_s
        padding = " " * max(0, len(ProgressLine._shown) - len(text))
        ProgressLine._shown = text
        _tell(f"\r{text}{padding}")

    @classmethod
    def clear(cls) -> None:
        """Empty the line, so that other output starts on a clean one."""
        if cls._shown:
            shown, cls._shown = cls._shown, ""
            _tell("\r" + " " * len(shown) + "\r")


STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
INSISTS_AFTER_S = 3.0


def handle_stop_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> dict[int, Any]:
    """Let `handler` take Ctrl-C, a polite kill and the terminal's end. Returns the handlers before.

    Where SIGHUP is ignored, as under nohup, it stays so.
    """
    taken = [number for number in STOP_SIGNALS if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in taken}


class StopRequest:
    """While it is entered, Ctrl-C (a polite kill, the end of the terminal) asks the loop to end in order.

    A loop that has not ended INSISTS_AFTER_S later is interrupted by the next one; those before count as the first.
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

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
        elif time.monotonic() - self._asked_at > INSISTS_AFTER_S:
            raise KeyboardInterrupt


def run_progress(frames: int, in_source: int | None, limit: int | None, elapsed_s: float) -> str:
    """How far a run is: frames so far, how many there will be (None: not known, no limit), and the time left."""
    frame_count = min((number for number in (in_source, limit) if number is not None), default=None)
    fps = frames / elapsed_s if elapsed_s > 0 else 0.0
    if frame_count is None or fps == 0 or frames > frame_count:  # files may announce too few
        return f"frame {frames}, {fps:.1f} FPS"
    return f"frame {frames} of {frame_count}, {fps:.1f} FPS, {minutes((frame_count - frames) / fps)} left"


def minutes(seconds: float) -> str:
    """75.2 -> '1:15'."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


# How the lines of libpng begin, and those of the logger of OpenVINO's TensorFlow frontend.
LIBRARY_LINES = (b"libpng ", b"WARNING: All log messages before absl::", b"E0000 ", b"W0000 ")

_library_lines_lock = threading.Lock()


@contextlib.contextmanager
def hide_library_lines() -> Iterator[None]:
    """While it is entered, what is written to standard error is held back; afterwards all but LIBRARY_LINES follows.

    The libraries write to the file descriptor itself, so Python's own lines of other threads are held back, too.
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
            with contextlib.suppress(OSError):  # nobody reads it
                os.write(2, kept)

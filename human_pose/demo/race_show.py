"""Show a race in the window and write it: the loop of `--race` and of key R."""

import math
import time

from ..console import ProgressLine, StopRequest, run_progress
from ..media.capture import Capture, Frame
from ..media.writer import PictureWriter
from .race import Race
from .race_picture import FOOT, draw_race
from .window import Key, Window

REPAINT_S = 0.25  # a picture without new results is painted again after this time, for the figures
PAINT_FPS, VIDEO_FPS = 30.0, 30.0  # of the window at most, and of the output
WAIT_MS = 20  # maximum wait for a key in a pause


def show_race(
    race: Race,
    capture: Capture,
    window: Window,
    writer: PictureWriter,
    display_fps: float,
    frames: int | None = None,
    seconds: float | None = None,
    patience_s: float = math.inf,
    foot: float = FOOT,
) -> Key | None:
    """Run a race until a key, or so many frames or seconds of it, ends it. Returns the key: QUIT or RACE.

    patience_s: it also ends if the networks are not compiled by then. foot: the height of the figures, see FOOT.

    The output runs in real time, so that it shows how fast each is. Drawing and writing take some of the CPU from both
    sides; they are bounded to PAINT_FPS and VIDEO_FPS. Raises DeviceError if a device of the race fails.
    """
    painted_at, written = -1.0, 0
    began_at, ready_at = time.perf_counter(), None
    is_paused, progress = False, ProgressLine()
    output_size = size_of_output(capture.frame_size)
    with StopRequest() as stop:
        while not stop:
            now = time.perf_counter()
            if race.is_ready and ready_at is None:
                ready_at = now
            is_over = frames is not None and race.submitted >= frames
            is_over |= seconds is not None and ready_at is not None and now - ready_at >= seconds
            is_over |= capture.is_over or (ready_at is None and now - began_at >= patience_s)
            results = race.step(None if is_over or is_paused else capture.read)
            if is_over and race.is_idle:
                break
            if writer.is_open and ready_at is not None and now - ready_at >= written / VIDEO_FPS:
                written = int((now - ready_at) * VIDEO_FPS) + 1
                picture = draw_race(race, capture.first_image, output_size)
                writer.write(Frame(written - 1, picture, now), picture)
            if not window.is_shown:
                if progress.is_due and ready_at is not None:
                    progress.show(run_progress(race.submitted, None, frames, now - ready_at))
                continue
            if now - painted_at >= (1 / min(display_fps, PAINT_FPS) if results else REPAINT_S):
                size = window.picture_size(with_foot(capture.frame_size))
                window.show(draw_race(race, capture.first_image, size, foot))
                painted_at = now
                key = window.poll_key()
            else:
                key = window.poll_key(WAIT_MS) if is_paused else None
            if key in (Key.QUIT, Key.RACE):
                return key if isinstance(key, Key) else None
            if key is Key.PAUSE:
                is_paused = not is_paused
                capture.hold(is_paused)
                race.interrupt()
    progress.clear()
    return Key.QUIT if stop else None


def with_foot(frame_size: tuple[int, int]) -> tuple[int, int]:
    """The size of two frames side by side, with the figures under them; both (width, height)."""
    width, height = frame_size
    return 2 * width, round(height / (1 - FOOT))


def size_of_output(frame_size: tuple[int, int], widest: int = 1280) -> tuple[int, int]:
    """Width and height of the picture that is written, even numbers of pixels, as encoders want them."""
    width, height = with_foot(frame_size)
    scale = min(1.0, widest / width)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)

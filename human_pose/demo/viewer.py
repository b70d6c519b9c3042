"""Shows the annotated picture in the window, writes it to the output, and handles the keys for the picture."""

import time
from pathlib import Path

import numpy as np

from ..console import say
from ..errors import DemoError
from ..files import free_name
from ..inference.backend import Inference
from ..inference.estimator import Estimator
from ..media.capture import Capture
from ..media.writer import NullWriter, PictureWriter, write_image
from ..poses.draw import draw, draw_to_fit
from ..poses.labels import Marks
from .choices import Choices
from .networks import Networks
from .options import DEFAULT_DISPLAY_FPS
from .pacer import Pacer
from .panel_content import PARTS, Blocks, PanelContent, Result
from .panel_picture import LARGE_LETTERS, LETTERS, WIDEST, put_panel
from .panel_place import Box, PanelPlace, people_boxes
from .people import Seen
from .race import Race
from .race_show import show_race
from .statistics import RunStatistics
from .window import Key, Window
from .work_strip import WorkStrip

POLL_S = 1 / 30  # maximum time between two polls for keys; they are also polled after each paint
REPAINT_S = 0.5  # a picture that stands still is painted again after this time
STALE_S = 0.25  # an older picture is painted again if the panel has changed
LAST_PAINT_S = 0.2  # maximum time that the end of the run waits for the last result to be painted
WAIT_MS = 20  # maximum time to wait for a key while there is nothing else to do


class Viewer:
    """Draws, shows and writes pictures, and draws the last one again when the panel changes.

    Every result is drawn to the output, in the frame's size. The window has its own size, and is painted no more often
    than the display can show.
    """

    def __init__(
        self,
        window: Window,
        writer: PictureWriter,
        networks: Networks,
        estimator: Estimator,
        capture: Capture,
        choices: Choices,
        statistics: RunStatistics,
        display_fps: float = DEFAULT_DISPLAY_FPS,
        has_panel: bool = True,
        by_person: bool = False,
        has_work: bool = False,
        is_large: bool = False,
    ) -> None:
        """has_panel: whether the output has a panel, and the window until a key changes it.

        by_person: whether limbs have the colour of their person instead of their side's, has_work: whether pictures
        have the strip of the work, until a key changes it. is_large: whether the window's panel has large letters, and
        no list of keys and devices.
        """
        self._letters = LARGE_LETTERS if is_large else LETTERS
        self._had_work = has_work
        self._by_person, self._has_work, self._work = by_person, has_work, WorkStrip()
        self.is_paused = False
        self.has_window = window.is_shown
        self._window, self._writer, self._estimator, self._capture = window, writer, estimator, capture
        self._choices = choices
        self._profile = statistics.profile
        self._display_fps = display_fps
        self._pacer: Pacer[Result] = Pacer(display_fps)
        self._content = PanelContent(
            networks, estimator, capture, choices, statistics, has_panel, self._pacer.fps, not is_large
        )
        self._shown: Result | None = None  # in the window
        self._painted_blocks: Blocks = ()
        self._painted_at = self._poll_due_at = 0.0
        self._window_place, self._output_place = PanelPlace(), PanelPlace()

    @property
    def keeps_picture(self) -> bool:
        """Whether the window stays open after the last result: for a single image, or to paint a waiting result."""
        is_waiting = self._pacer.has_waiting and self._pacer.due_in(time.perf_counter()) < LAST_PAINT_S
        return self.has_window and (self._capture.frame_count == 1 or is_waiting)

    @property
    def painted(self) -> int:
        """How many results the window has shown."""
        return self._pacer.painted

    def show(self, inference: Inference, seen: Seen) -> None:
        """Take a new result: paint it when it is due, and write it."""
        self._work.add(inference)
        if self.has_window:
            self._pacer.add((inference, seen), time.perf_counter())
            self._paint_due()
        if self._writer.is_open or not self.has_window:
            # Without a window, a frame is drawn only once, so drawing may overwrite it.
            picture = self._draw_output((inference, seen), in_place=not self.has_window)
            with self._profile.stage("write"):
                self._writer.write(inference.frame, picture)

    def poll_key(self, stands_still: bool) -> Key | int | None:
        """Poll a key. Keys for the picture are handled here; returns every key: a Key, or a device's number.

        stands_still: no new result is expected, so there is time to wait for a key.
        """
        if not self.has_window:
            return None
        self._paint_due()
        now = time.perf_counter()
        stands_still |= self._shown is None and self._estimator.compiling is not None
        if now < self._poll_due_at and not stands_still:
            return None
        self._poll_due_at = now + POLL_S
        if self.is_paused:
            self._pacer.interrupt()
        until_due_ms = int(1000 * self._pacer.due_in(now)) if self._pacer.has_waiting else WAIT_MS
        with self._profile.stage("show"):  # the window's toolkit paints while it polls
            key = self._window.poll_key(wait_ms=max(1, min(WAIT_MS, until_due_ms)) if stands_still else 0)
        if key is Key.QUIT:  # the window may be closed: painting would open another
            return key
        if isinstance(key, int) and key > len(self._choices.devices):
            names = ", ".join(f"{number} {name}" for number, name in enumerate(self._choices.devices, 1))
            self.notice(f"There is no device {key}: the devices are {names}.")
            key = None
        elif key in PARTS:
            self._content.toggle(key)
        elif key is Key.COLOURS:
            self._by_person = not self._by_person
        elif key is Key.WORK:
            self._has_work = not self._has_work
        elif key is Key.SAVE and self._shown is not None:
            self._save(self._shown)
        self._paint_anew(stands_still, at_once=key in (*PARTS, Key.COLOURS, Key.WORK))
        return key

    def race(self, race: Race) -> Key | None:
        """Show a race in the window until a key ends it. Returns that key."""
        try:
            return show_race(race, self._capture, self._window, NullWriter(), self._display_fps)
        finally:
            self._painted_at = 0.0  # the window shows the race: paint anew

    def close_tables(self) -> None:
        """Undo what keys have opened in the panel, and the work: the picture is as at the start."""
        self._content.close_tables()
        self._has_work = self._had_work

    def notice(self, text: str) -> None:
        """Print a message on the terminal, and show it in the panel for a while."""
        say(text)
        self._content.notice(text)

    def _paint_due(self) -> None:
        """Paint the result that is due, if any."""
        result = self._pacer.take(time.perf_counter())
        if result is not None:
            self._shown = result
            self._paint(self._panel())

    def _paint_anew(self, stands_still: bool, at_once: bool) -> None:
        """Paint the picture again if the panel has changed, or if it stands still, so that the window stays intact."""
        age_s = time.perf_counter() - self._painted_at
        if self._shown is None and self._estimator.compiling is None:
            return  # there is nothing to show yet
        if at_once or age_s > STALE_S:
            panel = self._panel()
            if at_once or panel != self._painted_blocks or (stands_still and age_s > REPAINT_S):
                self._paint(panel)

    def _panel(self) -> Blocks:
        """The blocks of the window's panel."""
        return self._content.of_window(self._shown, self.is_paused)

    def _paint(self, panel: Blocks) -> None:
        """Paint the current result; before the first one, the source's first image."""
        if self._shown is not None:
            image, seen, place = self._shown[0].frame.image, self._shown[1], self._window_place
        else:  # the people are not known yet
            image, seen, place = self._capture.first_image, Seen((), ()), PanelPlace()
        now = time.perf_counter()
        with self._profile.stage("draw"):
            size = self._window.picture_size(image.shape[1::-1])
            room_at_left = int(size[0] * WIDEST) if panel else 0
            view = draw_to_fit(image, seen.shown, size, room_at_left, self._marks(seen))
            people = people_boxes(seen.shown, view.scale, (view.left, view.top))
            frame = Box(view.left, view.top, view.left + view.width, view.top + view.height)
            has_margins = (view.width, view.height) != size
            rest = self._put_work(view.picture, now)
            put_panel(rest, panel, place, people, now, frame if has_margins else None, self._letters)
        with self._profile.stage("show"):
            self._window.show(view.picture)
        self._painted_blocks, self._painted_at, self._poll_due_at = panel, now, 0.0

    def _draw_output(self, result: Result, in_place: bool = False) -> np.ndarray:
        """The frame in its own size with its skeletons, and with the panel if the picture is used."""
        inference, seen = result
        with self._profile.stage("draw"):
            picture = draw(inference.frame.image, seen.shown, in_place, self._marks(seen))
            if not in_place or self._writer.is_open:
                panel, now = self._content.of_output(result), time.perf_counter()
                rest = self._put_work(picture, now)
                put_panel(rest, panel, self._output_place, people_boxes(seen.shown), now)
        return picture

    def _put_work(self, picture: np.ndarray, now: float) -> np.ndarray:
        """Draw the strip of the work, if it is shown. Returns the part of the picture above it."""
        if not self._has_work:
            return picture
        return picture[: len(picture) - self._work.put(picture, now, self._estimator.running)]

    def _marks(self, seen: Seen) -> Marks:
        return seen.marks._replace(by_person=self._by_person)

    def _save(self, result: Result) -> None:
        path = free_name(Path(f"pose-{result[0].frame.index:06d}.png"))
        try:
            write_image(path, self._draw_output(result))
            self.notice(f"saved {path}")
        except DemoError as error:
            self.notice(str(error))

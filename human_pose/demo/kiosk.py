"""An exhibition, `--kiosk`: round the stops for ever, whatever happens to the source or to a device.

Each stop is shown by the loops of the demo and of its race; this module leads from one to the next.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import openvino as ov

from ..console import StopRequest, say
from ..errors import DemoError, UsageError
from ..inference.backend import DeviceError
from ..inference.configuration import Configuration
from ..inference.estimator import Estimator
from ..media.capture import Capture
from ..media.writer import NullWriter
from ..output_log import OutputLog
from ..poses.keypoint_files import NullKeypointWriter
from ..tracking.visit_files import NullVisitWriter
from .choices import Choices
from .explanations import explain
from .kiosk_picture import waiting_picture
from .kiosk_source import Opening, no_picture
from .kiosk_stops import Itinerary, Stop
from .kiosk_window import KioskWindow
from .networks import Networks, open_networks
from .people import People
from .race import Race
from .race_picture import LARGE_FOOT
from .race_show import show_race
from .statistics import RunStatistics
from .stay import GIVE_UP_S, Stay
from .viewer import Viewer

ASK_AGAIN_S = 2.0  # between two attempts to open a source that is gone
REPAINT_S = 0.25  # the waiting picture is painted again after this time
WAIT_MS = 20  # maximum wait for a key meanwhile


class Show(NamedTuple):
    """What shows configurations one after the other; a device that fails as the only one ends it."""

    estimator: Estimator
    choices: Choices
    viewer: Viewer


class Kiosk:
    """Leads from stop to stop. It waits for a source that is gone, and leaves out a stop that failed.

    `networks`, `capture` and `show` are the present ones, None before the first. Networks stay as long as the frames
    have the same size; the show ends with its source.
    """

    def __init__(
        self,
        itinerary: Itinerary,
        options: argparse.Namespace,
        core: ov.Core,
        start: Configuration,
        window: KioskWindow,
        statistics: RunStatistics,
        written: OutputLog,
        run: Callable[..., None],
    ) -> None:
        """run: the loop of the demo, `human_pose_est.run`."""
        self._itinerary, self._options, self._core, self._start = itinerary, options, core, start
        self._window, self._statistics, self._written, self._run = window, statistics, written, run
        self.networks: Networks | None = None
        self.capture: Capture | None = None
        self.show: Show | None = None
        self._networks_for: tuple[int, int] | None = None  # the size of their frames

    def go_round(self) -> None:
        """Until ESC is held or a signal comes. Raises UsageError where the first attempt shows a wrong source."""
        with StopRequest() as stop:
            while not self._is_over(stop):
                capture = self._wait_for_source(stop)
                if capture is None:
                    return
                with ExitStack() as stack:
                    stack.push(capture)  # it is entered
                    self.capture, self.show = capture, None
                    self._use_networks(capture)
                    self._visit_stops(capture, stop)

    def _is_over(self, stop: StopRequest) -> bool:
        return bool(stop) or self._window.is_left

    def _wait_for_source(self, stop: StopRequest) -> Capture | None:
        """The source when it is there; meanwhile the screen says that it is waited for. None: the kiosk is over."""
        name, has_said, ask_at = self._options.input, False, 0.0
        if self.capture is not None:  # a camera that comes and goes must not keep the machine busy
            ask_at = time.perf_counter() + ASK_AGAIN_S
        opening: Opening | None = None
        while not self._is_over(stop):
            if opening is None and time.perf_counter() >= ask_at:
                opening = Opening(name, self._options.realtime)
            if opening is not None and not opening.is_alive():
                if opening.error is None:
                    return opening.capture
                if isinstance(opening.error, UsageError) and self.capture is None:
                    raise opening.error
                if not has_said:
                    say(f"{opening.error} Waiting until it is there.")
                    has_said = True
                opening, ask_at = None, time.perf_counter() + ASK_AGAIN_S
            if has_said or self.capture is not None:
                self._show_waiting(no_picture(name))
            else:
                time.sleep(WAIT_MS / 1000)
        return None

    def _use_networks(self, capture: Capture) -> None:
        size = (0, 0) if capture.source.has_many_sizes else capture.frame_size
        if self.networks is None or size != self._networks_for:
            self.networks = open_networks(self._options, self._core, self._start, capture, self._written)
            self._networks_for = size

    def _visit_stops(self, capture: Capture, stop: StopRequest) -> None:
        """From stop to stop, until the source is gone or the kiosk is over."""
        people, rounds = self._new_people(), self._itinerary.rounds
        while not (self._is_over(stop) or capture.is_over):
            visited = self._itinerary.next(time.perf_counter())
            if visited is None:
                self._show_waiting("No device works at present. It is tried again in a moment.")
                continue
            if rounds != self._itinerary.rounds:  # what is known of people must not grow for ever
                people, rounds = self._new_people(), self._itinerary.rounds
            try:
                failure = self._race(visited, capture) if len(visited) == 2 else self._stay(visited, capture, people)
            except DeviceError as error:
                failure = str(error)
            except DemoError as error:  # the source's
                say(f"{error} Waiting until it is there.")
                return
            if self._is_over(stop) or capture.is_over:
                return
            if failure:
                out_s = self._itinerary.mark_failed(visited, time.perf_counter())
                say(f"{failure.rstrip('.')}. It is tried again in {out_s / 60:.0f} min.")
            else:
                self._itinerary.mark_worked(visited)

    def _stay(self, visited: Stop, capture: Capture, people: People) -> str:
        """Show a configuration. Returns why it failed, '' if it did not."""
        assert self.networks is not None
        [configuration] = visited
        self.show = self.show or self._new_show(configuration, capture)
        estimator, choices, viewer = self.show
        choices.target = configuration
        estimator.switch(configuration)
        viewer.close_tables()
        text = explain(visited, self._itinerary.stops)
        self._window.caption = f"Next: {text}"  # until its network is compiled, the one before is seen
        stay = Stay(choices, self._options.tour, lambda: setattr(self._window, "caption", text))
        keypoints = NullKeypointWriter()
        try:
            self._run(
                capture, estimator, self.networks, people, choices, viewer, keypoints, self._statistics, self._options,
                stay,
            )  # fmt: skip
        except DeviceError:  # no other was left
            self.show = None
            raise
        return stay.failure

    def _race(self, pair: Stop, capture: Capture) -> str:
        """Show a race. Returns why it failed, '' if it did not."""
        assert self.networks is not None
        self._finish_frames()
        self._window.caption = explain(pair, self._itinerary.stops)
        self._statistics.pause(True)
        try:
            capture.hold(False)
            race = Race(pair, self.networks, capture.first_image, self._options.smoothing)
            show_race(
                race, capture, self._window, NullWriter(), self._options.display_fps,
                seconds=self._options.tour, patience_s=GIVE_UP_S, foot=LARGE_FOOT,
            )  # fmt: skip
            return "" if race.is_ready else f"The race gave no result in {GIVE_UP_S:.0f} s."
        finally:
            self._statistics.pause(False)

    def _finish_frames(self) -> None:
        """Wait for what is in flight: a race has the devices for itself."""
        try:
            while self.show is not None and not self.show.estimator.is_idle:
                self.show.estimator.collect(wait=True)
                self._window.poll_key()
        except DeviceError as error:
            say(str(error))
            self.show = None

    def _new_show(self, configuration: Configuration, capture: Capture) -> Show:
        assert self.networks is not None
        options = self._options
        try:
            choices = Choices(self._core, configuration, [configuration.device])
        except UsageError as error:  # it was here at the start
            raise DeviceError(configuration.device, str(error)) from error
        estimator = Estimator(
            self.networks,
            configuration,
            capture.first_image,
            self._statistics.profile,
            is_live=capture.keeps_newest,
            waits=False,
        )
        viewer = Viewer(
            self._window, NullWriter(), self.networks, estimator, capture, choices, self._statistics,
            options.display_fps, options.panel, options.colours == "person", options.work, is_large=True,
        )  # fmt: skip
        return Show(estimator, choices, viewer)

    def _new_people(self) -> People:
        return People(NullVisitWriter(), gate=self._options.gate, is_smoothed=self._options.smoothing)

    def _show_waiting(self, text: str) -> None:
        """Show a text, and poll keys for a moment."""
        self._window.caption = ""
        self._window.show(waiting_picture(text, self._window.picture_size((16, 9))))
        painted_at = time.perf_counter()
        while time.perf_counter() - painted_at < REPAINT_S and not self._window.is_left:
            self._window.poll_key(WAIT_MS)

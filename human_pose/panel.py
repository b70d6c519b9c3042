"""The panel over the picture: what it says, and the corner where it is least in the way."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .decode import Pose
from .inference import Inference
from .models import PoseNetwork
from .stats import DeviceStatistics

KEYS = "TAB device   SPACE pause   H panel   S save   ESC quit"


class Line(NamedTuple):
    """A line of the panel. size: of its letters, 1 for the small ones."""

    text: str
    size: float = 1.0
    is_title: bool = False


def panel_lines(
    network: PoseNetwork, inference: Inference, statistics: DeviceStatistics, people: int, notices: list[str]
) -> list[Line]:
    """The panel's lines, the device first. inference: what the picture shows; notices: what else there is to say."""
    compiled = inference.compiled
    executed_on = ", ".join(compiled.executed_on)
    fps, latency_ms = statistics.last_second.fps(), statistics.last_second.latency_ms()
    whole_run = statistics.latencies.summary()
    mean, least, most = (whole_run.mean, whole_run.min, whole_run.max) if whole_run else (None, None, None)
    where = compiled.device if executed_on == compiled.device else f"{compiled.device}, runs on {executed_on}"
    count = f"{people} {'person' if people == 1 else 'people'}"
    return [
        Line(where, 1.4, is_title=True),
        Line(f"{_figure(fps)} FPS   {_figure(latency_ms)} ms latency   {count}", 1.4),
        Line(
            f"mean {_figure(statistics.throughput.mean())} FPS   latency mean {_figure(mean)}, "
            f"min {_figure(least)}, max {_figure(most)} ms"
        ),
        Line(f"{network.file.name} {network.file.precision}, executed in {compiled.execution_precision}"),
        Line("input {}x{}, {} requests in flight".format(*network.input_size, compiled.request_count)),
        *(Line(notice) for notice in notices),
    ]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


class Corner(NamedTuple):
    """A corner of the picture."""

    is_right: bool
    is_bottom: bool


CORNERS = tuple(Corner(is_right, is_bottom) for is_bottom in (False, True) for is_right in (False, True))


class PanelPlace:
    """Keeps the panel in the quarter of the picture with the fewest keypoints, and moves it seldom."""

    STAYS_S = 5.0  # at least, so that it can be read
    MEMORY = 0.95  # of the past, at each frame

    def __init__(self) -> None:
        self.corner = CORNERS[0]
        self._keypoints = np.zeros(len(CORNERS))
        self._moved_at: float | None = None

    def update(self, poses: Sequence[Pose], frame_size: tuple[int, int], now: float) -> None:
        """People are here now; frame_size: width and height in pixels; now: in s."""
        counts = np.zeros(len(CORNERS))
        for pose in poses:
            found = pose.keypoints[np.isfinite(pose.keypoints[:, 0])]
            quarters = (found[:, 0] > frame_size[0] / 2) + 2 * (found[:, 1] > frame_size[1] / 2)
            counts += np.bincount(quarters, minlength=len(CORNERS))
        if self._moved_at is None:
            self._keypoints = counts
        self._keypoints = self.MEMORY * self._keypoints + (1 - self.MEMORY) * counts
        best = int(self._keypoints.argmin())
        here = self._keypoints[CORNERS.index(self.corner)]
        is_first = self._moved_at is None
        if is_first or (now - (self._moved_at or 0) > self.STAYS_S and here > 2 * self._keypoints[best] + 2):
            self.corner = CORNERS[best]
            self._moved_at = now

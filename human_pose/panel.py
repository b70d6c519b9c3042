"""The panel over the picture: what it says, and the corner where it is least in the way."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .decode import Pose
from .inference import Inference
from .network import CELL_PIXELS, PoseNetwork
from .profile import STAGES
from .stats import DeviceStatistics

KEYS = "TAB device   SPACE pause   C compare   P profile   H panel   S save   ESC quit"


class Line(NamedTuple):
    """A line of the panel. size: of its letters, 1 for the small ones. Tabs in the text align columns."""

    text: str
    size: float = 1.0
    is_title: bool = False


def panel_lines(
    network: PoseNetwork,
    inference: Inference,
    statistics: DeviceStatistics,
    people: int,
    painted_fps: float | None = None,
) -> list[Line]:
    """What the panel always says, the device first, of the result that the picture shows.

    painted_fps: how many of the results the window shows in a second; None without a window.
    """
    compiled = inference.compiled
    fps, latency_ms = statistics.last_second.fps(), statistics.last_second.latency_ms()
    whole_run = statistics.latencies.summary()
    mean, least, most = (whole_run.mean, whole_run.min, whole_run.max) if whole_run else (None, None, None)
    streams = f", {compiled.streams} streams" if compiled.streams else ""
    cached = " from the cache" if compiled.is_from_cache else ""
    _, rows, columns = inference.heatmaps.shape
    input_size = f"{columns * CELL_PIXELS}x{rows * CELL_PIXELS}"
    count = f"{people} {'person' if people == 1 else 'people'}"
    painted = "" if painted_fps is None else f", painted {painted_fps:.1f}"
    lines = [
        Line(compiled.whereabouts, 1.4, is_title=True),
        Line(f"{_figure(fps)} FPS   {_figure(latency_ms)} ms latency   {count}", 1.4),
        Line(
            f"mean {_figure(statistics.throughput.mean())} FPS{painted}   latency mean {_figure(mean)}, "
            f"min {_figure(least)}, max {_figure(most)} ms"
        ),
        Line(f"{network.file.title} executed in {compiled.execution_precision}, input {input_size}"),
        Line(f"{compiled.request_count} requests{streams}, compiled in {compiled.compile_s:.1f} s{cached}"),
    ]
    if compiled.operations:
        operations = ", ".join(f"{number} on {device}" for device, number in compiled.operations.items())
        lines.append(Line(f"{compiled.subgraphs} subgraphs, operations: {operations}"))
    return lines


def profile_lines(recent_ms: Mapping[str, float]) -> list[Line]:
    """Where the time of a frame goes of late, in ms: stage by stage in the order of its way."""
    return [
        Line("ms a frame\t" + "\t".join(STAGES)),
        Line("\t" + "\t".join(f"{recent_ms.get(stage, 0.0):.1f}" for stage in STAGES)),
    ]


def comparison_lines(devices: Sequence[DeviceStatistics]) -> list[Line]:
    """A row for each device used so far; the best figure of a column carries a star, ratios are to the first device."""
    fps = [device.throughput.mean() for device in devices]
    latencies = [summary.mean if (summary := device.latencies.summary()) else None for device in devices]
    most = max((value for value in fps if value is not None), default=None)
    least = min((value for value in latencies if value is not None), default=None)
    lines = [Line("device\tFPS\tratio\tlatency ms\tp95\tcompiled s")]
    for device, mean, latency in zip(devices, fps, latencies, strict=True):
        ratio = "-" if mean is None or not fps[0] else f"{mean / fps[0]:.2f}"
        cells = [
            device.compiled.device,
            _figure(mean) + ("*" if mean is not None and mean == most else ""),
            ratio,
            _figure(latency) + ("*" if latency is not None and latency == least else ""),
            _figure(device.latencies.percentile(95)),
            f"{device.compiled.compile_s:.1f}{' cached' if device.compiled.is_from_cache else ''}",
        ]
        lines.append(Line("\t".join(cells)))
    return lines


def cycle_line(devices: Sequence[str], target: str, failed: Collection[str]) -> Line:
    """The devices that TAB walks through, numbered as the digit keys; the present target in brackets."""
    parts = []
    for number, device in enumerate(devices, 1):
        name = f"{number} {device}{' failed' if device in failed else ''}"
        parts.append(f"[{name}]" if device == target else name)
    return Line("   ".join(parts))


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

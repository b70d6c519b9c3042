"""The text of the panel over the picture."""

import enum
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ..inference.backend import CompiledModel, Inference
from ..inference.model import ModelFile, PoseModel
from ..inference.profile import STAGES
from ..inference.remote_address import is_remote
from .statistics import DeviceStatistics

KEYS = (
    ("TAB", "next device"), ("SPACE", "pause"), ("I", "details"), ("C", "compare"),
    ("P", "profile"), ("N", "colours"), ("H", "hide panel"), ("S", "save"), ("1 to 9", "a device"), ("ESC", "quit"),
)  # fmt: skip


class Style(enum.Enum):
    """The look of a block; `panel_picture` has the sizes and colours."""

    TITLE = "title"
    HEADLINE = "headline"
    BODY = "body"
    NOTE = "note"
    SMALL = "small"


class Text(NamedTuple):
    """A paragraph of the panel."""

    text: str
    style: Style = Style.BODY


class Table(NamedTuple):
    """Rows of cells in small letters.

    columns: one letter per column: l for left, r for right, w for left and wrapped where the panel is too narrow.
    marked: the index of a highlighted row.
    """

    rows: tuple[tuple[str, ...], ...]
    columns: str
    has_header: bool = False
    marked: int | None = None


Block = Text | Table


def device_figures(compiled: CompiledModel, statistics: DeviceStatistics | None) -> list[Block]:
    """The device, where it really runs, and how fast. statistics: None for a single image, which has no averages."""
    blocks: list[Block] = [Text(compiled.device, Style.TITLE)]
    if compiled.runs_on:
        blocks.append(Text(compiled.runs_on, Style.SMALL))
    if statistics is not None:
        fps, latency_ms = statistics.last_second.fps(), statistics.last_second.latency_ms()
        blocks += [Text(f"{_figure(fps)} FPS", Style.HEADLINE), Text(f"{_figure(latency_ms)} ms latency")]
    return blocks


def picture_figures(people: int, notes: Sequence[str], file: ModelFile, dropped: int) -> list[Block]:
    """The number of people in the picture, notes about them, the network's precision, the number of dropped frames."""
    blocks: list[Block] = [Text(_count(people, "person", "people"))]
    blocks += [Text(note, Style.SMALL) for note in notes]
    blocks.append(Text(file.precision))
    if file.note:
        blocks.append(Text(file.note, Style.SMALL))
    if dropped:
        blocks.append(Text(_count(dropped, "frame") + " dropped", Style.SMALL))
    return blocks


def details(network: PoseModel, inference: Inference, statistics: DeviceStatistics, painted_fps: float | None) -> Table:
    """How the network runs, and the averages so far. painted_fps: results that the window paints per second."""
    compiled = inference.compiled
    width, height = inference.input_size
    mean_fps, run = statistics.throughput.mean(), statistics.latencies.summary()
    streams = f", {_count(compiled.streams, 'stream')}" if compiled.streams else ""
    lines = [
        ("model", network.file.name),
        ("executed in", compiled.execution_precision),
        ("input", f"{width}x{height}"),
        ("in flight", _count(compiled.requests_in_use, "request") + streams),
        ("compiled in", f"{compiled.compile_s:.1f} s{' (cached)' if compiled.is_from_cache else ''}"),
    ]
    if mean_fps is not None and run is not None:
        lines += [
            ("mean FPS", f"{mean_fps:.1f}"),
            ("mean latency", f"{run.mean:.1f} ms ({run.min:.1f} to {run.max:.1f})"),
        ]
    if painted_fps is not None:
        lines.append(("painted", f"{painted_fps:.1f} FPS"))
    lines += compiled.facts
    if compiled.operations:
        operations = ", ".join(f"{number} on {device}" for device, number in compiled.operations.items())
        lines += [("split into", _count(compiled.subgraphs or 0, "subgraph")), ("operations", operations)]
    return Table(tuple(lines), "lw")


def profile_table(recent_ms: Mapping[str, float]) -> Table:
    """The recent time of each stage in ms per frame, in the order of a frame's way, in two columns."""
    cells = [(stage, f"{recent_ms.get(stage, 0.0):.1f}") for stage in STAGES]
    cells += [("", "")] * (len(cells) % 2)
    half = len(cells) // 2
    rows = tuple(left + right for left, right in zip(cells[:half], cells[half:], strict=True))
    return Table((("stage", "ms", "stage", "ms"), *rows), "lrlr", has_header=True)


def comparison(devices: Sequence[DeviceStatistics]) -> Table:
    """A row for each device used so far. A star marks the best value of a column; ratios are to the first device."""
    fps = [device.throughput.mean() for device in devices]
    latencies = [summary.mean if (summary := device.latencies.summary()) else None for device in devices]
    highest = max((value for value in fps if value is not None), default=None)
    lowest = min((value for value in latencies if value is not None), default=None)
    rows: list[tuple[str, ...]] = [("device", "FPS", "ratio", "ms", "p95")]
    for device, mean, latency in zip(devices, fps, latencies, strict=True):
        rows.append((
            device.compiled.device,
            _figure(mean) + ("*" if mean is not None and mean == highest else ""),
            "-" if mean is None or not fps[0] else f"{mean / fps[0]:.2f}",
            _figure(latency) + ("*" if latency is not None and latency == lowest else ""),
            _figure(device.latencies.percentile(95)),
        ))  # fmt: skip
    return Table(tuple(rows), "wrrrr", has_header=True)


def device_list(devices: Sequence[str], shown: str, failed: Collection[str]) -> Table:
    """The devices that TAB walks through, with their number keys. shown: the device whose result is in the picture."""
    rows = [
        (f"{number}", device + (" (failed)" if device in failed else "")) for number, device in enumerate(devices, 1)
    ]
    return Table(tuple(rows), "lw", marked=list(devices).index(shown) if shown in devices else None)


def key_list() -> Table:
    """The keys, in two columns."""
    half = len(KEYS) // 2
    return Table(tuple(left + right for left, right in zip(KEYS[:half], KEYS[half:], strict=True)), "llll")


def switch_note(shown: str | None, target: str, compiling: tuple[str, float] | None) -> list[Block]:
    """The switch in progress, if any.

    shown: the device that made the result in the picture, None before the first; target: the device asked for;
    compiling: the device that the network is being compiled for, and for how many seconds so far.
    """
    blocks: list[Block] = []
    if compiling is not None:
        device, seconds = compiling
        verb = "connecting to" if is_remote(device) else "compiling"
        blocks.append(Text(f"{verb} {device} ... {seconds:.0f} s", Style.NOTE))
    elif shown is not None and target != shown:
        blocks.append(Text(f"{target} from the next result on", Style.NOTE))
    if blocks and shown is not None:
        blocks.append(Text(f"until then: figures of {shown}", Style.SMALL))
    return blocks


def _count(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"

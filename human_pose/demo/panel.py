"""The text of the panel over the picture."""

import enum
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ..inference.backend import CompiledModel, Inference
from ..inference.model import ModelFile, PoseModel
from ..inference.profile import STAGES
from ..inference.remote_address import is_remote
from .statistics import ConfigurationStatistics

KEYS = (
    ("TAB", "next device"), ("1 to 9", "a device"), ("F", "precision"), ("T", "hint"), ("+ -", "input size"),
    ("N", "network"), ("R", "race"), ("B", "best"), ("SPACE", "pause"), ("ESC", "quit"),
    ("I", "details"), ("C", "compare"), ("P", "profile"), ("V", "work"), ("L", "colours"), ("H", "hide panel"),
    ("S", "save"),
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


def device_figures(compiled: CompiledModel, statistics: ConfigurationStatistics | None) -> list[Block]:
    """The device, where it really runs, and how fast. statistics: None for a single image, which has no averages."""
    blocks: list[Block] = [Text(compiled.device, Style.TITLE)]
    if compiled.runs_on:
        blocks.append(Text(compiled.runs_on, Style.SMALL))
    if statistics is not None:
        fps, latency_ms = statistics.last_second.fps(), statistics.last_second.latency_ms()
        blocks += [Text(f"{_figure(fps)} FPS", Style.HEADLINE), Text(f"{_figure(latency_ms)} ms latency")]
    return blocks


def picture_figures(people: int, notes: Sequence[str], dropped: int) -> list[Block]:
    """The number of people in the picture, notes about them, the number of dropped frames."""
    blocks: list[Block] = [Text(_count(people, "person", "people"))]
    blocks += [Text(note, Style.SMALL) for note in notes]
    if dropped:
        blocks.append(Text(_count(dropped, "frame") + " dropped", Style.SMALL))
    return blocks


def network_figures(
    file: ModelFile, hint: str, input_size: tuple[int, int], with_name: bool, note: str = ""
) -> list[Block]:
    """The network's precision, and how it is used. input_size: width, height; with_name: the network's name, too.

    note: where the configuration comes from, '' for the user's own.
    """
    blocks: list[Block] = [Text(file.precision)]
    used = [file.name] * with_name + [file.note] * bool(file.note) + [f"{hint} hint"] * (hint == "latency")
    width, height = input_size
    blocks.append(Text(", ".join([*used, f"{width}x{height}"]), Style.SMALL))
    if note:
        blocks.append(Text(note, Style.SMALL))
    return blocks


def details(
    network: PoseModel, inference: Inference, statistics: ConfigurationStatistics, painted_fps: float | None
) -> Table:
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
    return Table((("stage", "ms", "stage", "ms"), *_in_two_columns(cells)), "lrlr", has_header=True)


def comparison(used: Sequence[ConfigurationStatistics], names: Sequence[str]) -> Table:
    """A row for each configuration used so far. A star marks the best value of a column; ratios are to the first.

    names: of the configurations.
    """
    fps = [one.throughput.mean() for one in used]
    latencies = [summary.mean if (summary := one.latencies.summary()) else None for one in used]
    highest = max((value for value in fps if value is not None), default=None)
    lowest = min((value for value in latencies if value is not None), default=None)
    rows: list[tuple[str, ...]] = [("device", "FPS", "ratio", "ms", "p95")]
    for one, name, mean, latency in zip(used, names, fps, latencies, strict=True):
        rows.append((
            name,
            _figure(mean) + ("*" if mean is not None and mean == highest else ""),
            "-" if mean is None or not fps[0] else f"{mean / fps[0]:.2f}",
            _figure(latency) + ("*" if latency is not None and latency == lowest else ""),
            _figure(one.latencies.percentile(95)),
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
    return Table(_in_two_columns(KEYS), "llll")


def switch_note(shown: str | None, target: str, compiling_s: float | None) -> list[Block]:
    """The switch in progress, if any.

    shown: the name of what made the result in the picture, None before the first; target: of what was asked for;
    compiling_s: for how many seconds the target has been compiling; None if it has not.
    """
    blocks: list[Block] = []
    if compiling_s is not None:
        verb = "connecting to" if is_remote(target.partition(" ")[0]) else "compiling"
        blocks.append(Text(f"{verb} {target} ... {compiling_s:.0f} s", Style.NOTE))
    elif shown is not None and target != shown:
        blocks.append(Text(f"{target} from the next result on", Style.NOTE))
    if blocks and shown is not None:
        blocks.append(Text(f"until then: figures of {shown}", Style.SMALL))
    return blocks


def _in_two_columns(cells: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    half = (len(cells) + 1) // 2
    right = [*cells[half:], *[("", "")] * (len(cells) % 2)]
    return tuple(left + right for left, right in zip(cells[:half], right, strict=True))


def _count(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"

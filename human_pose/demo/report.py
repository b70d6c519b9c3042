"""The averages of a run: as a table for people, as JSON for programs."""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import openvino as ov

from ..errors import DemoError
from ..files import write_whole
from ..inference.devices import full_name
from ..inference.estimator import Estimator
from ..inference.model import PoseModel
from ..inference.profile import LOOP, STAGES, Profile
from ..media.capture import Capture
from ..output_log import OutputLog
from .statistics import ENOUGH_RESULTS, DeviceStatistics, RunStatistics, Summary

PERCENTILES = (50, 95, 99)
EXPLANATIONS = (
    f"FPS: results over the time they took, from {ENOUGH_RESULTS} results on; min and max: of spans of a second.",
    "Latency: from the start of inference to its result.",
    "Not counted: warm-up, the first result of each request; switching, while another network was compiled.",
)


def table(statistics: RunStatistics) -> str:
    """A row for each device used, in the order of first use."""
    header = (
        ["device", "frames", "FPS", "min", "max", "latency ms", "min", "max"]
        + [f"p{percent}" for percent in PERCENTILES]
        + ["warm-up", "switching"]
    )
    rows = [header] + [_row(device) for device in statistics.devices.values()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    servers = [line for device in statistics.devices.values() for line in _server_line(device)]
    return "\n".join([*lines, *servers, *EXPLANATIONS])


def _row(device: DeviceStatistics) -> list[str]:
    lowest, highest = device.throughput.min_max()
    latency = device.latencies.summary()
    figures = [device.throughput.mean(), lowest, highest]
    figures += [latency.mean, latency.min, latency.max] if latency else [None] * 3
    figures += [device.latencies.percentile(percent) for percent in PERCENTILES]
    mark = f" ({device.compiled.mark})" if device.compiled.mark else ""
    name = device.compiled.device + mark
    uncounted = [str(device.warmup_frames), str(device.while_switching)]
    return [name, str(device.frames), *map(_cell, figures), *uncounted]


def _cell(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.1f}"


def report(
    core: ov.Core, network: PoseModel, capture: Capture, estimator: Estimator, statistics: RunStatistics
) -> dict[str, Any]:
    """The run as data: what ran, where, and how fast; one entry for each device, in the order of first use."""
    return {
        "model": network.file.name,
        "precision": network.file.precision,
        "model_file": network.file.path.name,
        "model_sha256": network.sha256(),
        "model_note": network.file.note,
        "model_licence": network.licence,
        "input": {
            "source": capture.source.name,
            "frame_size": list(capture.frame_size),
            "network_size": list(network.input_size or (None, None)),  # null: it follows each image's shape
            "network_shorter_side": min(network.input_size or (network.size,)),
            "size": network.size,
            "dropped_frames": capture.dropped,
            "late_frames": estimator.late,
        },
        "openvino": ov.get_version(),
        "machine": {
            "os": platform.platform(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "logical_cores": os.cpu_count(),
            "devices": {name: full_name(core, name) for name in core.available_devices},
        },
        "devices": [_device(device) for device in statistics.devices.values()],
        "start_s": statistics.profile.start_s,
        "profile": {"frame_ms": statistics.profile.frame_ms(), "stages_ms": statistics.profile.mean_ms()},
        "switches": [asdict(switch) for switch in statistics.switches],
    }


def _device(device: DeviceStatistics) -> dict[str, Any]:
    compiled = device.compiled
    lowest, highest = device.throughput.min_max()
    mean = device.throughput.mean()
    latency = device.latencies.summary()
    percentiles = {f"p{percent}": device.latencies.percentile(percent) for percent in PERCENTILES}
    return {
        "device": compiled.device,
        "executed_on": compiled.executed_on,
        "execution_precision": compiled.execution_precision,
        "requests": compiled.request_count,
        "streams": compiled.streams,
        "subgraphs": compiled.subgraphs,
        "compile_s": compiled.compile_s,
        "is_from_cache": compiled.is_from_cache,
        "is_stand_in": compiled.is_stand_in,
        "is_emulated": compiled.is_emulated,
        "operations": dict(compiled.operations),
        "difference": compiled.difference,
        "server": _server(device),
        "frames": device.frames,
        "warmup_frames": device.warmup_frames,
        "while_switching": device.while_switching,
        "fps": {"mean": mean, "min": lowest, "max": highest},
        "latency_ms": _summary(latency) | percentiles,
        "delay_ms": _summary(device.delays.summary())
        | {f"p{percent}": device.delays.percentile(percent) for percent in PERCENTILES},
    }


def _server(device: DeviceStatistics) -> dict[str, Any] | None:
    """What was measured of a server; null for a device of this machine."""
    figures, fps = device.compiled.server, device.throughput.mean()
    if figures is None:
        return None
    bytes_per_s = None if fps is None else fps * (figures.sent_bytes + figures.received_bytes)
    return asdict(figures) | {"bytes_per_s": bytes_per_s}


def _server_line(device: DeviceStatistics) -> list[str]:
    """The same for people, in one line; none where nothing is known."""
    figures, known = device.compiled.server, _server(device)
    if figures is None or known is None:
        return []
    parts = "the server does not tell its part of the latency"
    if figures.server_ms is not None and figures.network_ms is not None:
        parts = f"of the latency {figures.server_ms:.1f} ms in the server, {figures.network_ms:.1f} ms in the network"
    rate = "" if known["bytes_per_s"] is None else f", {known['bytes_per_s'] / 1e6:.1f} MB/s"
    sizes = f"{figures.sent_bytes / 1e3:.0f} kB to it and {figures.received_bytes / 1e3:.0f} kB back a frame{rate}"
    return [f"{device.compiled.device}: {parts}; {sizes}."]


def _summary(summary: Summary | None) -> dict[str, Any]:
    return asdict(summary) if summary else {"mean": None, "min": None, "max": None}


def write_report(path: Path, content: dict[str, Any], written: OutputLog) -> None:
    """Write JSON, completely or not at all. A failure is logged and does not stop the run."""
    try:
        write_whole(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
    except DemoError as error:
        written.fail(error)
    else:
        written.add(path)


def profile_table(profile: Profile) -> str:
    """A row for each stage, in the order of a frame's way: ms per frame over the run, and its share of the loop."""
    mean_ms, frame_ms = profile.mean_ms(), profile.frame_ms()
    rows = [("stage", "ms a frame", "")]
    where = {"capture": "in a thread of its own", "infer": "on the device: its requests run side by side"}
    for stage in STAGES:
        share = f"{mean_ms[stage] / frame_ms:.1%} of the loop" if frame_ms else ""
        rows.append((stage, f"{mean_ms[stage]:.2f}", where.get(stage, share)))
    if frame_ms:
        rest = max(0.0, frame_ms - sum(mean_ms[stage] for stage in LOOP))
        rows.append(("rest", f"{rest:.2f}", f"{rest / frame_ms:.1%} of the loop"))
        rows.append(("loop", f"{frame_ms:.2f}", "from one result to the next"))
    start = ", ".join(f"{part} {seconds:.2f} s" for part, seconds in profile.start_s.items())
    return f"start: {start}\n" + "\n".join(f"{name:<10}  {ms:>10}  {note}".rstrip() for name, ms, note in rows)

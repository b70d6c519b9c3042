"""Time of a switch of device, and how long the picture stands still, on stand-in devices.

python -m benchmarks.switching [--runs 5] [--size 128] [--affinity auto|conv]

Each run is the demo's own tour, without a window, over a CPU and its stand-ins (docs/devices.md). Printed are medians
over the runs (min to max); beside the gap, the normal time of a frame on the device before the switch.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT
from human_pose.measurement.stand_ins import AUTO, HETERO, MULTI, write_plugins

CYCLE = ["CPU", "GPU", HETERO, MULTI, AUTO]


def tour(folder: Path, height: int, affinity: str, seconds: float) -> dict[str, Any]:
    """The report of one tour."""
    report = folder / "report.json"
    command = [sys.executable, ROOT / "human_pose_est.py", "--no-show", "--no-cache", "-m", "mobilenet-thin"]
    command += ["--height", height, "--affinity", affinity, "--tour", seconds, "--report", report]
    command += ["--plugins", write_plugins(folder), "--devices", *CYCLE]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    content: dict[str, Any] = json.loads(report.read_text())
    return content


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", "--height", dest="height", type=int, default=128)
    parser.add_argument("--affinity", default="auto")
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reports = [tour(Path(folder), options.height, options.affinity, options.seconds) for _ in range(options.runs)]
    print(f"mobilenet-thin, height {options.height}, affinity {options.affinity}, {options.runs} runs")
    print("ms: median (min to max)")
    print(f"{'switch to':22}{'compiled':>22}{'ready after':>22}{'longest gap':>20}{'a normal frame':>20}")
    for device in CYCLE[1:]:
        switches = [switch for report in reports for switch in report["switches"] if switch["device"] == device]
        before = CYCLE[CYCLE.index(device) - 1]
        rows = {
            name: [row for report in reports for row in report["devices"] if row["device"] == name]
            for name in (device, before)
        }
        print(
            f"{device:22}"
            f"{spread([1000 * row['compile_s'] for row in rows[device]]):>22}"
            f"{spread([1000 * switch['ready_s'] for switch in switches if switch['ready_s'] is not None]):>22}"
            f"{spread([switch['longest_gap_ms'] for switch in switches]):>20}"
            f"{spread([1000 / row['fps']['mean'] for row in rows[before]]):>20}"
        )


if __name__ == "__main__":
    main()

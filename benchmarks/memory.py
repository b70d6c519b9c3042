"""Check that memory does not grow over ten thousand frames.

python -m benchmarks.memory [--frames 10000]

The clip runs in a loop without a window, with input size 64; resident memory is read at several frame counts.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import ROOT, machine

MARKS = (100, 1000, 2000, 5000, 10000)


def resident_mb(process: int) -> float:
    """The resident memory of a process in MB, on Linux."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmRSS"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=10000)
    options = parser.parse_args()
    print(f"{machine()}; resident memory, MB")
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "keypoints.jsonl"
        command = [sys.executable, ROOT / "human_pose_est.py", "--no-show", "--loop", "-m", "mobilenet-thin"]
        command += ["--height", "64", "--frames", str(options.frames + 200), "--keypoints", lines]
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
        frames, rest = 0, b""
        marks = [mark for mark in MARKS if mark <= options.frames]
        while not lines.exists():
            time.sleep(0.05)
        with lines.open("rb") as file:
            while marks:
                rest = file.read()
                frames += rest.count(b"\n")
                while marks and frames >= marks[0]:
                    print(f"{marks.pop(0):>6} frames: {resident_mb(process.pid):.1f}", flush=True)
                time.sleep(0.005)
        process.wait()


if __name__ == "__main__":
    main()

"""Run all benchmarks that need only the bundled network and video; takes some minutes.

python -m benchmarks
"""

import subprocess
import sys
import time

from benchmarks.common import ROOT

COMMANDS = (
    ("decoder",),
    ("one_stage_decoder",),
    ("smoothing", "--repeats", "3"),
    ("work_strip",),
    ("startup", "--runs", "5"),
    ("pipeline", "--runs", "3"),
    ("latency", "--runs", "3"),
    ("window", "--runs", "3"),
    ("sizes",),
    ("memory",),
    ("switching", "--runs", "2"),
    ("fairness", "--runs", "2"),
    ("unequal", "--runs", "1"),
)


def main() -> None:
    started_at = time.perf_counter()
    for name, *options in COMMANDS:
        print(f"\n== python -m benchmarks.{' '.join([name, *options])}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], cwd=ROOT, check=True)
    print(f"\n{(time.perf_counter() - started_at) / 60:.1f} minutes")


if __name__ == "__main__":
    main()

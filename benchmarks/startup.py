"""Time from the command to the first picture, with compiled networks in the cache.

python -m benchmarks.startup [--model NAME_OR_XML ...] [--runs 7]

The start of the interpreter is timed separately, with a program that does nothing.
"""

import argparse
import subprocess
import sys
import time

from benchmarks.common import BUNDLED, machine, run_demo, spread


def interpreter_s() -> float:
    started_at = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - started_at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=[BUNDLED])
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    print(f"{machine()}; {options.runs} runs, warm cache: median (min to max), s")
    for model in options.model:
        run_demo("-m", model, "--frames", 1)  # fills the cache
        starts = [
            {"interpreter": interpreter_s()} | run_demo("-m", model, "--frames", 1)["start_s"]
            for _ in range(options.runs)
        ]
        print(model)
        for part in starts[0]:
            print(f"  {part:18}{spread([start[part] for start in starts], 2):>22}")
        print(f"  {'in all':18}{spread([sum(start.values()) for start in starts], 2):>22}")


if __name__ == "__main__":
    main()

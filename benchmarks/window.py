"""The cost of the window: FPS with and without it, on the same video.

python -m benchmarks.window [--model NAME_OR_XML] [--size 256] [--frames 100] [--runs 3]

It uses a virtual screen (Xvfb) where that is installed, else the display. Both take turns.
"""

import argparse
import os
import shutil
import subprocess

from benchmarks.common import BUNDLED, machine, run_demo, spread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--size", "--height", dest="height", type=int, default=256)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    server, env = None, {}
    if shutil.which("Xvfb"):
        read_end, write_end = os.pipe()
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
            pass_fds=[write_end], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            env = {"DISPLAY": f":{answer.readline().strip()}"}
    wanted = ["-m", options.model, "--height", options.height, "--frames", options.frames, "--loop"]
    without, shown, ratios = [], [], []
    for _ in range(options.runs):
        without.append(run_demo(*wanted)["devices"][0]["fps"]["mean"])
        shown.append(run_demo(*wanted, show=True, env=env)["devices"][0]["fps"]["mean"])
        ratios.append(shown[-1] / without[-1])
    if server is not None:
        server.terminate()
        server.wait()
    print(f"{machine()}; {options.model}, input height {options.height}")
    print(f"{options.runs} runs: median (min to max)")
    print(f"without a window {spread(without)} FPS, with it {spread(shown)} FPS: {spread(ratios, 2)} of that")


if __name__ == "__main__":
    main()

"""Time of each stage for frames of several sizes: 4K, 360p, portrait, and one or twenty-five people.

python -m benchmarks.sizes [--model NAME_OR_XML] [--size 256] [--frames 40]

The videos are made from the bundled clip. Printed are the demo's own profiles in ms per frame. This is wall-clock time:
on busy cores it includes waiting for other stages.
"""

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np

from benchmarks.common import BUNDLED, CLIP, machine, run_demo
from benchmarks.decoder import crowd
from human_pose.inference.profile import STAGES


def write_video(path: Path, images: list[np.ndarray]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 30, images[0].shape[1::-1])
    for image in images:
        writer.write(image)
    writer.release()
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--size", "--height", type=int, default=256)
    parser.add_argument("--frames", type=int, default=40)
    options = parser.parse_args()
    video = cv2.VideoCapture(str(CLIP))
    clip = [video.read()[1] for _ in range(30)]
    sources = {
        "4K, 3840x2160": [cv2.resize(image, (3840, 2160)) for image in clip],
        "360p, 640x360": [cv2.resize(image, (640, 360)) for image in clip],
        "portrait, 540x960": [cv2.resize(image[:, :405], (540, 960)) for image in clip],
        "1 person, 1280x720": [crowd(1)] * 30,
        "25 people, 1280x720": [crowd(25)] * 30,
    }
    print(f"{machine()}; {options.model}, input size {options.size}, {options.frames} frames; ms a frame")
    print(f"{'':20}{'FPS':>6}" + "".join(f"{stage:>12}" for stage in STAGES))
    with tempfile.TemporaryDirectory() as folder:
        for name, images in sources.items():
            path = write_video(Path(folder) / "video.mp4", images)
            report = run_demo(
                "-i", path, "-m", options.model, "--size", options.size, "--frames", options.frames, "--loop"
            )
            stages = report["profile"]["stages_ms"]
            figures = "".join(f"{stages[stage]:>12.2f}" for stage in STAGES)
            print(f"{name:20}{report['devices'][0]['fps']['mean']:>6.1f}{figures}", flush=True)


if __name__ == "__main__":
    main()

"""Measure the batch command: frames a second by workers, its CPU time, a killed worker, memory.

python -m benchmarks.batch [--repeats 5] [--loops 6] [--piece 4.6]

The bundled clip, looped into one video with a key frame a second (by ffmpeg), cut into pieces. What is compared takes
turns in one run. Times are without the start of the workers and without compilation: a first video warms them up.
"""

import argparse
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks.common import CLIP, machine, spread
from human_pose.api import PoseEstimator
from human_pose.batch.cluster import local_crew
from human_pose.batch.coordinator import Coordinator
from human_pose.batch.crew import Crew, LocalCrew
from human_pose.batch.inputs import Video
from human_pose.batch.ledger import Ledger
from human_pose.batch.progress import Progress
from human_pose.batch.recipe import Recipe
from human_pose.batch.work import estimator_for
from human_pose.media.capture import open_capture
from human_pose.tracking.tracker import Tracker


@dataclass(frozen=True)
class Run:
    """One way through the video: frames a second, CPU ms a frame, peak resident MB of the largest process."""

    fps: float
    cpu_ms: float
    seconds: float
    peak_mb: float


def long_clip(folder: Path, loops: int) -> Path:
    """The clip `loops` times, as H.264 with a key frame a second."""
    program = shutil.which("ffmpeg")
    if program is None:
        sys.exit("error: this benchmark needs ffmpeg: sudo apt-get install -y ffmpeg")
    path = folder / "long.mp4"
    options = ["-v", "error", "-stream_loop", str(loops - 1), "-i", str(CLIP), "-c:v", "libx264", "-g", "30"]
    subprocess.run([program, *options, str(path)], check=True)
    return path


def workers_of(crew: Crew) -> list[psutil.Process]:
    """The processes that do the jobs."""
    if isinstance(crew, LocalCrew):
        return []
    return [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


def cpu_s(processes: list[psutil.Process]) -> float:
    """CPU time of this process and of these."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    others = [process.cpu_times() for process in processes if process.is_running()]
    return own.ru_utime + own.ru_stime + sum(times.user + times.system for times in others)


def peak_mb(process: psutil.Process) -> float:
    """The largest resident memory that a process had, in MB, on Linux."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmHWM"))


def measure(
    folder: Path, clip: Path, recipe: Recipe, piece_s: float, workers: int, threads: int, kills: bool = False
) -> Run:
    """Run the batch engine; workers: 0 for this process alone. kills: kill a worker in the middle."""
    output = Path(tempfile.mkdtemp(dir=folder))
    ledger = Ledger(output, recipe)
    done = 0

    def crew_of() -> AbstractContextManager[Crew]:
        if not workers:
            return LocalCrew(lambda: None)
        return local_crew(workers, threads, recipe, ledger.token(), lambda: False)

    def go(crew: Crew, video: Video) -> int:
        coordinator = Coordinator([video], ledger, piece_s, threads, Progress(1))
        coordinator.run(crew)
        return sum(outcome.frames for outcome in coordinator.outcomes)

    with ledger.locked(), crew_of() as crew:
        for number in range(max(1, workers)):
            go(crew, Video(str(CLIP), f"warm{number}"))
        processes = workers_of(crew)
        if kills:
            threading.Timer(0.4 * float(folder.joinpath("seconds").read_text()), _kill, [processes[0]]).start()
        cpu_before, started_at = cpu_s(processes), time.perf_counter()
        done = go(crew, Video(str(clip), "long"))
        seconds = time.perf_counter() - started_at
        used = cpu_s(processes) - cpu_before
        peak = max(peak_mb(process) for process in workers_of(crew) or [psutil.Process()])
    return Run(done / seconds, 1000 * used / done, seconds, peak)


def _kill(process: psutil.Process) -> None:
    process.send_signal(signal.SIGKILL)


def bare(clip: Path, recipe: Recipe, threads: int) -> Run:
    """The same frames without the engine: estimator and tracker in a loop."""
    estimator: PoseEstimator = estimator_for(recipe, threads)
    for _ in estimator.run(CLIP):
        pass
    cpu_before, started_at = cpu_s([]), time.perf_counter()
    frames, tracker = 0, Tracker()
    with open_capture(str(clip)) as capture:
        for frame, poses in estimator.find(capture):
            tracker.update(poses, frame.time_s or 0.0)
            frames += 1
    seconds = time.perf_counter() - started_at
    return Run(frames / seconds, 1000 * (cpu_s([]) - cpu_before) / frames, seconds, peak_mb(psutil.Process()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--loops", type=int, default=6, help="so often the clip of 140 frames; default: %(default)s")
    parser.add_argument("--piece", type=float, default=4.6, help="length of a piece in s; default: %(default)s")
    options = parser.parse_args()
    recipe = Recipe(None, None, "CPU", None, None, None, False, "jsonl")
    recipe = replace(recipe, sha256=estimator_for(recipe, 1).sha256())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = long_clip(folder, options.loops)
        ways: dict[str, Callable[[], Run]] = {
            "no engine, 1 core": lambda: bare(clip, recipe, 1),
            "1 worker of 1 core": lambda: measure(folder, clip, recipe, options.piece, 1, 1),
            "2 workers of 1 core": lambda: measure(folder, clip, recipe, options.piece, 2, 1),
            "no engine, 2 cores": lambda: bare(clip, recipe, 2),
            "one process of 2 cores": lambda: measure(folder, clip, recipe, options.piece, 0, 2),
            "2 workers, one killed": lambda: measure(folder, clip, recipe, options.piece, 2, 1, kills=True),
        }
        found: dict[str, list[Run]] = {way: [] for way in ways}
        for _ in range(options.repeats):
            for way, run in ways.items():
                found[way].append(run())
                if way == "2 workers of 1 core":
                    folder.joinpath("seconds").write_text(str(found[way][-1].seconds))
    print(f"{machine()}; {140 * options.loops} frames in pieces of {options.piece} s; {options.repeats} repeats")
    print(f"{'':24}  {'FPS':22}  {'CPU ms a frame':22}  peak MB of a process")
    for way, runs in found.items():
        fps, cpu = spread([run.fps for run in runs]), spread([run.cpu_ms for run in runs], 2)
        print(f"{way:24}  {fps:22}  {cpu:22}  {max(run.peak_mb for run in runs):.0f}")
    for one, base in (("1 worker of 1 core", "no engine, 1 core"), ("one process of 2 cores", "no engine, 2 cores")):
        ratios = [100 * (a.cpu_ms / b.cpu_ms - 1) for a, b in zip(found[one], found[base], strict=True)]
        print(f"engine's CPU time, {one}: {spread(ratios)} % more than without it")
    lost = [
        a.seconds - b.seconds for a, b in zip(found["2 workers, one killed"], found["2 workers of 1 core"], strict=True)
    ]
    print(f"a killed worker costs {spread(lost)} s")


if __name__ == "__main__":
    main()

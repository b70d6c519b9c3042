"""Smoothing of keypoints for display: jitter before and after, lag of a fast wrist, time for 6 and 25 people.

python -m benchmarks.smoothing [--video VIDEO] [--model NAME] [--repeats 7]

Jitter: RMS of the second difference of a keypoint's place, over the square root of 6, in body sizes (diagonals of the
box around the keypoints); for white noise that is its standard deviation. A second difference shows what the eye calls
trembling, and leaves out slow motion of the person or the camera, which smoothing must keep. It is taken of keypoints
that are still: their median over 0.17 s moves at most 0.1, or 0.2, body sizes within a second. "median" is the median
of the absolute second differences; the RMS also has the single frames with a wrong place.

Lag: a wrist waves on a body that is still, with white noise of the given size on all keypoints. Printed is the way that
the smoothed wrist is behind the true one, over its speed, where it is faster than 0.7 of its peak; then the same for
a person who walks by at a constant speed.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
import openvino as ov

from benchmarks.common import BUNDLED, CLIP, latency_estimator, machine, maps_of, spread
from human_pose.decoders.openpose import decode
from human_pose.decoders.openpose_fields import KEYPOINTS, SKELETON
from human_pose.inference.estimator import infer_all
from human_pose.inference.model import load_model
from human_pose.media.capture import Capture
from human_pose.media.sources import open_source
from human_pose.poses.pose import Pose
from human_pose.tracking.smoothing import Smoother
from human_pose.zoo.resolve import choose_model

STILL = (0.1, 0.2)  # body sizes within a second
NEAR = 0.2  # body sizes from one frame to the next, for a person to be the same
GONE_S = 0.2
SHORTEST = 30  # frames of a person that counts
SIZE = 300.0  # pixels, of a body that is made here
NOISE = (0.002, 0.007, 0.018)  # body sizes: the least and the most in our videos were 0.001 and 0.018
WAVES = ((2.0, 0.25), (2.0, 0.13), (0.5, 0.15))  # Hz and amplitude in body sizes: a fast wave, a wave, a slow one
WALKS = (0.3, 0.8)  # body sizes a second
WRIST = KEYPOINTS.index("right_wrist")


def length(vectors: np.ndarray) -> np.ndarray:
    return np.hypot(vectors[..., 0], vectors[..., 1])


def body_size(keypoints: np.ndarray) -> float:
    found = keypoints[~np.isnan(keypoints[:, 0]), :2]
    return float(length(np.ptp(found, axis=0)))


def poses_of(video: str, model: str) -> tuple[float, list[list[Pose]]]:
    """The seconds from frame to frame, and the poses of each frame."""
    core = ov.Core()
    network = load_model(core, choose_model(model, None))
    source = open_source(video)
    with Capture(source) as capture:
        estimator = latency_estimator(core, network, network.file.precision)
        frames = [decode(*maps_of(inference)) for inference in infer_all(capture, estimator)]
    return 1 / (source.fps or 30), frames


def numbered(frames: list[list[Pose]], step_s: float) -> Iterator[list[Pose]]:
    """The poses with numbers, by the nearest person of the frames just before. Crossings may be wrong."""
    known: dict[int, tuple[int, Pose]] = {}
    next_number = 0
    for index, poses in enumerate(frames):
        near = []
        for number, (seen, before) in known.items():
            for row, pose in enumerate(poses):
                ways = length(pose.keypoints - before.keypoints)
                way = np.median(ways[~np.isnan(ways)]) / body_size(pose.keypoints) if (~np.isnan(ways)).any() else 1
                if (index - seen) * step_s <= GONE_S and way < NEAR:
                    near.append((way, number, row))
        numbers: dict[int, int] = {}
        for _, number, row in sorted(near):
            if row not in numbers and number not in numbers.values():
                numbers[row] = number
        for row in range(len(poses)):
            if row not in numbers:
                numbers[row] = next_number
                next_number += 1
        of_frame = [Pose(p.skeleton, p.keypoints, p.score, numbers[row]) for row, p in enumerate(poses)]
        known |= {numbers[row]: (index, pose) for row, pose in enumerate(of_frame)}
        yield of_frame


def tracks(frames: list[list[Pose]]) -> dict[int, np.ndarray]:
    """Number -> x and y in each frame, (T, K, 2), NaN where not found."""
    of_person: dict[int, np.ndarray] = {}
    for index, poses in enumerate(frames):
        for pose in poses:
            if pose.id is not None:
                blank = np.full((len(frames), len(pose.keypoints), 2), np.nan)
                of_person.setdefault(pose.id, blank)[index] = pose.keypoints[:, :2]
    return of_person


def stillness(places: np.ndarray, size: float, step_s: float) -> np.ndarray:
    """How far a keypoint moves within a second around each frame, (T, K), in body sizes; inf where it is not found."""
    near, half = max(1, round(0.083 / step_s)), max(2, round(0.5 / step_s))
    medians = np.full_like(places, np.nan)
    for index in range(near, len(places) - near):
        medians[index] = np.median(places[index - near : index + near + 1], axis=0)
    moves = np.full(places.shape[:2], np.inf)
    for index in range(half, len(places) - half):
        moves[index] = length(np.ptp(medians[index - half : index + half + 1], axis=0)) / size
    return np.nan_to_num(moves, nan=np.inf)


def second_difference(places: np.ndarray) -> np.ndarray:
    """(T, K, 2), NaN at both ends; of white noise, it has the standard deviation of the noise."""
    differences = np.full_like(places, np.nan)
    differences[1:-1] = np.diff(places, 2, axis=0) / np.sqrt(6)
    return differences


def print_jitter(video: str, model: str) -> None:
    step_s, found = poses_of(video, model)
    frames = list(numbered(found, step_s))
    smoother = Smoother()
    shown = tracks([smoother.smooth(poses, index * step_s) for index, poses in enumerate(frames)])
    raw: dict[float, list[np.ndarray]] = {still: [] for still in STILL}
    calm: dict[float, list[np.ndarray]] = {still: [] for still in STILL}
    for number, places in tracks(frames).items():
        is_found = ~np.isnan(places[:, :, 0]).all(axis=1)
        if is_found.sum() >= SHORTEST:
            size = float(np.median([body_size(keypoints) for keypoints in places[is_found]]))
            moves = stillness(places, size, step_s)
            for still in STILL:
                raw[still].append(second_difference(places)[moves <= still] / size)
                calm[still].append(second_difference(shown[number])[moves <= still] / size)
    print("| moves in a second | keypoints | jitter, raw | smoothed | ratio | of medians |\n" + "|---" * 6 + "|")
    for still in STILL:
        before, after = (
            np.concatenate([*raw[still], np.empty((0, 2))]),
            np.concatenate([*calm[still], np.empty((0, 2))]),
        )
        if len(before):
            rms = [float(np.sqrt((values**2).mean())) for values in (before, after)]
            middle = [float(np.median(abs(values))) for values in (before, after)]
            print(
                f"| {still} | {len(before)} | {rms[0]:.4f} | {rms[1]:.4f} | {rms[1] / rms[0]:.2f} "
                f"| {middle[1] / middle[0]:.2f} |"
            )
        else:
            print(f"| {still} | 0 | | | | |")


def body(random: np.random.Generator) -> np.ndarray:
    """18 keypoints, (K, 3), of a body of SIZE pixels: here only their number and extent matter."""
    keypoints = np.ones((len(KEYPOINTS), 3))
    keypoints[:, :2] = random.uniform(0, (0.4 * SIZE, 0.9 * SIZE), (len(KEYPOINTS), 2))
    keypoints[:, :2] *= SIZE / body_size(keypoints)
    return keypoints


def smoothed(true: np.ndarray, noise: float, fps: float, random: np.random.Generator) -> np.ndarray:
    """The smoothed x and y of a person whose keypoints (T, K, 3) are found with noise."""
    smoother, places = Smoother(), []
    for index, keypoints in enumerate(true):
        found = keypoints.astype(np.float32)
        found[:, :2] += random.normal(0, noise * SIZE, (len(found), 2))
        places.append(smoother.smooth([Pose(SKELETON, found, 1.0, 1)], index / fps)[0].keypoints[:, :2])
    return np.array(places, float)


def lag_ms(true: np.ndarray, seen: np.ndarray, fps: float) -> float:
    """How far a keypoint (T, 2) is seen behind the true one, over its speed, where it is fast."""
    velocity = np.gradient(true, 1 / fps, axis=0)
    speed = length(velocity)
    is_fast = (speed > 0.7 * speed.max()) & (np.arange(len(true)) > fps)  # not in the first second
    return float(1000 * (((true - seen) * velocity).sum(axis=1) / np.maximum(speed, 1e-9) ** 2)[is_fast].mean())


def print_lag() -> None:
    names = [f"{hz:g} Hz, {size:g}: {2 * np.pi * hz * size:.1f}/s" for hz, size in WAVES]
    print("| FPS | noise | " + " | ".join([*names, *(f"walk {speed:g}/s" for speed in WALKS)]) + " |")
    print("|---" * (2 + len(WAVES) + len(WALKS)) + "|")
    for fps in (10, 30, 60):
        time_s = np.arange(6 * fps) / fps
        for noise in NOISE:
            random = np.random.default_rng(0)
            still = np.repeat(body(random)[None], len(time_s), axis=0)
            lags = []
            for hz, size in WAVES:
                true = still.copy()
                true[:, WRIST, :2] += (size * SIZE * np.sin(2 * np.pi * hz * time_s))[:, None] * (0.8, 0.6)
                seen = smoothed(true, noise, fps, random)
                lags.append(lag_ms(true[:, WRIST, :2], seen[:, WRIST], fps))
            for speed in WALKS:
                true = still.copy()
                true[:, :, 0] += (speed * SIZE * time_s)[:, None]
                lags.append(lag_ms(true[:, WRIST, :2], smoothed(true, noise, fps, random)[:, WRIST], fps))
            print(f"| {fps} | {noise} | " + " | ".join(f"{lag:.0f}" for lag in lags) + " |")


def print_time(repeats: int, frames: int = 200) -> None:
    random = np.random.default_rng(0)
    for people in (6, 25):
        bodies = [body(random) for _ in range(people)]
        medians, least = [], []
        for _ in range(repeats):
            smoother, taken_ms = Smoother(), []
            for index in range(frames):
                poses = []
                for number, keypoints in enumerate(bodies):
                    found = keypoints.astype(np.float32) + random.normal(0, 2, keypoints.shape).astype(np.float32)
                    found[random.random(len(found)) < 0.1] = np.nan
                    poses.append(Pose(SKELETON, found, 1.0, number))
                started_at = time.perf_counter()
                smoother.smooth(poses, index / 30)
                taken_ms.append(1000 * (time.perf_counter() - started_at))
            medians.append(float(np.median(taken_ms)))
            least.append(min(taken_ms[1:]))
        print(
            f"{people} people: {spread(medians, 2)} ms a frame, medians of {frames} frames; the least {min(least):.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", default=str(CLIP))
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    print(f"{machine()}; {options.video}, {options.model}\n")
    print_jitter(options.video, options.model)
    print("\nLag in ms; amplitudes, speeds and noise in body sizes")
    print_lag()
    print()
    print_time(options.repeats)


if __name__ == "__main__":
    main()

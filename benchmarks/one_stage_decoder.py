"""How long the decoder of one-stage networks takes: people among 8,400 candidates, as of an input of 640x640.

python -m benchmarks.one_stage_decoder

The candidates are made here: each person has some with boxes and keypoints that differ by a few pixels, as the cells
around it give them; all others are nobody. For comparison, what copying the output out of a request takes.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from human_pose.decoders.one_stage import OneStageDecoder

from .common import machine

CANDIDATES, PER_PERSON = 8400, 16
PEOPLE = (0, 1, 6, 25)


def candidates(people: int) -> np.ndarray:
    """An output (56, 8400) float32 with so many people, none of whom overlaps another."""
    random = np.random.default_rng(people)
    values = random.uniform(0, 640, (56, CANDIDATES)).astype(np.float32)
    values[4] = random.uniform(0, 0.01, CANDIDATES)
    values[7::3] = random.uniform(0, 1, (17, CANDIDATES))
    for person, cells in enumerate(random.permutation(CANDIDATES)[: people * PER_PERSON].reshape(people, PER_PERSON)):
        place = np.array([60 + person % 5 * 120, 60 + person // 5 * 120], np.float32)
        values[:2, cells] = place[:, None] + random.normal(0, 2, (2, PER_PERSON))
        values[2:4, cells] = 100 + random.normal(0, 2, (2, PER_PERSON))
        values[4, cells] = random.uniform(0.4, 0.9, PER_PERSON)
    return values


def timed_ms(function: Callable[[], object]) -> float:
    started_at = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - started_at)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    options = parser.parse_args()
    decoder = OneStageDecoder(has_candidates=True)
    outputs = {people: candidates(people) for people in PEOPLE}
    decode_ms: dict[int, list[float]] = {people: [] for people in PEOPLE}
    copy_ms: dict[int, list[float]] = {people: [] for people in PEOPLE}
    for _ in range(options.runs):
        for people, values in outputs.items():
            copy_ms[people].append(timed_ms(values.copy))
            decode_ms[people].append(timed_ms(lambda values=values: decoder.decode({"candidates": values})))  # type: ignore[misc]
    print(f"{machine()}; {CANDIDATES} candidates, {options.runs} runs; ms, median and min")
    print(f"{'people':>6} {'found':>6} {'decoder':>9} {'min':>7} {'copy':>7}")
    for people, values in outputs.items():
        found = len(decoder.decode({"candidates": values}))
        print(
            f"{people:>6} {found:>6} {statistics.median(decode_ms[people]):>9.3f} {min(decode_ms[people]):>7.3f} "
            f"{statistics.median(copy_ms[people]):>7.3f}"
        )


if __name__ == "__main__":
    main()

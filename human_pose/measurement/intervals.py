"""From repeated runs to figures: means with their intervals, and ratios that say whether a difference was shown.

The interval is the bootstrap's over runs, as a percentile interval widened for few runs (Hesterberg, "What Teachers
Should Know about the Bootstrap", arXiv 1411.5279: the expanded percentile interval). A plain one of five runs that is
called an interval of 95 % holds the truth far less often.
"""

import functools
import math
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95
MIN_RUNS = 5  # for an interval: of fewer, the bootstrap knows too little
RESAMPLES = 4000
BINS_PER_DECADE = 50  # of a histogram of latencies: each bin is 4.7 % wider than the one before


@dataclass(frozen=True)
class Figures:
    """Of one value a run; NaN where there is none. low, high: the mean's interval, None with fewer than MIN_RUNS."""

    values: tuple[float, ...]
    mean: float
    median: float
    sd: float
    low: float | None
    high: float | None

    @property
    def runs(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Ratio:
    """A ratio of means, or of a mean to a sum of means, with its interval; None where a side has too few runs."""

    value: float
    low: float | None
    high: float | None

    @property
    def is_shown(self) -> bool:
        """Whether the runs show a difference at all: the interval does not hold 1."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.2f}x (too few runs to tell)"
        verdict = "" if self.is_shown else ", no difference shown"
        return f"{self.value:.2f}x ({self.low:.2f} to {self.high:.2f}){verdict}"


def figures(values: Sequence[float]) -> Figures:
    """The figures of one value a run."""
    if not values:
        return Figures((), math.nan, math.nan, math.nan, None, None)
    array = np.array(values, float)
    sd = float(array.std(ddof=1)) if len(array) > 1 else 0.0
    interval = _interval(_means(tuple(values), 0), len(values))
    return Figures(tuple(values), float(array.mean()), float(np.median(array)), sd, *interval)


def ratio(above: Figures, *below: Figures) -> Ratio:
    """The mean of `above` over the sum of the means of all `below`."""
    sides = (above, *below)
    means = [_means(side.values, number) for number, side in enumerate(sides)]
    interval = _interval(means[0] / sum(means[1:]), min(side.runs for side in sides))
    return Ratio(above.mean / sum(side.mean for side in below), *interval)


def bins(latencies: Iterable[float]) -> dict[str, int]:
    """Latencies in ms -> {number of a bin: how many}; bin k goes from 10^(k/50) to 10^((k+1)/50) ms."""
    counts = Counter(math.floor(BINS_PER_DECADE * math.log10(max(latency, 1e-3))) for latency in latencies)
    return {str(number): count for number, count in sorted(counts.items())}


@functools.lru_cache(maxsize=1024)  # a mean and its ratios to others take the same resamples
def _means(values: tuple[float, ...], number: int) -> np.ndarray:
    """Means of resamples, (RESAMPLES,). The same values give the same resamples, whatever else is computed.

    number: of the sample in its ratio, so that two samples of one ratio are drawn independently.
    """
    sample = np.array(values, float)
    generator = np.random.default_rng([zlib.crc32(sample.tobytes()), number])
    means: np.ndarray = sample[generator.integers(0, len(sample), (RESAMPLES, len(sample)))].mean(axis=1)
    return means


def _interval(estimates: np.ndarray, runs: int) -> tuple[float | None, float | None]:
    if runs < MIN_RUNS:
        return None, None
    tail = NormalDist().cdf(-student_t(runs - 1) * (runs / (runs - 1)) ** 0.5)
    low, high = np.quantile(estimates, (tail, 1 - tail))
    return float(low), float(high)


def student_t(freedom: int) -> float:
    """Student's t at which CONFIDENCE is reached, both sides; by the series of Abramowitz and Stegun, 26.7.5."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom**power) for power, term in enumerate(terms, 1))

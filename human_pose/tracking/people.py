"""The people that the tracker knows: where they are, how they move, since when."""

from dataclasses import dataclass, fields

import numpy as np

from . import motion

SIZE_SETTLES_S = 1.0  # the size of a person is averaged over about this time


@dataclass
class People:
    """P people, one row each; a row with the number 0 is not confirmed yet.

    points: (P, K, 2) where the keypoints are by now, in pixels, NaN where never seen; velocity: (P, 2) pixels per
    second; covariance: (P, 3) of `motion`; size: (P,) body size in pixels; number: (P,); first_s, last_s: (P,) the
    times of the first and the last sight; sights, frames: (P,) in how many frames they were seen, of how many since
    the first sight.
    """

    points: np.ndarray
    velocity: np.ndarray
    covariance: np.ndarray
    size: np.ndarray
    number: np.ndarray
    first_s: np.ndarray
    last_s: np.ndarray
    sights: np.ndarray
    frames: np.ndarray

    @classmethod
    def seen_first(cls, points: np.ndarray, sizes: np.ndarray, time_s: float) -> "People":
        """New people at these points, (P, K, 2), with their body sizes in pixels, (P,)."""
        count = len(points)
        return cls(
            points=points,
            velocity=np.zeros((count, 2)),
            covariance=motion.first_covariance(count),
            size=sizes,
            number=np.zeros(count, int),
            first_s=np.full(count, time_s),
            last_s=np.full(count, time_s),
            sights=np.ones(count, int),
            frames=np.ones(count, int),
        )

    @classmethod
    def nobody(cls, keypoints: int) -> "People":
        return cls.seen_first(np.empty((0, keypoints, 2)), np.empty(0), 0.0)

    def __len__(self) -> int:
        return len(self.number)

    def predict(self, seconds: float) -> None:
        """A frame later everybody has walked on."""
        self.frames += 1
        self.points += seconds * self.velocity[:, None]
        self.covariance = motion.later_covariance(self.covariance, seconds)

    def see(
        self, rows: np.ndarray, points: np.ndarray, sizes: np.ndarray, belief: np.ndarray, time_s: float, seconds: float
    ) -> None:
        """The people of these rows are at `points`, (R, K, 2), with `sizes`, (R,), NaN if unknown.

        seconds: since the frame before. A keypoint that is hidden goes along with the others. The deviation from the
        prediction is the median over the keypoints, so that a limb of somebody else moves nobody. After a gap it
        corrects the velocity all over the gap, which was uncertain by then: what OC-SORT does by an update along a
        virtual path (Cao et al., "Observation-Centric SORT", 2023).
        """
        expected = self.points[rows]
        moved = middle(points - expected)
        share, speed, self.covariance[rows] = motion.correction(self.covariance[rows], belief, seconds)
        # The points keep their places to each other; as a whole they lie where prediction and sight together say.
        self.points[rows] = np.where(
            np.isnan(points),
            expected + (share[:, None] * moved)[:, None],
            points - ((1 - share)[:, None] * moved)[:, None],
        )
        self.velocity[rows] += speed[:, None] * moved
        old = self.size[rows]
        self.sights[rows] += 1
        weight = np.maximum(1 - np.exp(-seconds / SIZE_SETTLES_S), 1 / self.sights[rows])
        self.size[rows] = old * np.where(np.isnan(sizes), 1.0, sizes / old) ** (weight * belief)
        self.last_s[rows] = time_s

    def add(self, others: "People") -> None:
        for field in fields(self):
            setattr(self, field.name, np.concatenate([getattr(self, field.name), getattr(others, field.name)]))

    def keep(self, rows: np.ndarray) -> None:
        """Forget all others; rows: (P,) bool."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[rows])

    def widen(self, keypoints: int) -> None:
        """Room for so many more keypoints."""
        self.points = np.concatenate([self.points, np.full((len(self), keypoints, 2), np.nan)], 1)


def middle(moved: np.ndarray) -> np.ndarray:
    """The median over the keypoints, (R, 2), of what is not NaN; moved: (R, K, 2), no row all NaN."""
    count = np.count_nonzero(moved[..., 0] == moved[..., 0], axis=1)
    ordered = np.sort(moved, axis=1)  # NaN come last
    row = np.arange(len(moved))
    median: np.ndarray = (ordered[row, (count - 1) // 2] + ordered[row, count // 2]) / 2
    return median

"""How alike two poses are, and how large a body is, by the names of keypoints.

The unit of length is the body size: the square root of the area that a body covers, as in COCO's keypoint evaluation.
It is about 1.5 torso lengths (neck to hip), or 0.45 of a standing person's height.
"""

from collections.abc import Sequence

import numpy as np

# How far people who mark a keypoint differ, in body sizes: the constants of COCO's object keypoint similarity (OKS).
# Source: Lin et al., COCO's keypoint evaluation, cocodataset.org/#keypoints-eval.
COCO_SPREADS = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062,
    "hip": 0.107, "knee": 0.087, "ankle": 0.089,
}  # fmt: skip
# The neck lies between the shoulders and is found about as well as one of them. Other names are no keypoints of COCO;
# they get the spread of a shoulder, the middle of COCO's for the body.
OTHER_SPREAD = 0.079

# Usual lengths between keypoints, in torso lengths; the first is that of neck to hip. They are the medians over COCO's
# annotations that `decoders/openpose_fields.py` gives. A skeleton without a neck has the pairs of shoulder and hip.
USUAL_LENGTHS = (
    ("neck", "right_hip", 1.0), ("neck", "left_hip", 1.0),
    ("right_shoulder", "right_hip", 1.0), ("left_shoulder", "left_hip", 1.0),
    ("right_hip", "right_knee", 0.71), ("left_hip", "left_knee", 0.71),
    ("right_knee", "right_ankle", 0.77), ("left_knee", "left_ankle", 0.77),
    ("right_shoulder", "right_elbow", 0.53), ("left_shoulder", "left_elbow", 0.53),
    ("right_elbow", "right_wrist", 0.43), ("left_elbow", "left_wrist", 0.43),
    ("neck", "nose", 0.38), ("right_eye", "right_ear", 0.15), ("left_eye", "left_ear", 0.15),
)  # fmt: skip
BODY_SIZE_TORSOS = 1.5


def variances(keypoints: Sequence[str]) -> np.ndarray:
    """OKS's variance of each keypoint in squared body sizes, (K,): COCO takes twice the spread as the deviation."""
    spreads = [COCO_SPREADS.get(name.removeprefix("left_").removeprefix("right_"), OTHER_SPREAD) for name in keypoints]
    return (2 * np.array(spreads)) ** 2


class BodyScale:
    """Reads the size of a body from the lengths between its keypoints."""

    def __init__(self, keypoints: Sequence[str]) -> None:
        pairs = [pair for pair in USUAL_LENGTHS if pair[0] in keypoints and pair[1] in keypoints]
        self._starts = np.array([keypoints.index(start) for start, _, _ in pairs], int)
        self._ends = np.array([keypoints.index(end) for _, end, _ in pairs], int)
        self._usual = np.array([usual for _, _, usual in pairs]) / BODY_SIZE_TORSOS

    def sizes(self, points: np.ndarray) -> np.ndarray:
        """The body sizes in pixels, (N,), NaN where no length is known; points: (N, K, 2), NaN where missing.

        It is the median over the lengths found, where a length counts as much as it is usually long; so neither a short
        limb nor a limb of somebody else decides.
        """
        if len(self._usual) == 0:
            return np.full(len(points), np.nan)
        difference = points[:, self._ends] - points[:, self._starts]
        lengths = np.sqrt(np.einsum("nkd,nkd->nk", difference, difference))
        sizes = lengths / self._usual
        order = sizes.argsort(1)  # NaN come last
        row = np.arange(len(points))
        reached = np.where(lengths == lengths, self._usual, 0.0)[row[:, None], order].cumsum(1)
        middle = sizes[row, order[row, (reached < reached[:, -1:] / 2).sum(1)]]
        return np.where(middle > 0, middle, np.nan)


def squared_distances(points: np.ndarray, others: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Of each pair of bodies the squared distances of their keypoints in the first's body sizes, (P, N, K).

    points: (P, K, 2); others: (N, K, 2); sizes: (P,). NaN where one of both lacks the keypoint.
    """
    difference = (points[:, None] - others[None]) / sizes[:, None, None, None]
    result: np.ndarray = np.einsum("pnkd,pnkd->pnk", difference, difference)
    return result


def keypoint_similarity(squared: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """OKS over the keypoints that both bodies have, 0..1, 0 where they share none.

    squared: (..., K) squared distances in body sizes, NaN where not shared; variance: what broadcasts to it.
    One keypoint that does not fit at all is added to those shared: so the agreement of very few proves less.
    """
    shared = squared == squared  # not NaN
    alike = np.exp(np.where(shared, squared, np.inf) / (-2 * variance))
    result: np.ndarray = alike.sum(-1) / (shared.sum(-1) + 1)
    return result

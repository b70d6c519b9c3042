"""The shift of the whole picture, as its people show it: when the camera turns, all of them move alike."""

import numpy as np

WITNESSES = 3  # so many people, and more than half, must move alike; fewer could do so by chance
MORE = 1.0  # and so many more of them than fit a camera that stands still
LARGEST = 8  # so many people are asked at most, those whose places are surest: what they say is enough
NEAREST = 8  # so many poses are tried for each, those nearest to the prediction


def picture_shift(points: np.ndarray, poses: np.ndarray, size: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """By how many pixels, (2,), people are farther than predicted, all in the same direction; 0 if they are not.

    points: (P, K, 2), where people are expected; poses: (N, K, 2), where they are, in any order; size: (P,) pixels;
    variance: (P,) of their places, in squared body sizes. Every shift from a person to a pose is tried; those
    people vote for it who then find a pose close to where they are expected.
    """
    still = np.zeros(2)
    if len(points) < WITNESSES or len(poses) < WITNESSES:
        return still
    surest = variance.argsort(kind="stable")[:LARGEST]
    moved = poses[None] - points[surest, None]
    shared = moved == moved  # not NaN
    with np.errstate(invalid="ignore"):
        shifts = np.where(shared, moved, 0.0).sum(2) / shared.sum(2)  # (P, N, 2), NaN without a shared keypoint
    far = np.where(np.isnan(shifts), np.inf, shifts**2).sum(2)
    near = far.argsort(1, kind="stable")[:, :NEAREST]
    shifts = np.take_along_axis(shifts, near[..., None], 1)
    is_shift = np.isfinite(np.take_along_axis(far, near, 1))
    shifts = np.where(is_shift[..., None], shifts, 0.0)
    tried = np.concatenate([still[None], shifts[is_shift]])
    off = np.square(shifts[:, :, None] - tried).sum(-1)  # (P, N, tried)
    tolerance = (variance * size**2)[surest, None, None]
    fits = np.where(is_shift[..., None], np.exp(off / (-2 * tolerance)), 0.0)
    nearest = fits.max(1)
    votes = nearest.sum(0)
    best = int(votes.argmax())
    if votes[best] < max(WITNESSES - 0.5, len(surest) / 2) or votes[best] < votes[0] + MORE:
        return still
    weight = np.where(fits[:, :, best] == nearest[:, None, best], fits[:, :, best], 0.0)
    agreed: np.ndarray = (weight[..., None] * shifts).sum((0, 1)) / weight.sum()
    return agreed

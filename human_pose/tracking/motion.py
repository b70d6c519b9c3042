"""Where people will be: a steady walk and how uncertain it is, in seconds and body sizes.

This is a Kalman filter of place and velocity, as in SORT (Bewley et al., "Simple Online and Realtime Tracking", 2016).
Its noise is written per second and per body size, so neither the frame rate nor the resolution changes what it says.
The axes x and y have the same uncertainty, so a person has one covariance for both.
"""

import numpy as np

PLACE_NOISE = 0.1  # body sizes: the standard deviation of a pose's place, about 8 cm
NOISE_LASTS_S = 0.1  # poses that are nearer in time err alike, so more frames a second tell no more
WALK = 1.5  # body sizes per second: the standard deviation of a new person's velocity, about 1.2 m/s
TURN = 0.2  # body sizes^2 per second^3: in a second people change their velocity by the root of it, about 0.35 m/s


def first_covariance(count: int) -> np.ndarray:
    """Of people seen once, (count, 3): variance of place, covariance of place and velocity, variance of velocity."""
    return np.tile([PLACE_NOISE**2, 0.0, WALK**2], (count, 1))


def later_covariance(covariance: np.ndarray, seconds: float) -> np.ndarray:
    """The covariance (P, 3) when that many seconds have passed and nobody was seen."""
    place, both, velocity = covariance.T
    later = np.empty_like(covariance)
    later[:, 0] = place + 2 * seconds * both + seconds**2 * velocity + TURN * seconds**3 / 3
    later[:, 1] = both + seconds * velocity + TURN * seconds**2 / 2
    later[:, 2] = velocity + TURN * seconds
    return later


def correction(covariance: np.ndarray, belief: np.ndarray, seconds: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What people learn from a sight that comes `seconds` after the frame before.

    covariance: (P, 3). belief: (P,) 0..1, how sure it is that the sight is theirs; half as sure, it tells half as much.
    Returns the share of the deviation from the predicted place that is taken over, (P,); how much velocity each
    deviation tells, per second, (P,); the covariance afterwards. After no time nothing is learnt.
    """
    place, both, velocity = covariance.T
    news = belief * min(1.0, seconds / NOISE_LASTS_S)
    total = news * place + PLACE_NOISE**2
    share, speed = news * place / total, news * both / total
    after = np.empty_like(covariance)
    after[:, 0] = (1 - share) * place
    after[:, 1] = (1 - share) * both
    after[:, 2] = velocity - speed * both
    return share, speed, after

"""Where people will be: a constant velocity with its uncertainty, in seconds and body sizes.

It is a Kalman filter, as in SORT (Bewley et al., "Simple Online and Realtime Tracking", 2016), but its noise is written
per second and per body size, so that neither the frame rate nor the resolution changes it.
"""

import numpy as np

POSITION_NOISE = 0.1  # body sizes: the standard deviation of a pose's place
NOISE_LASTS_S = 0.1  # errors of frames that are nearer than this are alike, so more frames a second know no more
WALK = 1.5  # body sizes per second: the standard deviation of a new person's speed, on each axis; about 1.2 m/s
TURN = 0.2  # squared body sizes per second^3: people change their speed by the root of this in a second


def first_uncertainty(count: int) -> np.ndarray:
    """The covariance of people seen once, (count, 3): of place, of place and velocity, of velocity; in body sizes and seconds."""
    return np.tile([POSITION_NOISE**2, 0.0, WALK**2], (count, 1))


def later_uncertainty(covariance: np.ndarray, seconds: float) -> np.ndarray:
    """The covariance when that many seconds have passed without a sight."""
    place, both, velocity = covariance.T
    return np.stack(
        [
            place + 2 * seconds * both + seconds**2 * velocity + TURN * seconds**3 / 3,
            both + seconds * velocity + TURN * seconds**2 / 2,
            velocity + TURN * seconds,
        ],
        1,
    )


def seen(covariance: np.ndarray, seconds: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a sight tells: how much of a deviation from the prediction the place takes over, (P,), and the velocity, (P,), per second.

    The third is the covariance afterwards. seconds: since the frame before.
    """
    noise = POSITION_NOISE**2 * max(1.0, NOISE_LASTS_S / seconds if seconds > 0 else 1e9)
    place, both, velocity = covariance.T
    share, speed_share = place / (place + noise), both / (place + noise)
    after = np.stack([(1 - share) * place, (1 - share) * both, velocity - speed_share * both], 1)
    return share, speed_share, after

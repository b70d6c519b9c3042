"""Pictures and frames of a video as tests need them."""

from pathlib import Path

import cv2
import numpy as np


def read_picture(path: Path) -> np.ndarray:
    """A picture that is there and can be read, (h, w, 3) uint8 BGR."""
    image = cv2.imread(str(path))
    assert image is not None, path
    return image


def frames_of(video: Path, indices: list[int]) -> list[np.ndarray]:
    """Some frames, in their order: each (h, w, 3) uint8 BGR."""
    capture = cv2.VideoCapture(str(video))
    images = []
    for index in range(max(indices) + 1):
        _, image = capture.read()
        if index in indices:
            images.append(image)
    return images

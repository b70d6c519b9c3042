"""The arithmetic between frames and inputs, and that scaling skips no pixel."""

import numpy as np
import pytest

from human_pose.inference.input_size import frame_box, frame_pixels, network_input_size, scaled_size
from human_pose.inference.one_stage_outputs import DETRPOSE, RTMO, YOLO
from human_pose.inference.openpose_outputs import PREPROCESSING
from human_pose.inference.preprocess import fill_input
from human_pose.media.scaling import scale_into


@pytest.mark.parametrize(
    ("frame_size", "size", "expected"),
    [
        ((1920, 1080), 256, (456, 256)),  # 455.1 wide, padded to a multiple of 8
        ((456, 256), 256, (456, 256)),
        ((960, 720), 256, (344, 256)),
        ((1080, 1920), 256, (256, 456)),  # as many pixels as lying
        ((720, 960), 256, (256, 344)),
        ((479, 641), 368, (368, 496)),
        ((1, 1), 256, (256, 256)),
        ((641, 479), 368, (496, 368)),
        ((5000, 2), 256, (1024, 256)),
        ((2, 5000), 256, (256, 1024)),
    ],
)
def test_input_keeps_the_aspect_ratio_in_whole_cells(
    frame_size: tuple[int, int], size: int, expected: tuple[int, int]
) -> None:
    assert network_input_size(frame_size, size, PREPROCESSING) == expected


@pytest.mark.parametrize("frame_size", [(1920, 1080), (641, 479), (333, 777), (1, 1), (5000, 2), (2, 5000), (97, 61)])
@pytest.mark.parametrize("input_size", [(456, 256), (344, 256), (256, 456), (8, 256)])
def test_scaled_frame_fits_the_input_and_touches_one_edge(
    frame_size: tuple[int, int], input_size: tuple[int, int]
) -> None:
    width, height = scaled_size(frame_size, input_size)
    assert 1 <= width <= input_size[0]
    assert 1 <= height <= input_size[1]
    assert width == input_size[0] or height == input_size[1]


@pytest.mark.parametrize("frame_size", [(1920, 1080), (641, 479), (333, 777), (97, 61)])
def test_a_cell_is_eight_pixels_of_the_scaled_frame(frame_size: tuple[int, int]) -> None:
    input_size = network_input_size(frame_size, 256, PREPROCESSING)
    width, height = scaled_size(frame_size, input_size)
    assert min(width, height) == 256
    assert frame_pixels(frame_size, frame_box(frame_size, input_size, PREPROCESSING)) == (
        frame_size[0] / width,
        frame_size[1] / height,
    )


@pytest.mark.parametrize("size", [(960, 720), (1920, 1080), (3840, 2160), (720, 960)])
def test_a_frame_much_larger_than_the_input_is_averaged_not_sampled(size: tuple[int, int]) -> None:
    """Black and white pixels in turns are grey from afar; whoever skips pixels sees stripes."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    image = np.repeat((((rows + columns) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    target = np.zeros((size[1] // 3, size[0] // 3, 3), np.uint8)
    scale_into(image, target)
    assert np.abs(target.astype(int) - 127.5).max() <= 1


def test_a_frame_of_the_inputs_size_is_copied_as_it_is() -> None:
    image = np.random.default_rng(1).integers(0, 256, (128, 96, 3), np.uint8)
    target = np.zeros_like(image)
    scale_into(image, target)
    assert np.array_equal(target, image)


def test_what_the_frame_leaves_of_the_input_is_not_touched() -> None:
    target = np.full((1, 64, 80, 3), 7, np.uint8)
    assert fill_input(np.full((100, 50, 3), 200, np.uint8), target, PREPROCESSING) == (0, 0, 32, 64)
    assert (target[0, :, :32] == 200).all()
    assert (target[0, :, 32:] == 7).all()


def test_a_frame_in_the_middle_or_stretched_is_where_its_box_says() -> None:
    image = np.full((100, 50, 3), 200, np.uint8)
    for preprocessing, box in ((YOLO, (24, 0, 32, 64)), (DETRPOSE, (0, 0, 80, 64)), (RTMO, (0, 0, 32, 64))):
        target = np.full((1, 64, 80, 3), 7, np.uint8)
        left, top, width, height = fill_input(image, target, preprocessing)
        assert (left, top, width, height) == box
        inside = np.zeros((64, 80), bool)
        inside[top : top + height, left : left + width] = True
        assert (target[0, inside] == 200).all()
        assert (target[0, ~inside] == 7).all()


def test_scaling_keeps_places() -> None:
    """A bright square in a large frame is in the same part of the input."""
    image = np.zeros((720, 960, 3), np.uint8)
    image[180:360, 480:720] = 255
    target = np.zeros((128, 170, 3), np.uint8)
    scale_into(image, target)
    rows, columns = np.nonzero(target[..., 0] > 127)
    assert (rows.min() / 128, (rows.max() + 1) / 128) == pytest.approx((0.25, 0.5), abs=0.01)
    assert (columns.min() / 170, (columns.max() + 1) / 170) == pytest.approx((0.5, 0.75), abs=0.01)

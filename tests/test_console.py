"""What C libraries say by themselves is kept off the terminal, and nothing else."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from human_pose.console import hide_library_lines
from human_pose.errors import UsageError
from human_pose.media.sources import open_source


def test_only_the_libraries_lines_are_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    with hide_library_lines():
        os.write(
            2, b"libpng warning: iCCP: known incorrect sRGB profile\nFatal: a crash\nE0000 00:00 text_format.cc:1] x\n"
        )
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "Fatal: a crash\nafter\n"


def test_standard_error_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), hide_library_lines():
        raise ValueError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_damaged_png_is_one_error_without_libpngs_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """libpng itself would write 'libpng error: PNG input buffer is incomplete'."""
    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    data = cv2.imencode(".png", image)[1].tobytes()
    (tmp_path / "half.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError, match=r"half\.png' is not an image that can be read"):
        list(open_source(str(tmp_path / "half.png")).images())
    assert capfd.readouterr().err == ""

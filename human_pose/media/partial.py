"""Videos that are not complete yet. A process locks its own; those of killed processes are found and renamed."""

import contextlib
import logging
import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

import cv2

from ..files import PARTIAL_PREFIX, free_name, new_partial, opencv_path

log = logging.getLogger(__name__)

LEFT_AFTER_S = 3600.0  # a partial file of write_whole that is older was left by a killed program


class Partial:
    """A file beside its final name, locked until this process ends."""

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = new_partial(final)
        self._file = self.path.open("xb")
        if sys.platform == "win32":  # Windows cannot rename or remove an open file
            self._file.close()
        else:
            _try_lock(self._file)

    def keep(self) -> None:
        """Give the file its final name. Raises OSError."""
        self.path.replace(self.final)
        self._file.close()

    def replace_by(self, other: Path) -> None:
        """Remove the file; `keep` gives the final name to `other` instead."""
        self.remove()
        self.path = other

    def remove(self) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


def _try_lock(file: BinaryIO) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def clean_up(folder: Path) -> None:
    """Give the videos of killed runs a visible name; remove those that cannot be played."""
    with contextlib.suppress(OSError):
        with os.scandir(folder) as entries:
            left = [Path(entry) for entry in entries if entry.name.startswith(PARTIAL_PREFIX) and entry.is_file()]
        for path in left:
            with contextlib.suppress(OSError):
                _clean_up_one(path)


def _clean_up_one(path: Path) -> None:
    if not path.suffix:  # a file of write_whole
        if time.time() - path.stat().st_mtime > LEFT_AFTER_S:
            path.unlink()
        return
    with path.open("rb") as file:
        if not _try_lock(file):
            return
        frames = count_frames(path)
    if not frames:
        path.unlink()
        return
    name = free_name(path.with_name(f"unfinished{path.suffix}"))
    path.rename(name)
    log.warning(f"A run that was killed left a video of {frames} frames: it is now '{name}'.")


def count_frames(path: Path) -> int:
    """The number of pictures of a video that are on the disk; nothing is decoded."""
    with opencv_path(path) as name:
        video = cv2.VideoCapture(name, cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    frames = 0
    while video.grab():
        frames += 1
    video.release()
    return frames

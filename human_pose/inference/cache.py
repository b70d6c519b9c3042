"""Compiled networks on disk: OpenVINO reads no file that is not, byte for byte, the one that was written.

OpenVINO itself does not notice when the weights in a file have changed, and runs on them. So a checksum of each file
is kept beside it; a file without one, or with another, is deleted, and the network is compiled anew. Each configuration
has a folder of its own, because OpenVINO's names of files do not contain all properties of a HETERO's members.
"""

import atexit
import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import DemoError
from ..files import try_lock, write_whole

CHECKSUMS = "checksums.json"
UNUSED_DAYS = 30  # a configuration that nobody used for so long is deleted
MAX_BYTES = 1 << 30  # of the whole cache; what was used longest ago is deleted first

Stamp = tuple[str, int, int]  # a file's name, size and time of its last change in ns


@contextlib.contextmanager
def checked_folder(cache: Path, configuration: object, writes_later: bool = False) -> Iterator[Path | None]:
    """A folder for the networks compiled in one configuration, locked, every file in it as it was written.

    None where there can be none: another program or thread uses it, or it cannot be written.
    configuration: anything whose `repr` says what was asked for. writes_later: OpenVINO may still write to the folder
    after the context is left, as AUTO does once a slow device is ready; such a file gets its checksum at the program's
    end.
    """
    folder = cache / hashlib.sha256(repr(configuration).encode()).hexdigest()[:16]
    with try_lock(_lock_of(folder)) as is_mine:
        whole = _delete_what_changed(folder) if is_mine else None
        if whole is None:
            yield None
            return
        yield folder
        is_larger = _note_checksums(folder, whole)
    if is_larger:
        _delete_unused(cache, folder)
    if writes_later:
        atexit.register(_note_late_files, folder)


def _lock_of(folder: Path) -> Path:
    """The lock stays when its folder is deleted, so that no two programs ever hold different files of this name."""
    return folder.with_suffix(".lock")


def _delete_what_changed(folder: Path) -> dict[Stamp, str] | None:
    """Leave only files that are as they were written, and return their checksums; None where that cannot be done."""
    whole = {}
    try:
        folder.mkdir(exist_ok=True)
        files, known = _files(folder), _read_checksums(folder)
        for file in files:
            stamp, checksum = _stamp(file), _checksum(file)
            if known.get(file.name) == checksum:
                whole[stamp] = checksum
            else:
                file.unlink()
    except OSError:
        return None
    return whole if os.access(folder, os.W_OK) else None


def _note_checksums(folder: Path, known: dict[Stamp, str]) -> bool:
    """Write down the checksum of every file; of those unchanged it is `known`. Returns whether one has come."""
    try:
        stamps = {file: _stamp(file) for file in _files(folder)}
        checksums = {file.name: known.get(stamp) or _checksum(file) for file, stamp in stamps.items()}
        write_whole(folder / CHECKSUMS, json.dumps(checksums, indent=1).encode())  # its time is that of the last use
    except (OSError, DemoError):  # then the files are deleted at the next start
        return False
    return any(stamp not in known for stamp in stamps.values())


def _note_late_files(folder: Path) -> None:
    with try_lock(_lock_of(folder)) as is_mine:
        if is_mine and folder.is_dir():
            _note_checksums(folder, {})


def _read_checksums(folder: Path) -> dict[str, str]:
    try:
        checksums = json.loads((folder / CHECKSUMS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return checksums if isinstance(checksums, dict) else {}


def _files(folder: Path) -> list[Path]:
    """The files that have a checksum. Raises OSError where one is no file but a folder, or a pipe to be waited for."""
    paths = list(folder.iterdir())
    if not all(path.is_file() for path in paths):
        raise OSError(f"'{folder}' holds what is no file")
    return [path for path in paths if path.name != CHECKSUMS]


def _stamp(file: Path) -> Stamp:
    state = file.stat()
    return file.name, state.st_size, state.st_mtime_ns


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _delete_unused(cache: Path, in_use: Path) -> None:
    """Keep the cache from growing without end. What cannot be deleted, or is being used, stays."""
    with contextlib.suppress(OSError):
        for blob in cache.glob("*.blob"):  # of an earlier version, which kept all in one folder
            blob.unlink()
        last_use = {checksums.parent: checksums.stat().st_mtime for checksums in cache.glob(f"*/{CHECKSUMS}")}
        size = 0
        for folder in sorted(last_use, key=lambda folder: (folder == in_use, last_use[folder]), reverse=True):
            size += sum(file.stat().st_size for file in folder.iterdir())
            is_old = time.time() - last_use[folder] > UNUSED_DAYS * 86400
            if folder != in_use and (is_old or size > MAX_BYTES):
                with try_lock(_lock_of(folder)) as is_mine:
                    if is_mine:
                        shutil.rmtree(folder, ignore_errors=True)

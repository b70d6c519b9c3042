"""The cache of compiled networks. OpenVINO reads only files that are, byte for byte, as they were written.

OpenVINO itself does not notice changed weights in such a file and runs with them. So a checksum of each file is stored.
A file whose checksum is missing or different is deleted, and the network is compiled again. Each configuration has its
own folder, because OpenVINO's file names do not depend on all properties of a HETERO's members.
"""

import atexit
import contextlib
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import DemoError
from ..files import try_lock, write_whole

CHECKSUMS = "checksums.json"
UNUSED_DAYS = 30  # an older configuration is deleted
MAX_BYTES = 1 << 30  # of all configurations; the least recently used is deleted first

Stamp = tuple[str, int, int]  # a file's name, size, and time of last change in ns

_written_later: set[Path] = set()  # folders whose files may be newer than their checksums


@contextlib.contextmanager
def checked_folder(cache: Path, configuration: object, writes_later: bool = False) -> Iterator[Path | None]:
    """The locked folder of one configuration, with verified files only; None where it cannot be locked or written.

    configuration: an object whose `repr` identifies the configuration. writes_later: OpenVINO may write to the folder
    after the context is left, as AUTO does when a slow device is ready; `note_late_files` gives such a file its
    checksum when the program ends.
    """
    folder = cache / hashlib.sha256(repr(configuration).encode()).hexdigest()[:16]
    with try_lock(_lock_of(folder)) as is_mine:
        whole = _delete_what_changed(folder) if is_mine else None
        if whole is None:
            yield None
            return
        yield folder
        is_larger = _note_checksums(folder, whole, writes_later)
    if is_larger:
        _delete_unused(cache, folder)
    if writes_later:
        _written_later.add(folder)


@atexit.register
def note_late_files() -> None:
    """Store the checksums of what OpenVINO has written later. Call it before the process ends with os._exit."""
    while _written_later:
        folder = _written_later.pop()
        with try_lock(_lock_of(folder)) as is_mine:
            if is_mine and folder.is_dir():
                _note_checksums(folder, {}, may_be_at_work=True)


def _lock_of(folder: Path) -> Path:
    """The lock file. It stays when its folder is deleted, so that two programs never lock different files."""
    return folder.with_suffix(".lock")


def _delete_what_changed(folder: Path) -> dict[Stamp, str] | None:
    """Delete changed files and return the checksums of the others; None where the folder cannot be written."""
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


def _note_checksums(folder: Path, known: dict[Stamp, str], may_be_at_work: bool) -> bool:
    """Store the checksum of every file; `known` has those of unchanged files. Returns whether there are new files.

    may_be_at_work: OpenVINO may be writing one of them; it gets none.
    """
    try:
        stamps = {file: _stamp(file) for file in _files(folder) if not may_be_at_work or _is_complete(file)}
        checksums = {file.name: known.get(stamp) or _checksum(file) for file, stamp in stamps.items()}
        write_whole(folder / CHECKSUMS, json.dumps(checksums, indent=1).encode())  # the file's time is the last use
    except (OSError, DemoError):  # without checksums, the files are deleted at the next start
        return False
    return any(stamp not in known for stamp in stamps.values())


def _read_checksums(folder: Path) -> dict[str, str]:
    try:
        checksums = json.loads((folder / CHECKSUMS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return checksums if isinstance(checksums, dict) else {}


def _files(folder: Path) -> list[Path]:
    """All files but the list of checksums. Raises OSError where one is a folder or a pipe."""
    paths = list(folder.iterdir())
    if not all(path.is_file() for path in paths):
        raise OSError(f"'{folder}' holds an entry that is not a file")
    return [path for path in paths if path.name != CHECKSUMS]


def _is_complete(file: Path) -> bool:
    """Whether the right to write is gone: OpenVINO takes it from a file when all of it is written."""
    return not file.stat().st_mode & stat.S_IWUSR


def _stamp(file: Path) -> Stamp:
    state = file.stat()
    return file.name, state.st_size, state.st_mtime_ns


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _delete_unused(cache: Path, in_use: Path) -> None:
    """Limit the size of the cache. Folders that are in use or cannot be deleted stay."""
    with contextlib.suppress(OSError):
        for blob in cache.glob("*.blob"):  # an earlier version kept all files in one folder
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

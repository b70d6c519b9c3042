"""Output files: checked before a run, and under their final name only when they are whole."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import DemoError, UsageError


def cache_folder() -> Path | None:
    """The user's folder for what can be made anew; None if there can be none."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "human-pose-demo"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


@contextlib.contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold a lock file against other programs and threads; gives False at once where another holds it."""
    with path.open("a+b") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True  # closing the file unlocks it


def check_writable(path: Path) -> None:
    """Raise UsageError where no file can be written at `path`, so that no run is in vain."""
    if path.is_dir():
        raise UsageError(f"Cannot write '{path}': it is a folder. Give a file's name.")
    check_parent(path)


def check_parent(path: Path) -> None:
    """Raise UsageError where nothing can be made at `path`."""
    parent = path.absolute().parent
    if not parent.is_dir():
        raise UsageError(f"Cannot write '{path}': there is no folder '{path.parent}'. Make it, or give another.")
    if not os.access(parent, os.W_OK):
        raise UsageError(f"Cannot write '{path}': the folder '{path.parent}' is not writable. Give another.")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all. Raises DemoError."""
    partial: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.stem}-", delete=False) as file:
            partial = Path(file.name)
            file.write(data)
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise DemoError(f"Cannot write '{path}': {error.strerror}. Make room, or give another place.") from error

"""Output files: checked before a run, and under their final name only when they are whole."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import DemoError, UsageError


def is_utf8(path: Path) -> bool:
    """Whether a path's bytes are UTF-8, as OpenCV and OpenVINO need them; the system itself allows any bytes."""
    try:
        return os.fsencode(path) == str(path).encode()
    except UnicodeEncodeError:
        return False


@contextlib.contextmanager
def opencv_path(path: Path) -> Iterator[str]:
    """A path to the same file that OpenCV can take while the context is entered: bytes that are not UTF-8 crash it.

    A file that is yet to be written needs a name in UTF-8; its folder may have any. The path is absolute, because
    FFmpeg would take the part before a colon for a protocol. Raises UsageError where the system offers no such path.
    """
    path = path.absolute()
    if is_utf8(path):
        yield str(path)
        return
    name = path.name if is_utf8(Path(path.name)) else ""
    if not Path("/proc/self/fd").is_dir():
        raise UsageError(f"OpenCV cannot open '{path}', whose name is not UTF-8. Rename it.")
    number = os.open(path.parent if name else path, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{number}/{name}".rstrip("/")
    finally:
        os.close(number)


def cache_folder() -> Path | None:
    """The user's folder for what can be made anew; None if there can be none."""
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = (base / "human-pose-demo").absolute()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None
    return folder if is_utf8(folder) and os.access(folder, os.W_OK) else None


@contextlib.contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold a lock file against other programs and threads; gives False at once where that cannot be had.

    Another program or thread may hold it, or the file cannot be opened: it is another user's, say.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("a+b"))
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

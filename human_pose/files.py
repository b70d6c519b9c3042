"""Output files: checked before a run; named when they are complete, or whole from piece to piece."""

import contextlib
import errno
import io
import itertools
import math
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from .errors import DemoError, UsageError
from .output_log import OutputLog

PARTIAL_PREFIX = ".human-pose-"


def is_utf8(path: Path) -> bool:
    """Whether a path's bytes are UTF-8, which OpenCV and OpenVINO require; the system itself allows any bytes."""
    try:
        return os.fsencode(path) == str(path).encode()
    except UnicodeEncodeError:
        return False


@contextlib.contextmanager
def opencv_path(path: Path) -> Iterator[str]:
    """A path to the same file that OpenCV can open while the context is entered. Bytes that are not UTF-8 crash OpenCV.

    A file that does not exist yet needs a name in UTF-8; its folder may have any name. The path is absolute, because
    FFmpeg reads the part before a colon as a protocol. Raises UsageError where the system offers no such path.
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


@contextlib.contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Lock a file against other programs and threads; yields False at once where it cannot be locked.

    Then another program or thread holds the lock, or the file cannot be opened, because it belongs to another user,
    for example.
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
    """Raise UsageError where no file can be written at `path`. Called before a run, so that no result is lost."""
    if path.is_dir():
        raise UsageError(f"Cannot write '{path}': it is a folder. Give a file's name.")
    if path.exists() and not path.is_file():
        raise UsageError(f"Cannot write '{path}': it is a device or a pipe, not a file. Give a file's name.")
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"Cannot write '{path}': the file is write-protected. Give another name.")
    check_parent(path)


def check_parent(path: Path) -> None:
    """Raise UsageError where no file or folder can be created at `path`."""
    parent = final_path(path).parent
    shown = parent if path.is_symlink() else path.parent
    if not parent.is_dir():
        raise UsageError(f"Cannot write '{path}': there is no folder '{shown}'. Make it, or give another.")
    if not os.access(parent, os.W_OK):
        raise UsageError(f"Cannot write '{path}': the folder '{shown}' is not writable. Give another.")


def final_path(path: Path) -> Path:
    """The path behind symbolic links: the link stays, and its target is written."""
    return Path(os.path.realpath(path))


def identity(path: Path) -> tuple[int, int] | str:
    """A value that is the same for every name of a file: relative paths, symbolic links, hard links."""
    try:
        found = path.stat()
    except OSError:
        return os.path.normcase(os.path.realpath(path))
    return found.st_dev, found.st_ino


def free_name(path: Path) -> Path:
    """`path` if no such file exists, else the first free one of name-2, name-3, ..."""
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    return next(name for name in itertools.chain([path], names) if not os.path.lexists(name))


def new_partial(path: Path) -> Path:
    """A name beside `path` for a file that is not complete yet; it is short, so that `path` may have any length."""
    return path.with_name(f"{PARTIAL_PREFIX}{uuid.uuid4().hex[:8]}{path.suffix}")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file completely or not at all. It keeps the permissions of the file that it replaces.

    Raises DemoError, also where `path` is a device or a pipe, which must not be replaced.
    """
    target = final_path(path)
    partial = new_partial(target).with_suffix("")
    try:
        if target.exists() and not target.is_file():
            raise OSError(errno.EEXIST, "it is no file")
        try:
            with partial.open("xb") as file:
                file.write(data)
            if target.exists():
                shutil.copymode(target, partial)
            partial.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
    except OSError as error:
        raise DemoError(f"Cannot write '{path}': {error.strerror}. Make room, or give another place.") from error


def free_bytes(path: Path) -> float:
    """How many bytes the file at `path` can still grow, by its disk and by the limits of this process."""
    usage = shutil.disk_usage(path.parent)
    free = float(usage.free) if usage.total else math.inf  # some file systems do not say
    if sys.platform != "win32":
        import resource

        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        if limit != resource.RLIM_INFINITY:
            free = min(free, limit - path.stat().st_size)
    return free


class GrowingFile:
    """A file that grows by whole pieces, and is complete after each of them: a frame's keypoints, a visit.

    A piece is written at once, so that it stays when the process is killed. If the disk is full, the file ends with the
    last complete piece: what was written of another is removed, the failure is said once, and no more are written,
    because a piece would be missing in between.
    """

    def __init__(self, path: Path, noun: str, written: OutputLog | None = None, head: str = "", tail: str = "") -> None:
        """noun: what a piece is, for the messages. head, tail: what the file starts and ends with at any moment."""
        self._path, self._noun, self._written = path, noun, written or OutputLog()
        self._head, self._tail = head, tail.encode()
        self._file: io.FileIO | None = None
        self._end = 0  # length in bytes of what is written, without the tail
        self._pieces = 0
        self.has_failed = False

    def open(self) -> None:
        """Open the file, which replaces an older one, without a piece as yet. The first piece does so as well."""
        if self._file is not None or self.has_failed:
            return
        try:
            self._file = open(self._path, "wb", buffering=0)  # noqa: PTH123, SIM115
        except OSError as error:
            self._fail(error)
        else:
            self._add(self._head)

    def append(self, piece: str) -> None:
        """Overwrite the tail with a piece and a new tail. After a failure it does nothing."""
        self.open()
        if not self.has_failed and self._add(piece):
            self._pieces += 1

    def close(self) -> None:
        """Close the file if it was opened, and note it in the log."""
        if self._file is not None:
            self._file.close()
            self._written.add(self._path, self._count())

    def _add(self, text: str) -> bool:
        data = text.encode(errors="surrogateescape")  # the bytes of a name that is not UTF-8
        try:
            self._put(data + self._tail)
        except OSError as error:
            self._fail(error)
            return False
        self._end += len(data)
        return True

    def _put(self, data: bytes) -> None:
        """Write all of the data at the end; one system call may write only a part."""
        assert self._file is not None
        self._file.seek(self._end)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def _fail(self, error: OSError) -> None:
        self.has_failed = True
        if self._file is not None:
            with contextlib.suppress(OSError):
                # The file had the tail before, so there is space for it.
                self._file.truncate(self._end + len(self._tail) if self._end else 0)
                if self._end:
                    self._put(self._tail)
        self._written.fail(f"Cannot write '{self._path}': {error.strerror}. It ends after {self._count()}.")

    def _count(self) -> str:
        return f"{self._pieces} {self._noun}{'' if self._pieces == 1 else 's'}"

"""Which videos a command line names: files, folders, globs, lists, addresses through fsspec."""

import glob
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import UsageError, first_line
from ..invocation import pip_install

# Of the files that are taken from a folder.
VIDEO_SUFFIXES = frozenset(
    {".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm"}
)
WEB = ("http://", "https://")  # FFmpeg reads these itself


@dataclass(frozen=True)
class Video:
    """address: a path, or an address with ://. name: of its results below the output folder, without a suffix."""

    address: str
    name: str


def is_remote(address: str) -> bool:
    """Whether fsspec must fetch the video before OpenCV can read it."""
    return "://" in address and not address.startswith(WEB)


def find_videos(inputs: list[str]) -> list[Video]:
    """The videos that the inputs name, each once. Raises UsageError where one names none, or two names are the same.

    A video found in a folder, by ** or in a list keeps its path below that folder, or below the list's.
    """
    found: dict[str, Video] = {}
    for text in inputs:
        for video in _videos_of(text):
            found.setdefault(video.address, video)
    by_name: dict[str, Video] = {}
    for video in found.values():
        other = by_name.setdefault(video.name, video)
        if other is not video:
            raise UsageError(
                f"'{other.address}' and '{video.address}' would both become '{video.name}'. "
                "Give the folder that both are in, whose subfolders are kept, or rename one."
            )
    return list(by_name.values())


def _videos_of(text: str) -> Iterator[Video]:
    if text.startswith("@"):
        yield from _listed(Path(text[1:]))
    elif text.startswith(WEB):
        yield Video(text, _name(text.partition("?")[0].rsplit("/", 1)[-1]))
    elif "://" in text and not text.startswith("file://"):
        yield from _remote(text)
    else:
        yield from _local(text.removeprefix("file://"))


def _local(text: str) -> Iterator[Video]:
    path = Path(text)
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file()]
        if not files:
            raise UsageError(f"There is no video in the folder '{text}'. Give one that holds .mp4, .mkv, .avi files.")
        yield from (_at(file, path) for file in files if not _is_hidden(file.relative_to(path)))
    elif path.exists():
        yield _at(path, path.parent)
    elif glob.has_magic(text):
        fixed = Path(*_before_magic(path.parts))
        files = [Path(file) for file in sorted(glob.glob(text, recursive=True)) if Path(file).is_file()]  # noqa: PTH207
        if not files:
            raise UsageError(f"No file fits '{text}'. Give another pattern, in quotes.")
        yield from (_at(file, fixed) for file in files)
    else:
        raise UsageError(f"Cannot open '{text}': no such file. Give a video, a folder, a pattern or @list.txt.")


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _before_magic(parts: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        if glob.has_magic(part):
            return
        yield part


def _listed(file: Path) -> Iterator[Video]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read the list '{file}': {first_line(error)}. Give a text file.") from error
    entries = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not entries:
        raise UsageError(f"The list '{file}' names no video. Give one path or address a line.")
    for entry in entries:
        path = file.parent / entry
        if "://" not in entry and not Path(entry).is_absolute() and path.is_file() and ".." not in Path(entry).parts:
            yield _at(path, file.parent)
        else:
            yield from _videos_of(entry if "://" in entry else str(path))


def _remote(text: str) -> Iterator[Video]:
    system, path = open_system(text)
    try:
        if glob.has_magic(path):
            base, files = "/".join(_before_magic(PurePosixPath(path).parts)), system.glob(path)
        elif system.isdir(path):
            found = system.find(path)
            base, files = path, [file for file in found if PurePosixPath(file).suffix.lower() in VIDEO_SUFFIXES]
        else:
            base, files = path.rsplit("/", 1)[0], [path] if system.isfile(path) else []
    except Exception as error:  # whatever a file system's library raises
        raise UsageError(
            f"Cannot read '{text}': {first_line(error)}. Check the address and the credentials."
        ) from error
    if not files:
        raise UsageError(f"There is no video at '{text}'. Give another address.")
    for file in sorted(files):
        below = file.strip("/").removeprefix(base.strip("/").replace("//", "/")).strip("/")
        yield Video(system.unstrip_protocol(file), _name(below))


def open_system(address: str) -> tuple[Any, str]:
    """fsspec's file system of an address, and the path in it. Raises UsageError where that needs a package."""
    try:
        fsspec = importlib.import_module("fsspec.core")
    except ImportError as error:
        raise UsageError(f"'{address}' needs fsspec: {pip_install('batch')}.") from error
    try:
        system, path = fsspec.url_to_fs(address)
    except (ImportError, ValueError) as error:  # the package of this kind of address, such as s3fs
        raise UsageError(f"Cannot open '{address}': {first_line(error)}") from error
    return system, path


def _at(file: Path, base: Path) -> Video:
    return Video(str(file.absolute()), _name(file.relative_to(base).as_posix()))


def _name(below: str) -> str:
    return str(PurePosixPath(below).with_suffix(""))


def source_stamp(address: str) -> str:
    """A text that changes when the video behind an address is replaced. Raises UsageError."""
    if address.startswith(WEB):
        return ""
    if is_remote(address):
        system, path = open_system(address)
        try:
            facts = system.info(path)
        except Exception as error:
            raise UsageError(f"Cannot read '{address}': {first_line(error)}.") from error
        return " ".join(str(facts.get(key)) for key in ("size", "ETag", "LastModified", "mtime", "created"))
    try:
        facts = Path(address).stat()
    except OSError as error:
        raise UsageError(f"Cannot read '{address}': {error.strerror}.") from error
    return f"{facts.st_size} {facts.st_mtime_ns}"

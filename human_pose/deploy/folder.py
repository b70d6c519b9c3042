"""Make the folder and the archive: beside their place, under another name, until both are whole."""

import py_compile
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..console import ProgressLine
from ..errors import DemoError, UsageError, printable
from ..files import check_parent, new_partial
from ..inference.model import ModelFile
from ..zoo.listing import licence_text
from .contents import (
    PACKAGES,
    RUNTIME,
    Files,
    check_machine,
    distributions,
    interpreter_files,
    network_files,
    openvino_without,
    package_files,
    program_files,
)
from .elf import Version, read_binary
from .libraries import missing_libraries, newest_glibc
from .licences import licences_of, licences_of_libraries
from .manifest import MANIFEST, manifest_of

START = "human-pose"
READ_AS_SOURCE = {"cv2/config.py", "cv2/config-3.py"}  # OpenCV reads them itself
PROGRAM = "from human_pose.__main__ import program\n\nprogram()\n"  # by its name, messages know how to call it
COMPRESSION = 6  # of gzip: 9 takes twice as long for one part in a hundred


@dataclass(frozen=True)
class Wanted:
    """devices: those with a plugin of their own; the CPU is always among them. extras: of pyproject.toml."""

    devices: tuple[str, ...]
    models: tuple[ModelFile, ...]
    extras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """sizes in bytes; glibc: the oldest that the folder runs on. unlicensed: libraries whose licence is not known."""

    size: int
    packed: int | None
    glibc: Version
    unlicensed: list[Path]


def archive_of(folder: Path, kind: str) -> Path:
    """DIR.tar.gz or DIR.tar.xz."""
    return folder.with_name(f"{folder.name}.tar.{kind}")


def make(folder: Path, wanted: Wanted, archive_kind: str) -> Made:
    """Write the folder and, beside it, its archive. Raises UsageError or DemoError; then neither is there.

    archive_kind: gz, xz or none.
    """
    has_archive, final_archive = archive_kind != "none", archive_of(folder.absolute(), archive_kind)
    check_machine()
    folder = folder.absolute()
    check_target(folder, final_archive)
    packages = distributions(wanted.extras)
    left_out = openvino_without(wanted.devices, any(model.path.suffix == ".onnx" for model in wanted.models))
    files = interpreter_files() | program_files()
    for package in packages:
        files |= package_files(package, left_out)
    for model in wanted.models:
        files |= network_files(model)
    libraries = missing_libraries(files)
    texts, unlicensed = licences_of_libraries(libraries.values())
    files |= libraries | texts | licences_of(packages)

    workshop = new_partial(folder)
    written, archive = workshop / "folder", workshop / final_archive.name
    try:
        written.mkdir(parents=True)
        copy_all(files, written)
        glibc = newest_glibc(path for path in written.rglob("*") if path.is_file())
        write_scripts(written, glibc)
        (written / MANIFEST).write_bytes(manifest_of(written, facts_of(wanted, packages, glibc)))
        if has_archive:
            pack(written, archive, folder.name)
        size = sum(path.stat().st_size for path in written.rglob("*") if path.is_file())
        packed = archive.stat().st_size if has_archive else None
        written.rename(folder)
        if has_archive:
            archive.rename(final_archive)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DemoError(f"Cannot write '{folder}': {reason}. Make room, or give another place.") from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
        ProgressLine.clear()
    return Made(size, packed, glibc, unlicensed)


def check_target(folder: Path, archive: Path) -> None:
    """Raise UsageError where the folder or the archive cannot be written, or would replace something."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"'{folder}' is a file or a link. Give the name of a folder that is not there yet.")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"The folder '{folder}' is not empty. Give another, or empty it.")
    if archive.exists():
        raise UsageError(f"'{archive}' is already there. Remove it, or give another folder.")
    check_parent(folder)


def copy_all(files: Files, folder: Path) -> None:
    """Copy the files; modules are compiled, and binaries of the interpreter lose their debugging symbols."""
    progress = ProgressLine()
    for number, (place, source) in enumerate(files.items()):
        progress.show(f"Copying: file {number} of {len(files)}")
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        is_module = source.suffix == ".py" and place.removeprefix(f"{PACKAGES}/") not in READ_AS_SOURCE
        if not (is_module and compiled(source, target, place)):
            shutil.copyfile(source, target)
            target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
    own = Path(__file__).with_name("sitecustomize.py")
    stdlib = next((folder / RUNTIME / sys.platlibdir).glob("python*"))
    compiled(own, stdlib / own.name, own.name)
    # Packages' own libraries were changed by the tools that made the wheels; what `strip` does to such is not certain.
    strip(path for path in (folder / RUNTIME).rglob("*") if PACKAGES not in path.as_posix() and is_binary(path))


def compiled(source: Path, target: Path, shown: str) -> bool:
    """Write a module as Python runs it: it starts faster, and its age is never compared. False if it is no Python."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    try:
        py_compile.compile(str(source), str(target.with_suffix(".pyc")), shown, doraise=True, invalidation_mode=mode)
    except (py_compile.PyCompileError, ValueError):
        return False
    return True


def is_binary(path: Path) -> bool:
    """Whether a path is a file that `strip` takes."""
    return path.is_file() and read_binary(path) is not None


def strip(paths: Iterable[Path]) -> None:
    """Remove debugging symbols where the program `strip` is installed. Some interpreters have four fifths of them."""
    program = shutil.which("strip")
    if program is not None:
        for path in paths:
            subprocess.run([program, "--strip-debug", path], capture_output=True, check=False)


def write_scripts(folder: Path, glibc: Version) -> None:
    """The start script and a text that says what this folder is."""
    for source, name in (
        ("human-pose.sh", START),
        ("python.sh", f"{RUNTIME}/python"),
        ("README.txt", "README.txt"),
    ):
        text = Path(__file__).with_name(source).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("@GLIBC@", dotted(glibc)), encoding="utf-8")
    (folder / START).chmod(0o755)
    (folder / RUNTIME / "python").chmod(0o755)
    (folder / RUNTIME / START).write_text(PROGRAM, encoding="utf-8")


def dotted(version: Version) -> str:
    """(2, 28) -> '2.28'."""
    return ".".join(map(str, version))


def facts_of(wanted: Wanted, packages: Iterable[Any], glibc: Version) -> dict[str, Any]:
    """What the manifest says besides the files."""
    return {
        "made_by": f"human-pose-demo {__version__}",
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": "x86_64",
        "glibc": dotted(glibc),
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": {package.name: package.version for package in packages},
        "devices": list(wanted.devices),
        "extras": list(wanted.extras),
        "models": [
            {"name": model.name, "precision": model.precision, "licence": licence_text(model)}
            for model in wanted.models
        ],
    }


def pack(folder: Path, archive: Path, name: str) -> None:
    """Write a folder as NAME into a .tar.gz or .tar.xz, with the owner root."""
    progress = ProgressLine()

    def as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        progress.show(f"Packing: {printable(entry.name)}")
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    is_xz = archive.suffix == ".xz"
    with tarfile.open(archive, "x:xz") if is_xz else tarfile.open(archive, "x:gz", compresslevel=COMPRESSION) as tar:
        tar.add(folder, name, filter=as_root)

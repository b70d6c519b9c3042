"""The system's libraries that the binaries need and that a bare Linux lacks."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ..errors import DemoError
from .contents import RUNTIME, Files
from .elf import Version, read_binary

# What every Linux on which a desktop can run brings itself: glibc, what gcc's programs need, and zlib. An older
# libstdc++ in the folder would be in the way of the machine's own graphics driver. libOpenCL comes with that driver.
OF_THE_MACHINE = re.compile(r"(ld-linux-x86-64|lib(c|m|dl|pthread|rt|util|resolv|stdc\+\+|gcc_s|z|OpenCL))\.so(\.\d+)*")
RESOLVED = re.compile(r"^\s*(\S+) => (/\S+)", re.MULTILINE)  # a line of ldd


def missing_libraries(files: Files) -> Files:
    """The libraries, and the libraries that these need. Raises DemoError where this machine lacks one, too."""
    here = {Path(place).name for place in files}
    added: Files = {}
    found: dict[str, str] = {}
    open_ends = list(files.values())
    while open_ends:
        path = open_ends.pop()
        binary = read_binary(path)
        for name in binary.needed if binary else ():
            if name in here or OF_THE_MACHINE.fullmatch(name):
                continue
            if name not in found:
                found |= _resolved(path)
            if name not in found:
                raise DemoError(f"'{path.name}' needs the library {name}, which is not on this machine. Install it.")
            here.add(name)
            added[f"{RUNTIME}/lib/{name}"] = Path(found[name]).resolve()
            open_ends.append(Path(found[name]))
    return added


def _resolved(path: Path) -> dict[str, str]:
    """Where this machine finds the libraries of a binary, and theirs."""
    told = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return dict(RESOLVED.findall(told))


def newest_glibc(paths: Iterable[Path]) -> Version:
    """The oldest glibc on which all of these binaries run."""
    return max((binary.glibc for path in paths if (binary := read_binary(path))), default=())

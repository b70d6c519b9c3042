"""The licences of all that is inside."""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path

from ..folders import BUNDLED_MODELS, BUNDLED_VIDEO, PROJECT
from ..invocation import DISTRIBUTION
from .contents import LICENCE_NAME, Files

LICENCES = "licences"


def licences_of(packages: Iterable[Distribution]) -> Files:
    """Of the program, the interpreter, the models, the clip, and the packages."""
    files = {
        f"{LICENCES}/models/README.md": BUNDLED_MODELS / "README.md",
        f"{LICENCES}/videos/README.md": BUNDLED_VIDEO.parent / "README.md",
    }
    stdlib = Path(sysconfig.get_path("stdlib"))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = [stdlib / "LICENSE.txt", Path(f"/usr/share/doc/python{version}/copyright")]
    files |= {f"{LICENCES}/python/{path.name}": path for path in python if path.is_file()}
    for folder in _with_the_interpreter():
        files |= {f"{LICENCES}/python/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}
    if (PROJECT / "LICENSE").is_file():
        files[f"{LICENCES}/{DISTRIBUTION}/LICENSE"] = PROJECT / "LICENSE"
    else:  # an installed package has it elsewhere
        packages = [*packages, distribution(DISTRIBUTION)]
    for package in packages:
        for file in package.files or []:
            if LICENCE_NAME.search(file.name) and file.suffix not in (".py", ".pyc") and ".." not in file.parts:
                files[f"{LICENCES}/{package.name}/{file.as_posix()}"] = Path(str(file.locate()))
    return files


def licences_of_libraries(libraries: Iterable[Path]) -> tuple[Files, list[Path]]:
    """What the system's packages of these libraries say, and the libraries of which nothing is known."""
    files: Files = {}
    unknown: list[Path] = []
    libraries = list(libraries)
    owners = _debian_packages(libraries)
    for path in libraries:
        owner = owners.get(str(path).removeprefix("/usr"), "")
        text = Path(f"/usr/share/doc/{owner}/copyright")
        if owner and text.is_file():
            files[f"{LICENCES}/system-libraries/{owner}/copyright"] = text
        elif not path.name.startswith("libpython") and not (
            path.is_relative_to(sys.base_prefix) and _with_the_interpreter()
        ):
            unknown.append(path)
    return files, unknown


def _with_the_interpreter() -> list[Path]:
    """Where an interpreter that brings its own libraries may have their licences."""
    prefix = Path(sys.base_prefix)
    return [
        path for path in (prefix / "share/licenses", prefix / "licenses") if prefix != Path("/usr") and path.is_dir()
    ]


def _debian_packages(paths: Sequence[Path]) -> dict[str, str]:
    """The package that brought each file, by its path without /usr; nothing where the system is no Debian."""
    names = [name for path in paths for name in (str(path), str(path).removeprefix("/usr"))]  # as older packages say
    try:
        told = subprocess.run(["dpkg-query", "--search", *names], capture_output=True, text=True, check=False).stdout
    except OSError:
        return {}
    found = re.findall(r"^([\w.+-]+)(?::\w+)?: (.+)$", told, re.MULTILINE)
    return {path.removeprefix("/usr"): package for package, path in found}

"""The errors. Each is one line that names the problem and the remedy; only `main` turns it into an exit code."""

import errno
import textwrap

from .invocation import pip_install

LIBRARIES = {  # that opencv-python takes from the system, and Debian's package of each
    "libGL.so": "libgl1",
    "libgthread": "libglib2.0-0",
    "libglib": "libglib2.0-0",
    "libxcb": "libxcb1",
    "libX11": "libx11-6",
    "libSM": "libsm6",
    "libICE": "libice6",
    "libXext": "libxext6",
}


class DemoError(Exception):
    """A failed run: a download broke off, a device died, a disk is full."""

    exit_code = 1


class UsageError(DemoError):
    """Wrong use: a file, a device or an option that cannot work as it was given."""

    exit_code = 2


# What OpenVINO raises; the second where a driver's message or a device's name is not UTF-8.
LIBRARY_ERRORS = (RuntimeError, UnicodeDecodeError)


def first_line(error: BaseException) -> str:
    """A library's error message in one line, without its list of source files."""
    message = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
    lines = [printable(line.strip()) for line in message.splitlines()]
    informative = [line for line in lines if line and not line.startswith(("Exception from", "Check '"))]
    return textwrap.shorten(" ".join(informative or [line for line in lines if line][-1:]), 200) or type(error).__name__


def printable(text: str) -> str:
    """The text with a question mark for each control character, which could do anything to a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def explain_path_error(error: OSError) -> str:
    """One line for a path that the system rejects."""
    if error.filename is None and error.errno == errno.ENOENT:  # raised by os.getcwd()
        return "The working folder is gone. Change to one that exists."
    return f"{error.strerror}: '{error.filename}'. Give another path."


def package_of(message: str) -> str | None:
    """Debian's package of a system library that a message names, of those that opencv-python needs."""
    return next((package for library, package in LIBRARIES.items() if library in message), None)


def explain_import_error(error: ImportError) -> str:
    """One line that says what to install when the import of `openvino`, `opencv-python` or `numpy` failed."""
    message = str(error)
    package = package_of(message)
    if package is not None:
        packages = " ".join(dict.fromkeys([package, "libgl1", "libglib2.0-0", "libsm6"]))
        return (
            f"opencv-python misses the system library {message.split(':')[0]}. "
            f"On Debian or Ubuntu: sudo apt-get install -y {packages}"
        )
    if isinstance(error, ModuleNotFoundError):
        return f"The Python package '{error.name}' is missing. Install it with: {pip_install()}"
    return f"Cannot import {error.name or 'a package'}: {message}. Install afresh with: {pip_install()}"

"""Output files: checked before a run, and under their final name only when they are whole."""

import os
import tempfile
from pathlib import Path

from .errors import DemoError, UsageError


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
    try:
        with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.stem}-", delete=False) as file:
            partial = Path(file.name)
            try:
                file.write(data)
            except OSError:
                partial.unlink()
                raise
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        raise DemoError(f"Cannot write '{path}': {error.strerror}. Make room, or give another folder.") from error

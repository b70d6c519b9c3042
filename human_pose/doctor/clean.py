"""Remove what this program keeps in the user's folders, and nothing else."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import DemoError
from ..folders import NAME, users_folders
from ..invocation import IS_INSTALLED

CACHE = "compiled networks and what the tuner kept"
MODELS = "models that were downloaded or made"


def clean(with_models: bool) -> Iterator[str]:
    """Remove the cache and, of an installed package, the user's models; yields a line for each folder.

    with_models: False keeps the models. Raises DemoError where something cannot be removed.
    """
    folders = users_folders()
    if folders is None:
        yield "There is no folder of this program: you have no home folder."
        return
    cache, models = folders
    yield _removed(cache, CACHE, spared=models)  # on Windows, the models are inside
    if IS_INSTALLED and with_models:
        yield _removed(models, MODELS)
        _remove_if_empty(models.parent)


def _removed(folder: Path, what: str, spared: Path | None = None) -> str:
    """Remove a folder and say what was in it."""
    own = [folder] if folder.name == NAME else [folder.parent, folder]
    for path in own:
        if path.is_symlink():
            return f"Removed nothing: '{path}' is a symbolic link to '{path.readlink()}'. Empty that folder yourself."
    count = size = 0
    try:
        for file_size in _remove_below(folder, spared):
            count += 1
            size += file_size
    except OSError as error:
        raise DemoError(
            f"Cannot remove '{error.filename}': {error.strerror}. Close the programs that use it, or remove it "
            f"yourself. Removed so far: {count} files, {size / 1e6:.0f} MB."
        ) from error
    _remove_if_empty(folder)
    if not count:
        return f"There was nothing in {folder}"
    return f"Removed {count} file{'s' * (count != 1)}, {size / 1e6:.0f} MB, {what}: {folder}"


def _remove_below(folder: Path, spared: Path | None) -> Iterator[int]:
    """Remove what a folder holds; yields each file's size in bytes. Symbolic links go, what they point at stays."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path == spared:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _remove_below(path, spared)
            path.rmdir()
        else:
            size = path.lstat().st_size
            path.unlink()
            yield size


def _remove_if_empty(folder: Path) -> None:
    """It stays where another program writes to it, or where it holds what was spared."""
    with contextlib.suppress(OSError):
        folder.rmdir()

"""The folders: of the files that come with the project, and of the user's models and caches.

In a checkout all of them are beside the package. In an installed package, the bundled models and the video are inside
it; models that are downloaded or made later go to the user's own folders.
"""

import contextlib
import os
import sys
from pathlib import Path

from .files import is_utf8
from .invocation import BUNDLED, IS_INSTALLED

PROJECT = BUNDLED if IS_INSTALLED else Path(__file__).resolve().parent.parent
BUNDLED_MODELS = PROJECT / "models"
BUNDLED_VIDEO = PROJECT / "videos" / "park.mp4"
NAME = "human-pose-demo"  # of the user's folders


def cache_folder() -> Path | None:
    """The user's cache folder; None if it cannot be created or written."""
    try:
        folder = _cache()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: the user has no home folder
        return None
    return folder if is_utf8(folder) and os.access(folder, os.W_OK) else None


def _base(variable: str, on_linux: str, on_mac: str) -> Path:
    """The parent of the user's folder on this system. Raises RuntimeError where the user has no home folder."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / on_mac
    return Path(os.environ.get(variable) or Path.home() / on_linux)


def _cache() -> Path:
    return (_base("XDG_CACHE_HOME", ".cache", "Library/Caches") / NAME).absolute()


def _users_models() -> Path:
    return (_base("XDG_DATA_HOME", ".local/share", "Library/Application Support") / NAME / "models").absolute()


def users_folders() -> tuple[Path, Path] | None:
    """The user's cache folder and the user's models folder; a checkout does not use the latter.

    They need not exist. None where the user has no home folder.
    """
    try:
        return _cache(), _users_models()
    except RuntimeError:
        return None


def _models_folder() -> Path:
    """The folder for models that are downloaded, converted or quantized; it need not exist yet.

    In the working folder where there is no home folder, or one that this user may not enter, such as a service's.
    """
    if not IS_INSTALLED:
        return BUNDLED_MODELS
    try:
        folder = _users_models()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            folder.stat()
        return folder
    except (RuntimeError, PermissionError):
        return Path("models").absolute()


MODELS_FOLDER = _models_folder()

"""Where things are: what comes with the project, and what the user's models and caches are kept in.

In a checkout everything lies beside the package. Installed, models and clip are inside it, and what is fetched or made
later goes to the user's own folders.
"""

import os
import sys
from pathlib import Path

from .files import is_utf8

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "bundled"  # the wheel has it, a checkout has not
IS_INSTALLED = _INSTALLED.is_dir()
PROJECT = _INSTALLED if IS_INSTALLED else _PACKAGE.parent
BUNDLED_MODELS = PROJECT / "models"
BUNDLED_VIDEO = PROJECT / "videos" / "park.mp4"
NAME = "human-pose-demo"  # of the user's folders


def cache_folder() -> Path | None:
    """The user's folder for what can be made anew; None if there can be none."""
    try:
        folder = (_base("XDG_CACHE_HOME", ".cache", "Library/Caches") / NAME).absolute()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None
    return folder if is_utf8(folder) and os.access(folder, os.W_OK) else None


def _base(variable: str, on_linux: str, on_mac: str) -> Path:
    """Raises RuntimeError where the user has no home."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / on_mac
    return Path(os.environ.get(variable) or Path.home() / on_linux)


def _models_folder() -> Path:
    """Where models are fetched to, converted and quantized; it need not be there yet."""
    if not IS_INSTALLED:
        return BUNDLED_MODELS
    try:
        return (_base("XDG_DATA_HOME", ".local/share", "Library/Application Support") / NAME / "models").absolute()
    except RuntimeError:
        return Path("models").absolute()


MODELS_FOLDER = _models_folder()

"""What poses are made with: two runs with the same recipe make the same poses of a video."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from .. import __version__
from .inputs import Video, source_stamp


@dataclass(frozen=True)
class Recipe:
    """The options that change the results, the model's SHA-256 and the program's version."""

    model: str | None
    precision: str | None
    device: str
    size: int | None
    threshold: float | None
    min_keypoints: int | None
    annotates: bool
    format: str  # 'parquet' or 'jsonl'
    sha256: str = ""
    version: str = __version__

    def made_with(self, video: Video) -> dict[str, Any]:
        """What the results of a video are made with, as data. Raises UsageError where the video is gone."""
        return {"recipe": dataclasses.asdict(self), "source": video.address, "stamp": source_stamp(video.address)}


def fingerprint(made_with: dict[str, Any]) -> str:
    """A short name for it."""
    return hashlib.sha256(json.dumps(made_with, sort_keys=True).encode()).hexdigest()[:16]

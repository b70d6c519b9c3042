"""The last step of a video: add the source's sound, and move the index to the front so that a browser can start."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from ..files import free_bytes, new_partial
from .encoder import CREATION_FLAGS, MUXERS, EncoderError, as_file, start, wait
from .partial import count_frames

PROBE_TIMEOUT_S = 15
SOUND_BYTES_PER_S = 64_000  # an upper limit for usual sound


class Sound(NamedTuple):
    """A part of a file's sound: start and duration in s of the file's own time."""

    file: Path
    start_s: float
    duration_s: float


def video_start_s(file: Path) -> float | None:
    """When the pictures start, in s after the file's start; None where the file has no sound or cannot be probed."""
    program = shutil.which("ffprobe")
    if program is None:
        return None
    entries = ["-show_entries", "stream=codec_type,start_time:format=start_time", "-of", "json"]
    try:
        done = subprocess.run(
            [program, "-v", "error", *entries, as_file(file)], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=PROBE_TIMEOUT_S, check=False, start_new_session=True, creationflags=CREATION_FLAGS,
        )  # fmt: skip
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    starts = {stream.get("codec_type"): stream.get("start_time") for stream in reversed(found.get("streams", []))}
    if "audio" not in starts:
        return None
    try:
        return max(0.0, float(starts["video"]) - float(found["format"]["start_time"]))
    except (KeyError, TypeError, ValueError):
        return 0.0


def finish(partial: Path, sound: Sound | None) -> tuple[Path, bool]:
    """Rewrite a complete video with its index at the front, and with sound.

    Returns the new file and whether it has sound. Returns the same file where it need not be rewritten, the disk has
    too little space, or ffmpeg fails.
    """
    program = shutil.which("ffmpeg")
    muxer = MUXERS.get(partial.suffix.lower())
    if program is None or muxer is None or (muxer == "matroska" and sound is None):
        return partial, False
    bytes_needed = 1.1 * partial.stat().st_size + 1e6 + (sound.duration_s * SOUND_BYTES_PER_S if sound else 0)
    if free_bytes(partial) < bytes_needed:
        return partial, False
    ways = [["-c:a", "copy"], ["-c:a", "aac", "-b:a", "160k"]] if sound else []
    for way in [*ways, None] if muxer != "matroska" else ways:
        target = new_partial(partial)
        command = [program, "-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-i", as_file(partial)]
        if sound and way:
            seek = ["-ss", f"{sound.start_s:.6f}"] if sound.start_s > 0.001 else []
            command += [*seek, "-t", f"{sound.duration_s:.6f}", "-i", as_file(sound.file)]
        command += ["-map", "0:v:0", "-c:v", "copy"]
        if way:
            command += ["-map", "1:a:0", *way]
        command += ["-movflags", "+faststart", "-f", muxer, as_file(target)]
        has_ended, is_done = _run(command, target)
        if is_done and count_frames(target) >= count_frames(partial):
            return target, way is not None
        target.unlink(missing_ok=True)
        if not has_ended:  # another try would hang, too
            break
    return partial, False


def _run(command: list[str], target: Path) -> tuple[bool, bool]:
    """Run ffmpeg. Returns whether it ended without being killed, and whether it succeeded."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = start(command, errors)
        except EncoderError:
            return False, False
        has_ended = wait(process, lambda: target.stat().st_size if target.exists() else 0)
    return has_ended, has_ended and process.returncode == 0

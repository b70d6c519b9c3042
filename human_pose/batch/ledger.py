"""The output folder is the ledger: a video is done when its results have their names and say what they are made with.

Beside the results, `.human-pose-batch` holds a folder of pieces for each video that is not done yet.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..files import check_parent, identity, try_lock
from .inputs import Video
from .jobs import Joined, Task
from .join import ANNOTATED_SUFFIX
from .piece_files import OutputError, put
from .recipe import Recipe, fingerprint

WORK_FOLDER = ".human-pose-batch"
NOTE_SUFFIX = ".batch.json"  # beside the results of a video: what they are made with


class Ledger:
    """What is done in an output folder, by one recipe."""

    def __init__(self, folder: Path, recipe: Recipe, resumes: bool = True) -> None:
        """resumes: keep what is done; if not, everything is made anew."""
        self._folder, self._recipe, self._resumes = folder.absolute(), recipe, resumes
        self._made_with: dict[Video, dict[str, Any]] = {}

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, and keep other runs out of it. Raises UsageError."""
        if self._folder.exists() and not self._folder.is_dir():
            raise UsageError(f"'{self._folder}' is a file. Give --output a folder.")
        if not self._folder.exists():
            check_parent(self._folder)
        work = self._folder / WORK_FOLDER
        try:
            work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"Cannot write '{work}': {error.strerror}. Give another --output.") from error
        with try_lock(work / "lock") as is_mine:
            if not is_mine:
                raise UsageError(f"Another run writes to '{self._folder}'. Wait for its end, or give another --output.")
            yield

    def check(self, videos: Sequence[Video]) -> None:
        """Raise UsageError where a result would replace a file that is not this program's, or is of another recipe."""
        inputs = {identity(Path(video.address)) for video in videos if "://" not in video.address}
        for video in videos:
            note = self._note(video)
            for path in self._results(video):
                if identity(path) in inputs:
                    raise UsageError(f"The result '{path}' is one of the videos. Give another --output.")
                if note is None and path.exists():
                    raise UsageError(f"'{path}' is there already, and no run has written it. Give another --output.")
            if note is not None and self._resumes and note.get("recipe") != asdict(self._recipe):
                raise UsageError(
                    f"The results of '{video.name}' were made with {self._difference(note)}. "
                    "Give another --output, or --no-resume to replace them."
                )

    def done(self, video: Video) -> dict[str, Any] | None:
        """The note of a video whose results are complete, made of this very file; None if there is work to do."""
        note = self._note(video)
        if note is None or not self._resumes or not all(path.exists() for path in self._results(video)):
            return None
        try:
            is_same = note.get("stamp") == self._facts(video)["stamp"]
        except UsageError:  # the video is gone, its results are not
            is_same = True
        if is_same:
            shutil.rmtree(self._pieces(note), ignore_errors=True)
        return note if is_same else None

    def task(self, video: Video, piece_s: float, threads: int | None) -> Task:
        """Raises UsageError where the video is gone."""
        folder = self._pieces(self._facts(video))
        if not self._resumes:
            shutil.rmtree(folder, ignore_errors=True)
        return Task(video, self._recipe, folder, piece_s, threads)

    def commit(self, task: Task, joined: Joined) -> dict[str, Any]:
        """Give the results their names; returns the note. Raises OutputError.

        The note comes before the results: if the program is killed in between, a result is missing, so the video is
        not done.
        """
        facts = {"frames": joined.frames, "people": joined.people, "problem": joined.problem}
        note = self._facts(task.video) | facts
        try:
            for path in self._results(task.video):
                path.unlink(missing_ok=True)
            put(self._note_path(task.video), json.dumps(note, indent=1).encode())
            for suffix, file in joined.results:
                file.replace(self._path(task.video, suffix))
        except OSError as error:
            raise OutputError(f"Cannot write the results of '{task.video.name}': {error.strerror}.") from error
        shutil.rmtree(task.folder, ignore_errors=True)
        return note

    def token(self) -> Path:
        """A file that every worker must see, because it must see the output folder. Raises OutputError."""
        path = self._folder / WORK_FOLDER / "token"
        put(path, b"")
        return path

    def _facts(self, video: Video) -> dict[str, Any]:
        if video not in self._made_with:
            self._made_with[video] = self._recipe.made_with(video)
        return self._made_with[video]

    def _pieces(self, note: dict[str, Any]) -> Path:
        keys = ("recipe", "source", "stamp")
        return self._folder / WORK_FOLDER / fingerprint({key: note.get(key) for key in keys})

    def _results(self, video: Video) -> list[Path]:
        suffixes = [f".{self._recipe.format}"] + ([ANNOTATED_SUFFIX] if self._recipe.annotates else [])
        return [self._path(video, suffix) for suffix in suffixes]

    def _path(self, video: Video, suffix: str) -> Path:
        return self._folder / f"{video.name}{suffix}"

    def _note_path(self, video: Video) -> Path:
        return self._path(video, NOTE_SUFFIX)

    def _note(self, video: Video) -> dict[str, Any] | None:
        try:
            note: dict[str, Any] = json.loads(self._note_path(video).read_bytes())
        except (OSError, ValueError):
            return None
        return note

    def _difference(self, note: dict[str, Any]) -> str:
        """What differs between the recipes, in words: 'size 256 instead of 368'."""
        then, now = note.get("recipe", {}), asdict(self._recipe)
        different = [key for key in now if then.get(key) != now[key]]
        named = [key for key in different if key != "sha256"] or different
        return ", ".join(f"{key} {_shown(then.get(key))} instead of {_shown(now[key])}" for key in named)


def _shown(value: object) -> str:
    return "by default" if value is None else str(value)

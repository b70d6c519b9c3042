"""The examples in docs/study, whose HTML pages are not in the repository."""

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from human_pose.study.report import write_report
from human_pose.study.results import Study


@pytest.fixture(scope="session")
def written(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes an example's report into a temporary folder, once. Returns the folder; it has the example's name."""

    @functools.cache
    def write(example: str) -> Path:
        folder = tmp_path_factory.mktemp("written") / Path(example).name
        folder.mkdir()
        shutil.copy(root / example / "results.json", folder)
        write_report(Study.load(folder), folder)
        return folder

    return write

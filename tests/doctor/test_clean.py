"""What `doctor --clean` removes: the program's own folders of the user, and nothing else."""

from pathlib import Path

import pytest

from human_pose.doctor import clean as module
from human_pose.doctor.__main__ import main
from human_pose.folders import BUNDLED_MODELS, cache_folder, users_folders
from human_pose.zoo.catalog import DEFAULT_MODEL

CACHED, MADE = "cache/human-pose-demo", "data/human-pose-demo/models"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a cache, with models, and with files of other programs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in (f"{CACHED}/a/1.blob", f"{CACHED}/a.lock", f"{CACHED}/tuned.json", f"{MADE}/mine/FP16/mine.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(1_000_000))
    for name in ("cache/other/1.blob", "data/other/x", "mine/precious"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("not ours")
    return tmp_path


def others(home: Path) -> bool:
    return all((home / name).is_file() for name in ("cache/other/1.blob", "data/other/x", "mine/precious"))


def test_a_checkout_cleans_the_cache_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clean"]) == 0
    assert capsys.readouterr().out == (
        f"Removed 3 files, 3 MB, compiled networks and what the tuner kept: {home / CACHED}\n"
    )
    assert not (home / CACHED).exists()
    assert (home / MADE / "mine/FP16/mine.bin").is_file()  # of a package that is installed as well
    assert (BUNDLED_MODELS / DEFAULT_MODEL).is_dir()
    assert others(home)
    assert main(["--clean"]) == 0
    assert capsys.readouterr().out == f"There was nothing in {home / CACHED}\n"


def test_an_installed_package_cleans_its_models_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "IS_INSTALLED", True)
    assert main(["--clean"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(str(home / CACHED))
    assert second == f"Removed 1 file, 1 MB, models that were downloaded or made: {home / MADE}"
    assert not (home / CACHED).exists()
    assert not (home / MADE).parent.exists()
    assert others(home)


def test_the_models_can_be_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IS_INSTALLED", True)
    assert main(["--clean", "cache"]) == 0
    assert not (home / CACHED).exists()
    assert (home / MADE / "mine/FP16/mine.bin").is_file()


def test_links_are_not_followed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IS_INSTALLED", True)
    (home / CACHED / "a" / "out").symlink_to(home / "mine")
    (home / MADE / "net").symlink_to(home / "mine")
    (home / MADE / "one").symlink_to(home / "mine" / "precious")
    assert main(["--clean"]) == 0
    assert not (home / CACHED).exists()
    assert not (home / MADE).exists()
    assert others(home)


@pytest.mark.parametrize("linked", [CACHED, MADE, Path(MADE).parent])
def test_a_folder_that_is_a_link_is_left_to_its_owner(
    linked: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "IS_INSTALLED", True)
    (home / linked).rename(home / "elsewhere")
    (home / linked).symlink_to(home / "elsewhere")
    before = sorted((home / "elsewhere").rglob("*"))
    assert main(["--clean"]) == 0
    assert (
        f"Removed nothing: '{home / linked}' is a symbolic link to '{home / 'elsewhere'}'." in capsys.readouterr().out
    )
    assert sorted((home / "elsewhere").rglob("*")) == before
    assert others(home)


def test_models_inside_the_cache_folder_are_not_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is on Windows, and where both variables name one folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "cache"))
    models = home / CACHED / "models"
    (models / "mine").mkdir(parents=True)
    (models / "mine" / "net.bin").write_text("made")
    assert main(["--clean"]) == 0
    assert [path.name for path in (home / CACHED).rglob("*")] == ["models", "mine", "net.bin"]
    monkeypatch.setattr(module, "IS_INSTALLED", True)
    assert main(["--clean"]) == 0
    assert not (home / CACHED).exists()


def test_what_cannot_be_removed_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert main(["--clean"]) == 1
    first = home / CACHED / "a" / "1.blob"
    assert capsys.readouterr().err == (
        f"error: Cannot remove '{first}': Permission denied. Close the programs that use it, or remove it yourself. "
        "Removed so far: 0 files, 0 MB.\n"
    )


def test_without_a_home_folder_there_is_nothing_to_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert users_folders() is cache_folder() is None
    assert main(["--clean"]) == 0
    assert "no home folder" in capsys.readouterr().out

"""Commands in messages and help are as the user of this program can type them."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from human_pose import invocation
from human_pose.__main__ import DEMO, PROGRAMS
from human_pose.invocation import as_typed, command, pip_install


@pytest.fixture
def by_console_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/opt/somewhere/bin/human-pose"])


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocation, "IS_INSTALLED", True)


def test_in_a_checkout_a_command_is_a_module() -> None:
    assert (command("models"), command()) == ("python -m human_pose.models", "python human_pose_est.py")
    assert as_typed("python -m human_pose.tune --apply") == "python -m human_pose.tune --apply"


@pytest.mark.parametrize("started_as", ["human-pose", "/usr/bin/human-pose", "bin/human-pose.exe"])
def test_who_typed_the_console_command_can_type_it_again(started_as: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [started_as, "--loop"])
    assert (command("models"), command()) == ("human-pose models", "human-pose")
    text = "python -m human_pose.tune --apply\npython human_pose_est.py -d best"
    assert as_typed(text) == "human-pose tune --apply\nhuman-pose -d best"


def test_an_installed_package_has_no_script_in_this_folder(installed: None) -> None:
    assert (command("models"), command()) == ("python -m human_pose.models", "python -m human_pose")


def test_packages_are_installed_from_where_the_program_is(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pip_install("batch") == "pip install 'human-pose-demo[batch]'"
    needed = ["numpy<3,>=2.2", "openvino<2027,>=2026.4", "fsspec>=2026.1; extra == 'batch'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: needed)
    assert pip_install() == "pip install 'numpy<3,>=2.2' 'openvino<2027,>=2026.4'"
    monkeypatch.setattr(invocation, "IS_INSTALLED", False)
    assert (pip_install("batch"), pip_install()) == ("pip install '.[batch]'", "pip install -r requirements.txt")


@pytest.mark.parametrize("module", [DEMO, *PROGRAMS.values()])
def test_no_help_of_the_console_command_asks_for_python(
    module: str, by_console_command: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module).main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: human-pose")
    assert not re.search(r"\bpython3? |human_pose_est", shown)


def literals(file: Path) -> set[str]:
    """The texts of a module, without docstrings and what goes through `as_typed`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    left_out = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in TYPED)
        for inner in ast.walk(node)
    }
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in left_out]
    return {node.value for node in nodes if isinstance(node.value, str)}


TYPED = ("EXAMPLES", "KEY_HELP")


def test_no_message_has_a_command_of_its_own(root: Path) -> None:
    files = [*(root / "human_pose").rglob("*.py"), root / "human_pose_est.py"]
    for file in files:
        if file.name != "invocation.py":
            wrong = [text for text in literals(file) if re.search(r"python -m human_pose|python human_pose_est", text)]
            assert not wrong, file


def test_every_remedy_names_an_extra_that_exists(root: Path) -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    code = "".join(file.read_text(encoding="utf-8") for file in (root / "human_pose").rglob("*.py"))
    named = set(re.findall(r"pip_install\('(\w+)'\)", code))
    documents = "".join(file.read_text() for file in [*root.glob("*.md"), *(root / "docs").glob("*.md")])
    documented = set(re.findall(r"(?:human-pose-demo|'\.)\[(\w+)\]", documents))
    assert named == set(extras)
    assert documented <= set(extras)
    assert set(re.findall(r"^\| `(\w+)` \|", (root / "docs/install.md").read_text(), re.MULTILINE)) == set(extras)
    own = [file for file in (root / "human_pose").rglob("*.py") if file.name != "invocation.py"]
    for file in own:
        assert not re.search(r"pip install (?!--force-reinstall)", file.read_text(encoding="utf-8")), file

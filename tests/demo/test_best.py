"""The best of this machine: kept, void, and used by the demo with all its settings."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import openvino as ov
import pytest

from human_pose.demo.best import BEST, FILE, Best, keep_best, load_best, new_best
from human_pose.demo.networks import Networks
from human_pose.demo.options import parse_options
from human_pose.demo.panel import Text, network_figures
from human_pose.demo.window import Key, key_of
from human_pose.errors import UsageError
from human_pose.inference.configuration import Configuration
from human_pose.inference.model import ModelFile
from human_pose.inference.openvino_backend import OpenVinoCompiledModel
from human_pose.inference.settings import Settings
from human_pose.zoo.catalog import DEFAULT_MODEL
from tests.conftest import Program
from tests.helpers.painted import blank, save_network

SMALL = Configuration("CPU", DEFAULT_MODEL, "FP16-INT8", "throughput", 64)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept here is not the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def kept(tmp_path: Path) -> Best:
    """A choice of today, in the file."""
    best = new_best(ov.Core(), "throughput", SMALL, requests=5, streams=2, threads=2)
    assert keep_best(best) == tmp_path / "cache" / "human-pose-demo" / FILE
    return best


def change(tmp_path: Path, **fields: Any) -> None:
    """Change the kept choice in its file."""
    path = tmp_path / "cache" / "human-pose-demo" / FILE
    content = json.loads(path.read_text())
    content["choices"][DEFAULT_MODEL] |= fields
    path.write_text(json.dumps(content))


def test_what_is_kept_is_there_again(kept: Best) -> None:
    assert load_best(ov.Core(), DEFAULT_MODEL) == kept
    assert kept.configuration == replace(SMALL, preset=BEST)


def test_nothing_tuned_names_the_command(call: Program) -> None:
    done = call("-d", "best")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: Nothing was tuned for {DEFAULT_MODEL} on this machine. Run: python -m human_pose.tune --apply\n"
    )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"openvino": "2025.1.0"}, "is void: OpenVINO was 2025.1.0, and is 20"),
        ({"devices": {"CPU": "Some other CPU"}}, "is void: the machine then had CPU Some other CPU, and now has CPU "),
        ({"sha256": "0" * 64}, "is void: the network's file is another one now"),
        ({"requests": "many"}, "cannot be used: the file that holds it is damaged"),
        ({"hint": "fast"}, "cannot be used: the file that holds it is damaged"),
        ({"devices": 3}, "cannot be used: the file that holds it is damaged"),
        ({"more": 1}, "cannot be used: the file that holds it is damaged"),
    ],
)
def test_a_choice_is_void_on_another_machine_openvino_or_network(
    kept: Best, call: Program, tmp_path: Path, fields: dict[str, Any], why: str
) -> None:
    change(tmp_path, **fields)
    done = call("-d", "best", "--frames", 1)
    assert done.returncode == 2
    assert why in done.stderr
    assert done.stderr.endswith("Run: python -m human_pose.tune --apply\n")
    assert done.stderr.count("\n") == 1


def test_a_network_that_was_made_anew_voids_its_choice(tmp_path: Path) -> None:
    xml = save_network(tmp_path)
    keep_best(new_best(ov.Core(), "latency", Configuration("CPU", str(xml), "FP16", "latency"), None, None, None))
    assert load_best(ov.Core(), str(xml)).goal == "latency"
    weights = ModelFile("painted", "FP16", xml).weights
    weights.write_bytes(weights.read_bytes() + b"\0")
    with pytest.raises(UsageError, match="the network's file is another one now") as error:
        load_best(ov.Core(), str(xml))
    assert str(error.value).endswith(f"python -m human_pose.tune --apply -m {xml}")


@pytest.mark.parametrize("content", ["", "[]", '{"format": "human-pose-tuned", "version": 99}', "{" * 10000])
def test_a_file_that_is_none_counts_as_nothing(kept: Best, tmp_path: Path, content: str) -> None:
    (tmp_path / "cache" / "human-pose-demo" / FILE).write_text(content)
    with pytest.raises(UsageError, match="Nothing was tuned"):
        load_best(ov.Core(), DEFAULT_MODEL)
    keep_best(kept)  # and is replaced
    assert load_best(ov.Core(), DEFAULT_MODEL) == kept


def test_the_demo_compiles_with_what_was_tuned(kept: Best, call: Program, tmp_path: Path) -> None:
    done = call("-d", "best", "--frames", 8, "--report", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    used = json.loads((tmp_path / "r.json").read_text())["devices"][0]
    assert (used["requests"], used["streams"], used["size"], used["preset"]) == (5, 2, 64, "best")


def test_streams_and_threads_of_the_best_are_not_those_of_others(kept: Best) -> None:
    networks = Networks(ov.Core(), replace(SMALL, hint="latency"), lambda c: Settings(c.precision, c.hint), (320, 240))

    def compiled(configuration: Configuration) -> OpenVinoCompiledModel:
        found = networks.compile(configuration, blank())[0].compiled
        assert isinstance(found, OpenVinoCompiledModel)
        return found

    best = networks.best(DEFAULT_MODEL)
    tuned, other = compiled(best), compiled(replace(best, preset="", hint="latency"))
    assert (tuned.request_count, tuned.streams) == (5, 2)
    assert tuned.network.get_property("INFERENCE_NUM_THREADS") == 2
    assert (other.request_count, other.streams) == (1, 1)
    assert networks.note(best) == f"best of this machine for throughput, tuned {kept.tuned_on}"
    assert networks.note(replace(best, preset="")) == ""


def test_the_panel_says_that_it_is_the_best(kept: Best) -> None:
    blocks = network_figures(ModelFile("n", "FP32", Path("n.xml")), "throughput", (320, 256), False, kept.note)
    assert isinstance(blocks[-1], Text)
    assert blocks[-1].text == f"best of this machine for throughput, tuned {kept.tuned_on}"


def test_the_key() -> None:
    assert key_of(ord("b")) is key_of(ord("B")) is Key.BEST


@pytest.mark.parametrize("given", [["-p", "FP32"], ["--size", "128"], ["--hint", "throughput"], ["--streams", "2"]])
def test_the_best_takes_no_settings_beside_it(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse_options(["-d", "best", *given], None)
    assert stop.value.code == 2
    assert "'best' comes with what was tuned; leave --" in capsys.readouterr().err


def test_the_hint_is_throughput_by_default() -> None:
    assert parse_options([], None).hint == "throughput"
    assert parse_options(["-d", "best"], None).hint == "throughput"

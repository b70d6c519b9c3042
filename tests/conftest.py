"""What the tests share: the program as a process, a screen, the measurement data where it is."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openvino as ov
import pytest
from openvino import opset13 as ops

import human_pose_est
from human_pose.console import show_messages
from human_pose.inference.model import PoseModel, load_model
from human_pose.inference.settings import Settings, configure
from human_pose.measurement.stand_ins import write_plugins
from human_pose.zoo.resolve import choose_model
from tests.helpers.painted import HEIGHT, WIDTH, save_clip, save_network
from tests.helpers.window import PATIENCE_S, TITLE, Demo, wait_for

ROOT = Path(__file__).resolve().parent.parent
MEASUREMENT_DATA = ROOT.parent / "shared"

show_messages()  # as every command does
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of processes that tests start: a sixth of their start is theirs


def missing_program(*names: str) -> None:
    """Skip the test for want of programs; fail it on the machine that judges a change."""
    message = f"{' and '.join(names)} not installed: sudo apt-get install -y {' '.join(names).lower()}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def but_for_waiting(errors: str) -> str:
    """What the program said, without the line that it says on a machine that is busy with something else."""
    return re.sub(r"(Compiling the network for CPU|Connecting to \S+) \.\.\.\n", "", errors)


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can grow beyond `size` bytes, as if the disk were full."""
    resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests of the measurement data skip where it is not; not on the machine that judges a change."""
    if item.get_closest_marker("measurement_data") and not MEASUREMENT_DATA.is_dir():
        message = f"there is no measurement data in {MEASUREMENT_DATA.name}/ beside the project"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def measurement_data() -> Path:
    """Models, images and videos that are not part of the project; for tests marked so."""
    return MEASUREMENT_DATA


@pytest.fixture(scope="session")
def painted_xml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """IR of the network that finds what was painted."""
    return save_network(tmp_path_factory.mktemp("painted"))


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """Starts a `PoseServer` for a network; all are stopped at the end."""
    from tests.helpers.inference_server import PoseServer

    servers: list[PoseServer] = []

    def start(model: ov.Model, **more: Any) -> PoseServer:
        servers.append(PoseServer(model, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def first_maps_xml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mobilenet-thin up to its first heatmaps and fields: real weights, and a third of the time to compile."""
    model = ov.Core().read_model(choose_model("mobilenet-thin", None).path)
    sums = [node for node in model.get_ordered_ops() if node.get_type_name() == "Add"]
    first = [
        next(node for node in sums if node.output(0).partial_shape[1] == ov.Dimension(count)) for count in (19, 38)
    ]
    maps = ops.transpose(ops.concat([node.output(0) for node in first], 1), [0, 2, 3, 1])
    xml = tmp_path_factory.mktemp("first") / "first.xml"
    ov.save_model(ov.Model([ops.result(maps)], model.get_parameters(), "first"), xml)
    return xml


@pytest.fixture(scope="session")
def stand_in_core(tmp_path_factory: pytest.TempPathFactory) -> ov.Core:
    """A machine with a CPU and a stand-in GPU, which execute in f32 whatever the CPU's own type is."""
    core = ov.Core(str(write_plugins(tmp_path_factory.mktemp("plugins"))))
    configure(core, Settings("FP32"))
    return core


@pytest.fixture(scope="session")
def painted(stand_in_core: ov.Core, painted_xml: Path) -> PoseModel:
    """The network that finds what was painted, of the size of a painted picture."""
    network = load_model(stand_in_core, choose_model(str(painted_xml), None))
    network.reshape(WIDTH, HEIGHT)
    return network


@pytest.fixture(scope="session")
def painted_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames with a painted person."""
    return save_clip(tmp_path_factory.mktemp("clip"))


Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Run the demo without a window, in an empty folder; `env` changes its environment."""

    def run(
        *arguments: object, env: dict[str, str] | None = None, show: bool = False, project: Path = ROOT
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, project / "human_pose_est.py", *([] if show else ["--no-show"]), *arguments]
        done = subprocess.run(
            [str(part) for part in command],
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        done.stderr = but_for_waiting(done.stderr)
        return done

    return run


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """As `program`, but in the tests' own process, which saves its start: for what that start has no part in."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        words = ["--no-show", *map(str, arguments)]
        try:
            code = human_pose_est.main(words)
        except SystemExit as stop:  # by argparse
            assert isinstance(stop.code, int)
            code = stop.code
        output, errors = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, output, but_for_waiting(errors))

    return run


@pytest.fixture(scope="session")
def fresh_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as it is cloned, with no model but the bundled one, whatever was fetched into this folder."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copy(ROOT / "human_pose_est.py", folder)
    for name in ("human_pose", "videos", "models/human-pose-estimation-0001/FP16-INT8", "models/mobilenet-thin/FP16"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """A display of its own: starts Xvfb, gives its name (":7"). Skips where Xvfb or xdotool is not installed."""
    missing = [name for name in ("Xvfb", "xdotool") if not any((Path(p) / name).exists() for p in os.get_exec_path())]
    if missing:
        missing_program(*missing)
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        # Without -noreset it starts afresh when its last client goes; a program that comes just then has no display.
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1400x900x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture
def demo(screen: str, tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Start the demo in its window; what still runs at the end is killed."""
    started: list[Demo] = []

    def start(
        *arguments: object,
        script: Path | None = None,
        waits: bool = True,
        env: dict[str, str] | None = None,
        command: Sequence[object] = (),
    ) -> Demo:
        """Start it; `waits` until its panel is there. env: changes its environment. command: another demo."""
        demo = Demo(screen, tmp_path, *arguments, script=script, env=env, command=command)
        started.append(demo)
        try:
            wait_for(lambda: demo.is_painted(waits) or demo.process.poll() is not None, "the first picture")
        except AssertionError:
            print(demo.xdotool("search", "--name", TITLE, "getwindowgeometry"))
            demo.process.send_signal(signal.SIGABRT)  # tells where it stands
            demo.process.wait(PATIENCE_S)
        assert demo.process.poll() is None, demo.process.communicate()[1]
        demo.xdotool("mousemove", "100", "100")  # without a window manager, keys go to the window under the pointer
        return demo

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.communicate()

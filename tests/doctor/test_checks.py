"""The doctor on machines that are described in machines/*.json: what it says, and what it tells to do.

Most are written from the makers' documentation, since nobody here has so many machines; `about` says what each is.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from human_pose.doctor.checks import RANGES, can_run, examine
from human_pose.doctor.facts import Facts, Node
from human_pose.doctor.finding import MISSING, NOTE, OK, PROBLEM, Finding
from human_pose.invocation import NO_PLUGIN

FOLDER = Path(__file__).parent / "machines"
MACHINES = sorted(path.stem for path in FOLDER.glob("*.json"))


def machine(name: str) -> Facts:
    return Facts.from_data(json.loads((FOLDER / f"{name}.json").read_text()))


def of(name: str, topic: str) -> list[Finding]:
    return [finding for finding in examine(machine(name)) if finding.topic == topic]


# machine, topic, state, words of the text, words of the remedy
EXPECTED = [
    ("laptop-igpu", "GPU", OK, "Arc(TM) Graphics (iGPU); executes f32, f16, INT8; 15.4 GB; driver 25.18", ""),
    ("laptop-igpu", "NPU", MISSING, "There is no NPU.", ""),
    ("laptop-without-driver", "GPU", MISSING, "OpenCL driver is not", "sudo apt-get install -y intel-opencl-icd"),
    ("fedora-without-driver", "GPU", MISSING, "OpenCL driver is not", "sudo dnf install -y intel-compute-runtime"),
    ("arch-without-driver", "GPU", MISSING, "OpenCL driver is not", "install intel-opencl-icd (so they are called at"),
    ("laptop-without-loader", "GPU", MISSING, "loader does not load: libOpenCL", "ocl-icd-libopencl1 intel"),
    ("laptop-without-group", "GPU", MISSING, "may not use /dev/dri/renderD128", "usermod -a -G render ada"),
    ("laptop-group-since-login", "GPU", MISSING, "is in the group render since", "log out and in again"),
    ("old-kernel-new-gpu", "GPU", MISSING, "5.15.0-100-generic) has no driver for the Intel GPU 7d55", "modprobe i915"),
    ("gpu-given-to-a-virtual-machine", "GPU", MISSING, "vfio-pci has taken the Intel GPU", "modprobe"),
    ("nvidia-only", "GPU", MISSING, "graphics here are by NVIDIA; OpenVINO's GPU plugin runs on Intel's only", ""),
    ("driver-library-gone", "GPU", MISSING, "does not load: libigdrcl.so", "--reinstall intel-opencl-icd"),
    ("gpu-too-old", "GPU", MISSING, "OpenVINO offers no GPU: no devices found", "up to Ice Lake"),
    ("emulated", "GPU", OK, "[emulated on the CPU]", ""),
    ("npu-works", "NPU", OK, "Intel(R) AI Boost; executes f16, INT8; driver 1.17.0", ""),
    ("npu-without-firmware", "NPU", MISSING, "firmware is missing", "intel-fw-npu"),
    ("npu-old-kernel", "NPU", MISSING, "kernel 6.2.0-39-generic is too old", "newer kernel"),
    ("npu-without-module", "NPU", MISSING, "intel_vpu has not started the NPU", "sudo modprobe intel_vpu"),
    ("npu-without-group", "NPU", MISSING, "may not use /dev/accel/accel0", "usermod -a -G render ada"),
    ("npu-without-level-zero", "NPU", MISSING, "Level Zero loader does not load", "apt-get install -y libze1"),
    ("npu-without-driver", "NPU", MISSING, "NPU driver does not load: libze_intel_npu", "linux-npu-driver"),
    ("container-without-dri", "GPU", MISSING, "no access to the GPU", "--device /dev/dri"),
    ("container-without-dri", "NPU", MISSING, "no NPU in this container", "--device /dev/accel"),
    ("container-without-dri", "display", NOTE, "No window: there is no display", "--no-show"),
    ("container-without-dri", "video", NOTE, "ffmpeg is not installed", "apt-get install -y ffmpeg"),
    ("container-without-group", "GPU", MISSING, "belongs to the group 993", "--group-add $(stat -c %g /dev/dri"),
    ("wsl", "GPU", MISSING, "OpenCL driver is not installed", "intel-opencl-icd"),
    ("wsl", "NPU", MISSING, "WSL passes no NPU", "in Windows itself"),
    ("wsl-without-gpu", "GPU", MISSING, "no /dev/dxg", "wsl --update"),
    ("windows", "GPU", MISSING, "Intel's own graphics driver", "Windows Update"),
    ("windows", "NPU", MISSING, "NPU driver", "Windows Update"),
    ("macos", "GPU", MISSING, "no GPU plugin for macOS", ""),
    ("no-libgl", "packages", PROBLEM, "misses the system library libGL.so.1", "sudo apt-get install -y libgl1"),
    ("headless-opencv", "packages", PROBLEM, "overwrite each other", "pip uninstall -y opencv-python-headless"),
    ("headless-opencv", "display", PROBLEM, "has no windows", "pip uninstall -y opencv-python-headless"),
    ("old-openvino", "packages", PROBLEM, "2025.4.0; the demo needs 2026.4 or newer, below 2027", "pip install"),
    ("server", "GPU", MISSING, "graphics here are by ASPEED", ""),
    ("server", "display", NOTE, "No window", "ssh -X"),
    ("server", "cache", NOTE, "every start compiles anew", "XDG_CACHE_HOME"),
    ("models-gone", "models", PROBLEM, "not even the bundled one", "restore the folder models/"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "topic", "state", "text", "remedy"), EXPECTED)
def test_the_first_thing_that_is_wrong_is_named_with_its_remedy(
    name: str, topic: str, state: str, text: str, remedy: str
) -> None:
    finding = of(name, topic)[0]
    assert finding.state == state
    assert text in finding.text
    assert remedy in finding.remedy
    assert bool(remedy) == bool(finding.remedy)


def test_every_machine_has_an_expectation() -> None:
    assert {"igpu-and-dgpu", *(row[0] for row in EXPECTED)} == set(MACHINES)
    assert len(MACHINES) >= 12


@pytest.mark.parametrize("kind", ["GPU", "NPU"])
def test_a_folder_without_a_plugin_does_not_ask_for_a_driver(kind: str) -> None:
    facts = replace(machine("laptop-without-driver"), plugin_problems={kind: NO_PLUGIN})
    [finding] = [finding for finding in examine(facts) if finding.topic == kind]
    assert (finding.state, finding.remedy) == (MISSING, f"make the folder anew, with --devices CPU {kind}")


def test_two_gpus_are_two_lines() -> None:
    first, second = of("igpu-and-dgpu", "GPU")
    assert first.text.startswith("GPU.0: Intel(R) Arc(TM) Graphics (iGPU)")
    assert second.text.startswith("GPU.1: Intel(R) Arc(TM) A770 Graphics (dGPU)")


@pytest.mark.parametrize("name", MACHINES)
def test_only_missing_packages_and_models_stop_the_demo(name: str) -> None:
    findings = examine(machine(name))
    assert can_run(findings) == (name not in ("no-libgl", "models-gone"))
    assert all(finding.state in (OK, NOTE, MISSING, PROBLEM) for finding in findings)
    for finding in findings:
        assert finding.text.endswith((".", ")")), finding
        assert "\n" not in finding.text + finding.remedy
    known = {"packages", "video", "cache"} if name == "no-libgl" else {"packages", "CPU", "GPU", "NPU", "models"}
    assert {finding.topic for finding in findings} >= known


def test_facts_survive_json() -> None:
    for name in MACHINES:
        facts = machine(name)
        assert Facts.from_data(json.loads(json.dumps(facts.as_data()))) == facts


def test_a_large_cache_is_worth_a_word() -> None:
    facts = replace(machine("laptop-igpu"), cache_bytes=900_000_000)
    [finding] = [finding for finding in examine(facts) if finding.topic == "cache"]
    assert (finding.state, finding.remedy) == (NOTE, "python -m human_pose.doctor --clean cache")
    assert "900 MB" in finding.text


def test_root_needs_no_sudo() -> None:
    [finding] = [f for f in examine(replace(machine("laptop-without-driver"), user="root")) if f.topic == "GPU"]
    assert finding.remedy == "apt-get install -y intel-opencl-icd"


def test_one_device_file_that_may_be_used_is_enough() -> None:
    closed = Node("/dev/dri/renderD128", "render", False)
    facts = replace(machine("laptop-without-driver"), nodes=(closed, Node("/dev/dri/renderD129", "render", True)))
    [finding] = [finding for finding in examine(facts) if finding.topic == "GPU"]
    assert "OpenCL driver is not installed" in finding.text


def test_the_ranges_are_those_of_the_requirements(root: Path) -> None:
    for line in (root / "requirements.txt").read_text().split():
        name, _, rest = line.partition(">=")
        low, _, high = rest.partition(",<")
        assert RANGES[name] == (tuple(map(int, low.split("."))), tuple(map(int, high.split("."))))


@pytest.mark.parametrize(
    ("name", "mend"),
    [("laptop-igpu", "sudo apt-get install -y libsm6"), ("fedora-without-driver", "sudo dnf install -y libSM")],
)
def test_a_library_that_only_a_window_lacks_is_named_with_its_package(name: str, mend: str) -> None:
    facts = replace(machine(name), display_problem="the system library libSM.so.6 is missing")
    [finding] = [finding for finding in examine(facts) if finding.topic == "display"]
    assert finding == Finding("display", PROBLEM, "No window: the system library libSM.so.6 is missing.", mend)


@pytest.mark.parametrize(
    ("name", "first"), [("laptop-without-driver", ""), ("laptop-without-loader", "ocl-icd-libopencl1; ")]
)
def test_debian_13_has_no_package_of_the_gpu_driver(name: str, first: str) -> None:
    facts = replace(machine(name), distribution=("debian",), release="13")
    [finding] = [finding for finding in examine(facts) if finding.topic == "GPU"]
    assert finding.remedy.endswith(
        f"{first}install the packages of github.com/intel/compute-runtime/releases (Debian 13 has none)"
    )
    [older] = [finding for finding in examine(replace(facts, release="12")) if finding.topic == "GPU"]
    assert older.remedy.endswith("intel-opencl-icd")

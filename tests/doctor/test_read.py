"""What the doctor reads of a file system, of this machine, and of one that was broken on purpose."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from human_pose.doctor import read
from human_pose.doctor.facts import Facts, PciDevice
from tests.conftest import ROOT


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_distribution_and_those_it_is_like(tmp_path: Path) -> None:
    root = tree(tmp_path, {"etc/os-release": 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'})
    assert read.distribution(root) == ("linuxmint", "ubuntu", "debian")
    assert read.distribution(tmp_path / "nothing") == ()


def test_the_release_of_the_distribution(tmp_path: Path) -> None:
    root = tree(tmp_path, {"etc/os-release": 'ID=debian\nVERSION_ID="13"\n'})
    assert read.read_facts(root).release == "13"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({".dockerenv": ""}, "docker"),
        ({"run/.containerenv": ""}, "podman"),
        ({"proc/1/cgroup": "12:pids:/kubepods/burstable/pod1\n"}, "kubepods"),
        ({"proc/1/cgroup": "0::/init.scope\n"}, ""),
        ({}, ""),
    ],
)
def test_a_container_is_recognised(files: dict[str, str], expected: str, tmp_path: Path) -> None:
    assert read.container(tree(tmp_path, files)) == expected


def test_displays_and_accelerators_are_read_from_the_bus(tmp_path: Path) -> None:
    base = "sys/bus/pci/devices"
    root = tree(
        tmp_path,
        {
            f"{base}/0000:00:02.0/class": "0x030000\n", f"{base}/0000:00:02.0/vendor": "0x8086\n",
            f"{base}/0000:00:02.0/device": "0x7d55\n", "sys/bus/pci/drivers/i915/uevent": "",
            f"{base}/0000:00:0b.0/class": "0x120000\n", f"{base}/0000:00:0b.0/vendor": "0x8086\n",
            f"{base}/0000:00:0b.0/device": "0x7d1d\n",
            f"{base}/0000:00:1f.0/class": "0x060100\n", f"{base}/0000:00:1f.0/vendor": "0x8086\n",
        },
    )  # fmt: skip
    (root / base / "0000:00:02.0" / "driver").symlink_to(root / "sys/bus/pci/drivers/i915")
    assert list(read.pci_devices(root)) == [
        PciDevice("display", "8086", "7d55", "i915"),
        PciDevice("accelerator", "8086", "7d1d", None),
    ]


def test_device_files_say_whom_they_belong_to(tmp_path: Path) -> None:
    root = tree(tmp_path, {"dev/dri/renderD128": "", "dev/dri/card0": "", "dev/accel/accel0": ""})
    first, second = read.device_nodes(root)
    assert (first.path, first.allowed) == ("/dev/dri/renderD128", True)
    assert second.path == "/dev/accel/accel0"
    assert first.group


def test_modules_and_drivers_of_opencl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(
        tmp_path,
        {
            "proc/modules": "i915 4000000 1 - Live 0x0\nsnd 1 0 - Live 0x0\n",
            "etc/OpenCL/vendors/intel.icd": "/opt/intel/libigdrcl.so\n",
            "etc/OpenCL/vendors/empty.icd": "",
        },
    )
    monkeypatch.delenv("OCL_ICD_VENDORS", raising=False)
    assert read.modules(root) == ("i915",)
    empty, intel = read.opencl_drivers(root)
    assert (empty.entry, empty.problem) == ("empty.icd", "its file is empty")
    assert (intel.library, intel.problem.startswith("libigdrcl.so: cannot open")) == ("libigdrcl.so", True)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SSH_CONNECTION": "a b"}, "SSH"),
        ({"XRDP_SESSION": "1"}, "RDP"),
        ({"SESSIONNAME": "RDP-Tcp#1"}, "RDP"),
        ({}, ""),
    ],
)
def test_a_remote_session_is_recognised(environment: dict[str, str], expected: str) -> None:
    assert read.remote_session(environment) == expected


def test_groups_that_the_next_login_will_have(tmp_path: Path) -> None:
    root = tree(tmp_path, {"etc/group": "root:x:0:\nrender:x:993:ada,bob\nvideo:x:44:bob\nbroken\n"})
    assert read._groups_of_user("ada", root) == ("render",)
    assert read._groups_of_user("", root) == ()


# ---- this machine, whole and broken ----


def doctor(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "human_pose.doctor", *arguments],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def test_this_machine_can_run_the_demo_and_says_what_it_has() -> None:
    done = doctor("--json")
    assert (done.returncode, done.stderr) == (0, "")
    content = json.loads(done.stdout)
    assert content["can_run"] is True
    facts = Facts.from_data(content["facts"])
    assert facts.devices[0].name == "CPU"
    assert facts.packages["openvino"]
    assert "human-pose-estimation-0001 FP16-INT8" in facts.models
    topics = [finding["topic"] for finding in content["findings"]]
    assert topics[:2] == ["packages", "CPU"]


def test_without_display_and_cache_the_demo_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = doctor(DISPLAY=":5999", XDG_CACHE_HOME=str(tmp_path / "file" / "x"))
    assert done.returncode == 0
    assert "No window: there is no display" in done.stdout
    assert "every start compiles anew" in done.stdout
    assert "The demo can run here." in done.stdout


def test_a_package_that_cannot_be_imported_is_one_paragraph_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    done = doctor(PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
    assert "misses the system library libGL.so.1" in done.stdout
    assert "sudo apt-get install -y libgl1" in done.stdout
    assert "The demo cannot run here yet. (1 problem)" in done.stdout


def test_wrong_use_is_exit_code_2() -> None:
    done = doctor("--jsn")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")

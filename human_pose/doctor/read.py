"""Read the facts of this machine; nothing here judges, and nothing is changed."""

import contextlib
import ctypes
import importlib
import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import explain_import_error
from ..folders import BUNDLED_VIDEO, cache_folder
from .facts import Device, Facts, Node, OpenClDriver, PciDevice

PACKAGES = ("openvino", "opencv-python", "opencv-python-headless", "numpy")
KERNEL_MODULES = ("i915", "xe", "intel_vpu")
DISPLAY_CLASS, ACCELERATOR_CLASS = "0x03", "0x12"  # how the classes of PCI begin
PRECISIONS = {"FP32": "f32", "FP16": "f16", "BF16": "bf16", "INT8": "INT8"}


def read_facts(root: Path = Path("/")) -> Facts:
    """root: of the file system that describes the machine; what Python and OpenVINO say is always this machine's."""
    problem = import_problem()
    devices, plugin_problems = ((), {}) if problem else read_devices()
    cache = cache_folder()
    return Facts(
        system=platform.system(),
        kernel=platform.release(),
        user=_user(),
        in_groups=_groups_of_process(),
        member_of=_groups_of_user(_user(), root),
        distribution=distribution(root),
        release=_os_release(root).get("VERSION_ID", ""),
        container=container(root),
        is_wsl="microsoft" in platform.release().lower(),
        memory_gb=_memory_gb(),
        pci=tuple(pci_devices(root)),
        nodes=tuple(device_nodes(root)),
        modules=modules(root),
        firmware=tuple(sorted(path.name for path in (root / "lib/firmware/intel/vpu").glob("*.bin*"))),
        opencl_loader=why_not_loaded("OpenCL.dll" if sys.platform == "win32" else "libOpenCL.so.1"),
        opencl_drivers=tuple(opencl_drivers(root)),
        level_zero=why_not_loaded("ze_loader.dll" if sys.platform == "win32" else "libze_loader.so.1"),
        npu_library=_npu_library(),
        packages={name: _version(name) for name in PACKAGES},
        import_problem=problem,
        devices=tuple(devices),
        plugin_problems=plugin_problems,
        display_problem="" if problem else _display_problem(),
        remote=remote_session(os.environ),
        has_ffmpeg=shutil.which("ffmpeg") is not None,
        cache=str(cache) if cache else "",
        cache_bytes=sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()) if cache else 0,
        models=() if problem else _models(),
        clip=BUNDLED_VIDEO.is_file(),
    )


def import_problem() -> str:
    """Why the three packages cannot be imported, '' if they can."""
    try:
        for name in ("numpy", "cv2", "openvino"):
            importlib.import_module(name)
    except ImportError as error:
        return explain_import_error(error)
    return ""


def distribution(root: Path) -> tuple[str, ...]:
    """'ubuntu', 'debian': the id of the Linux, then those it is like."""
    found = _os_release(root)
    return (*found.get("ID", "").split(), *found.get("ID_LIKE", "").split())


def _os_release(root: Path) -> dict[str, str]:
    try:
        text = (root / "etc/os-release").read_text(errors="replace")
    except OSError:
        return {}
    return dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)"?$', text, re.MULTILINE))


def container(root: Path) -> str:
    """'docker', 'podman', 'lxc', ...; '' where this is no container."""
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    try:
        found = re.search(r"(docker|kubepods|lxc|containerd)", (root / "proc/1/cgroup").read_text())
    except OSError:
        return ""
    return found[1] if found else ""


def pci_devices(root: Path) -> Iterator[PciDevice]:
    """Displays and accelerators."""
    for folder in sorted((root / "sys/bus/pci/devices").glob("*")):
        kind = _text(folder / "class")
        if kind.startswith((DISPLAY_CLASS, ACCELERATOR_CLASS)):
            driver = folder / "driver"
            yield PciDevice(
                "display" if kind.startswith(DISPLAY_CLASS) else "accelerator",
                _text(folder / "vendor").removeprefix("0x"),
                _text(folder / "device").removeprefix("0x"),
                driver.resolve().name if driver.exists() else None,
            )


def device_nodes(root: Path) -> Iterator[Node]:
    """The device files of GPU and NPU."""
    for pattern in ("dev/dri/renderD*", "dev/accel/accel*", "dev/dxg"):
        for path in sorted(root.glob(pattern)):
            shown = "/" + path.relative_to(root).as_posix()
            yield Node(shown, _group_of(path), os.access(path, os.R_OK | os.W_OK))


def modules(root: Path) -> tuple[str, ...]:
    """Those of KERNEL_MODULES that are loaded."""
    try:
        loaded = {line.split(" ")[0] for line in (root / "proc/modules").read_text().splitlines()}
    except OSError:
        return ()
    return tuple(name for name in KERNEL_MODULES if name in loaded)


def opencl_drivers(root: Path) -> Iterator[OpenClDriver]:
    """The entries of the OpenCL loader's list, each tried."""
    folder = Path(os.environ.get("OCL_ICD_VENDORS") or root / "etc/OpenCL/vendors")
    for path in sorted(folder.glob("*.icd")):
        library = _text(path)
        yield OpenClDriver(path.name, Path(library).name, why_not_loaded(library) if library else "its file is empty")


def why_not_loaded(library: str) -> str:
    """Why a shared library does not load, in the system's words without folders; '' if it does."""
    try:
        ctypes.CDLL(library)
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else "for no reason that is told"
        return re.sub(r"(/[^/\s:]+)+/(?=[^/\s]+)", "", first)
    return ""


def remote_session(environment: "os._Environ[str] | dict[str, str]") -> str:
    """'SSH', 'RDP' or 'VNC' where the person is not at the machine, '' else."""
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return "SSH"
    if environment.get("XRDP_SESSION") or environment.get("SESSIONNAME", "").startswith("RDP"):
        return "RDP"
    return "VNC" if environment.get("VNCDESKTOP") else ""


def read_devices() -> tuple[list[Device], dict[str, str]]:
    """What OpenVINO offers, and why it lacks the rest."""
    import openvino as ov

    from ..errors import LIBRARY_ERRORS, first_line
    from ..inference.devices import device_property, full_name, is_stand_in, missing_devices

    try:
        core = ov.Core()
        names = list(core.available_devices)
    except LIBRARY_ERRORS as error:
        return [], {"CPU": first_line(error)}
    devices = []
    for name in names:
        capabilities = device_property(core, name, "OPTIMIZATION_CAPABILITIES") or []
        kind = name.partition(".")[0]
        memory = device_property(core, name, f"{kind}_DEVICE_TOTAL_MEM_SIZE")
        driver = device_property(core, name, f"{kind}_DRIVER_VERSION")
        devices.append(
            Device(
                name,
                full_name(core, name) or name,
                tuple(PRECISIONS[one] for one in capabilities if one in PRECISIONS),
                _requests(core, name),
                round(int(memory) / 1e9, 1) if memory else None,
                str(driver or ""),
                is_stand_in(core, name),
            )
        )
    return devices, missing_devices(core)


def _requests(core: Any, device: str) -> int | None:
    """How many infer requests it asks for; None for others than the CPU, whose compilation can take minutes."""
    if not device.startswith("CPU"):
        return None
    from ..inference.model import load_model
    from ..zoo.resolve import choose_model

    with contextlib.suppress(Exception):  # without a network there is nothing to ask with
        network = load_model(core, choose_model(None, None))
        network.reshape(64, 64)
        compiled = core.compile_model(network.model, device, {"PERFORMANCE_HINT": "THROUGHPUT"})
        return int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
    return None


def _models() -> tuple[str, ...]:
    from ..zoo.listing import entries

    return tuple(f"{one.name} {one.precision}" for one in entries() if one.state in ("bundled", "on disk"))


def _display_problem() -> str:
    from ..demo.screen import why_no_window

    return why_no_window() or ""


def _npu_library() -> str:
    names: Sequence[str] = ("libze_intel_npu.so.1", "libze_intel_vpu.so.1")
    if sys.platform == "win32":
        return ""  # part of the driver, under a name of its own
    problems = [why_not_loaded(name) for name in names]
    return problems[0] if all(problems) else ""


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _user() -> str:
    """'' where the system has no name for the user."""
    if sys.platform == "win32":
        return os.environ.get("USERNAME", "")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


def _groups_of_process() -> tuple[str, ...]:
    if sys.platform == "win32":
        return ()
    return tuple(sorted({_group_name(number) for number in os.getgroups()}))


def _groups_of_user(user: str, root: Path) -> tuple[str, ...]:
    """Of /etc/group: what a new login of the user will be in."""
    lines = [line.split(":") for line in _text(root / "etc/group").splitlines()]
    return tuple(sorted(line[0] for line in lines if len(line) > 3 and user and user in line[3].split(",")))


def _group_of(path: Path) -> str:
    try:
        return _group_name(path.stat().st_gid)
    except OSError:
        return ""


def _group_name(number: int) -> str:
    if sys.platform == "win32":
        return ""
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _memory_gb() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)

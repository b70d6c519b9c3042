"""What is right and wrong with a machine, and the command that mends it. Each check is a function of the facts alone.

What is said of drivers is from their makers' documentation; docs/your-gpu.md has the links.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .facts import Device, Facts, Node, PciDevice

INTEL = "8086"
VENDORS = {INTEL: "Intel", "10de": "NVIDIA", "1002": "AMD", "1a03": "ASPEED", "1234": "QEMU", "15ad": "VMware"}
RANGES = {"openvino": ((2026, 4), (2027,)), "opencv-python": ((5, 0), (6,)), "numpy": ((2, 2), (3,))}
NPU_KERNEL = (6, 6)  # the first Linux whose driver OpenVINO's documentation asks for
LARGE_CACHE = 500_000_000  # bytes
OK, NOTE, MISSING, PROBLEM = "ok", "note", "missing", "problem"


@dataclass(frozen=True)
class Finding:
    """state: OK; NOTE, worth knowing; MISSING, a device that is not here; PROBLEM.

    remedy: what mends it, '' if nothing does; stops_demo: the demo cannot run at all.
    """

    topic: str
    state: str
    text: str
    remedy: str = ""
    stops_demo: bool = False


Check = Callable[[Facts], Iterator[Finding]]


def examine(facts: Facts) -> list[Finding]:
    """Everything, in the order in which it should be mended."""
    return [finding for check in CHECKS for finding in check(facts)]


def can_run(findings: Sequence[Finding]) -> bool:
    """Whether the demo can run, with or without a window."""
    return not any(finding.stops_demo for finding in findings)


def check_packages(facts: Facts) -> Iterator[Finding]:
    """The three packages are there, fit together, and can be imported."""
    mend = "pip install -r requirements.txt"
    wrong = False
    for name, (low, high) in RANGES.items():
        version = facts.packages.get(name, "")
        if not version:
            wrong = True
            yield Finding("packages", PROBLEM, f"{name} is not installed.", mend, stops_demo=True)
        elif not low <= _numbers(version) < high:
            wrong = True
            wanted = f"{'.'.join(map(str, low))} or newer, below {'.'.join(map(str, high))}"
            yield Finding("packages", PROBLEM, f"{name} is {version}; the demo needs {wanted}.", mend)
    if facts.packages.get("opencv-python-headless") and facts.packages.get("opencv-python"):
        yield Finding(
            "packages",
            PROBLEM,
            "opencv-python and opencv-python-headless overwrite each other: there may be no window.",
            "pip uninstall -y opencv-python-headless && pip install --force-reinstall --no-deps opencv-python",
        )
    if facts.import_problem:
        text, _, remedy = facts.import_problem.partition(" On Debian or Ubuntu: ")
        yield Finding("packages", PROBLEM, text, remedy or mend, stops_demo=True)
    elif not wrong:
        versions = ", ".join(f"{name} {facts.packages[name]}" for name in RANGES)
        yield Finding("packages", OK, f"{versions}.")


def check_cpu(facts: Facts) -> Iterator[Finding]:
    """The CPU is always there, where OpenVINO works at all."""
    cpus = [device for device in facts.devices if device.name.startswith("CPU")]
    memory = f"; {facts.memory_gb:.0f} GB of memory" if facts.memory_gb else ""
    for device in cpus:
        yield Finding("CPU", OK, _described(device).rstrip(".") + f"{memory}.")
    if not cpus and not facts.import_problem and facts.packages.get("openvino"):
        said = facts.plugin_problems.get("CPU", "it is not among its devices")
        stops = not facts.devices
        mend = "pip install --force-reinstall openvino"
        yield Finding("CPU", PROBLEM, f"OpenVINO offers no CPU: {said}.", mend, stops_demo=stops)


def check_gpu(facts: Facts) -> Iterator[Finding]:
    """Each GPU that OpenVINO offers, or the first thing that keeps it from doing so."""
    gpus = [device for device in facts.devices if device.name.startswith("GPU")]
    for device in gpus:
        yield Finding("GPU", OK, _described(device))
    if gpus or facts.import_problem:
        return
    if facts.system == "Windows":
        text = "OpenVINO offers none. An Intel GPU needs Intel's own graphics driver; Windows' basic one has no OpenCL."
        yield Finding("GPU", MISSING, text, "Windows Update, or the driver from Intel's download page; then restart")
    elif facts.system == "Darwin":
        yield Finding("GPU", MISSING, "OpenVINO has no GPU plugin for macOS.")
    elif facts.is_wsl:
        yield from _gpu_in_wsl(facts)
    else:
        yield from _gpu_on_linux(facts)


def _gpu_in_wsl(facts: Facts) -> Iterator[Finding]:
    if not _nodes(facts, "/dev/dxg"):
        text = "Windows passes no GPU to this Linux (no /dev/dxg)."
        mend = "in Windows: install Intel's graphics driver (30.0.100.9684 or newer), then wsl --update"
        yield Finding("GPU", MISSING, text, mend)
    else:
        yield from _gpu_runtime(facts)


def _gpu_on_linux(facts: Facts) -> Iterator[Finding]:
    displays = [device for device in facts.pci if device.kind == "display"]
    intel = [device for device in displays if device.vendor == INTEL]
    nodes = _nodes(facts, "/dev/dri/renderD")
    if displays and not intel:
        names = " and ".join(sorted({_vendor(device) for device in displays}))
        yield Finding("GPU", MISSING, f"The graphics here are by {names}; OpenVINO's GPU plugin runs on Intel's only.")
    elif not intel and not nodes:
        text = "There is no GPU" + (" in this container." if facts.container else ".")
        yield Finding("GPU", MISSING, text, _device_option(facts, "/dev/dri"))
    elif not nodes and facts.container:
        text = "The container has no access to the GPU (no /dev/dri/renderD*)."
        yield Finding("GPU", MISSING, text, _device_option(facts, "/dev/dri"))
    elif not nodes:
        text = f"The kernel ({facts.kernel}) has no driver for the Intel GPU {intel[0].device}: no /dev/dri/renderD*."
        if intel[0].driver not in (None, "i915", "xe"):
            text = (
                f"The kernel driver {intel[0].driver} has taken the Intel GPU {intel[0].device}: no /dev/dri/renderD*."
            )
        mend = "sudo modprobe i915 || sudo modprobe xe; a new GPU needs a newer kernel (Arc: 6.2 or later)"
        yield Finding("GPU", MISSING, text, mend)
    elif not any(node.allowed for node in nodes):
        yield _not_allowed("GPU", facts, nodes[0])
    else:
        yield from _gpu_runtime(facts)


def _gpu_runtime(facts: Facts) -> Iterator[Finding]:
    """The GPU can be reached: is there an OpenCL loader, Intel's driver, and does it load?"""
    intel = [one for one in facts.opencl_drivers if "intel" in f"{one.entry} {one.library}".lower()]
    broken = [one for one in intel if one.problem]
    if facts.opencl_loader:
        text = f"The OpenCL loader does not load: {facts.opencl_loader}."
        yield Finding(
            "GPU",
            MISSING,
            text,
            _install(facts, "ocl-icd-libopencl1 intel-opencl-icd", "ocl-icd intel-compute-runtime"),
        )
    elif not intel:
        text = "Intel's OpenCL driver is not installed."
        yield Finding("GPU", MISSING, text, _install(facts, "intel-opencl-icd", "intel-compute-runtime"))
    elif len(broken) == len(intel):
        text = f"Intel's OpenCL driver does not load: {broken[0].problem} ({broken[0].entry})."
        mend = _install(facts, "--reinstall intel-opencl-icd", "intel-compute-runtime")
        yield Finding("GPU", MISSING, text, mend)
    else:
        said = facts.plugin_problems.get("GPU", "its plugin names no device")
        text = f"Driver and permissions are there, but OpenVINO offers no GPU: {said.rstrip('.')}."
        yield Finding(
            "GPU", MISSING, text, "clinfo -l shows what OpenCL finds; GPUs up to Ice Lake need an older driver"
        )


def check_npu(facts: Facts) -> Iterator[Finding]:
    """The NPU of Intel's Core Ultra, or the first thing that keeps OpenVINO from offering it."""
    npus = [device for device in facts.devices if device.name.startswith("NPU")]
    for device in npus:
        yield Finding("NPU", OK, _described(device))
    if npus or facts.import_problem:
        return
    here = [device for device in facts.pci if device.kind == "accelerator" and device.vendor == INTEL]
    nodes = _nodes(facts, "/dev/accel/accel")
    from_site = "install the packages of https://github.com/intel/linux-npu-driver/releases"
    if facts.system == "Windows":
        text = "OpenVINO offers none. A Core Ultra has one; it needs Intel's NPU driver."
        yield Finding(
            "NPU", MISSING, text, "Windows Update, or the NPU driver from Intel's download page; then restart"
        )
    elif facts.is_wsl:
        yield Finding("NPU", MISSING, "WSL passes no NPU to Linux.", "run the demo in Windows itself")
    elif not here and not nodes:
        text = "There is no NPU" + (" in this container." if facts.container else ".")
        yield Finding("NPU", MISSING, text, _device_option(facts, "/dev/accel"))
    elif not nodes and facts.container:
        text = "The container has no access to the NPU (no /dev/accel/accel*)."
        yield Finding("NPU", MISSING, text, _device_option(facts, "/dev/accel"))
    elif not nodes and _numbers(facts.kernel) < NPU_KERNEL:
        text = f"The kernel {facts.kernel} is too old for the NPU: it takes 6.6 or newer."
        yield Finding("NPU", MISSING, text, "install a newer kernel")
    elif not nodes and not facts.firmware:
        text = "The NPU's firmware is missing (/lib/firmware/intel/vpu), so the kernel driver does not start it."
        yield Finding(
            "NPU", MISSING, text, f"{from_site} (intel-fw-npu); then sudo rmmod intel_vpu; sudo modprobe intel_vpu"
        )
    elif not nodes:
        text = "The kernel driver intel_vpu has not started the NPU (no /dev/accel/accel*)."
        yield Finding("NPU", MISSING, text, "sudo modprobe intel_vpu; sudo dmesg | grep vpu tells more")
    elif not any(node.allowed for node in nodes):
        yield _not_allowed("NPU", facts, nodes[0])
    elif facts.level_zero:
        text = f"The Level Zero loader does not load: {facts.level_zero}."
        yield Finding("NPU", MISSING, text, _install(facts, "libze1", "oneapi-level-zero"))
    elif facts.npu_library:
        yield Finding("NPU", MISSING, f"Intel's NPU driver does not load: {facts.npu_library}.", from_site)
    else:
        said = facts.plugin_problems.get("NPU", "its plugin names no device")
        text = f"Driver and permissions are there, but OpenVINO offers no NPU: {said.rstrip('.')}."
        yield Finding("NPU", MISSING, text, f"a newer driver: {from_site}")


def check_display(facts: Facts) -> Iterator[Finding]:
    """Whether there can be a window; without one the demo still writes files."""
    if facts.import_problem:
        return
    if "headless" in facts.display_problem:
        mend = "pip uninstall -y opencv-python-headless && pip install --force-reinstall --no-deps opencv-python"
        yield Finding("display", PROBLEM, f"No window: {facts.display_problem}.", mend)
    elif "libxcb1" in facts.display_problem:
        yield Finding("display", PROBLEM, f"No window: {facts.display_problem}.", _install(facts, "libxcb1", "libxcb"))
    elif facts.display_problem:
        mend = "ssh -X, or log in at the machine" if facts.remote == "SSH" else "log in to a desktop, or use --no-show"
        yield Finding("display", NOTE, f"No window: {facts.display_problem}. The demo runs without one.", mend)
    elif facts.remote:
        text = f"The display is remote ({facts.remote}): painting takes time that the figures at the machine lack."
        yield Finding("display", NOTE, text)
    else:
        yield Finding("display", OK, "A window can be opened.")


def check_codecs(facts: Facts) -> Iterator[Finding]:
    """Whether videos that play in a browser can be written."""
    if facts.has_ffmpeg:
        yield Finding("video", OK, "The program ffmpeg writes H.264, with sound.")
    else:
        text = "The program ffmpeg is not installed: .mp4 files are MPEG-4 or VP9, without sound."
        yield Finding("video", NOTE, text, _install(facts, "ffmpeg", "ffmpeg-free"))


def check_cache(facts: Facts) -> Iterator[Finding]:
    """Where compiled networks are kept, and how to empty that."""
    if not facts.cache:
        text = "There is no cache folder that can be written: every start compiles anew."
        yield Finding("cache", NOTE, text, "set XDG_CACHE_HOME to a folder of yours")
    else:
        size = f"{facts.cache_bytes / 1e6:.0f} MB in {facts.cache}"
        is_large = facts.cache_bytes > LARGE_CACHE
        yield Finding("cache", NOTE if is_large else OK, f"{size}.", "python -m human_pose.doctor --clean" * is_large)


def check_models(facts: Facts) -> Iterator[Finding]:
    """The networks and the clip that the demo starts with."""
    if facts.import_problem:
        return
    if facts.models:
        yield Finding("models", OK, f"{', '.join(facts.models)}.")
    else:
        text = "No network is at hand, not even the bundled one."
        yield Finding("models", PROBLEM, text, "restore the folder models/ of the project", stops_demo=True)
    if not facts.clip:
        yield Finding("models", NOTE, "The bundled clip is gone: give -i FILE.", "restore the folder videos/")


CHECKS: tuple[Check, ...] = (
    check_packages, check_cpu, check_gpu, check_npu, check_display, check_codecs, check_cache, check_models,
)  # fmt: skip


def _described(device: Device) -> str:
    executes = f"executes {', '.join(device.precisions)}" if device.precisions else ""
    asks = f"asks for {device.requests} requests" if device.requests else ""
    memory = f"{device.memory_gb:.1f} GB" if device.memory_gb else ""
    driver = f"driver {device.driver}" if device.driver else ""
    name = f"{device.name}: " if "." in device.name else ""
    stand_in = " (stand-in: the CPU under another name)" if device.is_stand_in else ""
    return f"{name}{'; '.join(filter(None, (device.full_name + stand_in, executes, asks, memory, driver)))}."


def _not_allowed(topic: str, facts: Facts, node: Node) -> Finding:
    """The device file is there, and this user may not use it."""
    text = f"This user may not use {node.path}, which belongs to the group {node.group}."
    if facts.container:
        return Finding(topic, MISSING, text, f"start the container with --group-add $(stat -c %g {node.path})")
    if node.group in facts.member_of and node.group not in facts.in_groups:
        text = f"This user is in the group {node.group} since this session began, so that {node.path} is still closed."
        return Finding(topic, MISSING, text, "log out and in again")
    return Finding(topic, MISSING, text, f"sudo usermod -a -G {node.group} {facts.user or '$USER'}; then log in again")


def _install(facts: Facts, debian: str, fedora: str) -> str:
    """The command that installs packages, by their names at Debian and Ubuntu, and at Fedora."""
    known = set(facts.distribution)
    sudo = "" if facts.user == "root" else "sudo "
    if known & {"fedora", "rhel", "centos"}:
        return f"{sudo}dnf install -y {fedora}"
    if known & {"debian", "ubuntu"} or not known:
        return f"{sudo}apt-get install -y {debian}"
    return f"install {debian.replace('--reinstall ', '')} (so they are called at Debian) with your package manager"


def _device_option(facts: Facts, folder: str) -> str:
    return f"start the container with --device {folder}, on a machine that has one" if facts.container else ""


def _nodes(facts: Facts, prefix: str) -> list[Node]:
    return [node for node in facts.nodes if node.path.startswith(prefix)]


def _vendor(device: PciDevice) -> str:
    return VENDORS.get(device.vendor, f"the vendor {device.vendor}")


def _numbers(version: str) -> tuple[int, ...]:
    """'6.8.0-57-generic' -> (6, 8, 0)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()

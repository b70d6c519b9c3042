"""CPU, GPU and NPU: each device that OpenVINO offers, or the first thing that keeps it from doing so.

docs/your-gpu.md has the links to the makers' documentation.
"""

from collections.abc import Iterator

from ..invocation import NO_PLUGIN
from .facts import Device, Facts, Node, PciDevice
from .finding import MISSING, OK, PROBLEM, Finding, install, numbers

INTEL = "8086"
VENDORS = {INTEL: "Intel", "10de": "NVIDIA", "1002": "AMD", "1a03": "ASPEED", "1234": "QEMU", "15ad": "VMware"}
NPU_KERNEL = (6, 6)  # the first Linux whose driver OpenVINO's documentation asks for
FROM_INTEL = "install the packages of github.com/intel/compute-runtime/releases (Debian 13 has none)"


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
    if facts.plugin_problems.get("GPU") == NO_PLUGIN:
        yield _no_plugin("GPU")
    elif facts.system == "Windows":
        text = "OpenVINO offers none. An Intel GPU needs Intel's own graphics driver; Windows' basic one has no OpenCL."
        yield Finding("GPU", MISSING, text, "Windows Update, or the driver from Intel's download page; then restart")
    elif facts.system == "Darwin":
        yield Finding("GPU", MISSING, "OpenVINO has no GPU plugin for macOS.")
    elif facts.is_wsl:
        yield from _gpu_in_wsl(facts)
    else:
        yield from _gpu_on_linux(facts)


def _no_plugin(kind: str) -> Finding:
    text = f"Whether there is one is not known: {NO_PLUGIN}."
    return Finding(kind, MISSING, text, f"make the folder anew, with --devices CPU {kind}")


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


def _has_no_driver(facts: Facts) -> bool:
    """Whether the distribution lacks a package of Intel's OpenCL driver (looked up in November 2026)."""
    return facts.distribution[:1] == ("debian",) and facts.release == "13"


def _gpu_runtime(facts: Facts) -> Iterator[Finding]:
    """The GPU can be reached: is there an OpenCL loader, Intel's driver, and does it load?"""
    intel = [one for one in facts.opencl_drivers if "intel" in f"{one.entry} {one.library}".lower()]
    broken = [one for one in intel if one.problem]
    if facts.opencl_loader:
        text = f"The OpenCL loader does not load: {facts.opencl_loader}."
        loader = install(facts, "ocl-icd-libopencl1", "ocl-icd")
        both = install(facts, "ocl-icd-libopencl1 intel-opencl-icd", "ocl-icd intel-compute-runtime")
        yield Finding("GPU", MISSING, text, f"{loader}; {FROM_INTEL}" if _has_no_driver(facts) else both)
    elif not intel:
        text = "Intel's OpenCL driver is not installed."
        package = install(facts, "intel-opencl-icd", "intel-compute-runtime")
        yield Finding("GPU", MISSING, text, FROM_INTEL if _has_no_driver(facts) else package)
    elif len(broken) == len(intel):
        text = f"Intel's OpenCL driver does not load: {broken[0].problem} ({broken[0].entry})."
        mend = install(facts, "--reinstall intel-opencl-icd", "intel-compute-runtime")
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
    if facts.plugin_problems.get("NPU") == NO_PLUGIN:
        yield _no_plugin("NPU")
    elif facts.system == "Windows":
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
    elif not nodes and numbers(facts.kernel) < NPU_KERNEL:
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
        yield Finding("NPU", MISSING, text, install(facts, "libze1", "oneapi-level-zero"))
    elif facts.npu_library:
        yield Finding("NPU", MISSING, f"Intel's NPU driver does not load: {facts.npu_library}.", from_site)
    else:
        said = facts.plugin_problems.get("NPU", "its plugin names no device")
        text = f"Driver and permissions are there, but OpenVINO offers no NPU: {said.rstrip('.')}."
        yield Finding("NPU", MISSING, text, f"a newer driver: {from_site}")


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


def _device_option(facts: Facts, folder: str) -> str:
    return f"start the container with --device {folder}, on a machine that has one" if facts.container else ""


def _nodes(facts: Facts, prefix: str) -> list[Node]:
    return [node for node in facts.nodes if node.path.startswith(prefix)]


def _vendor(device: PciDevice) -> str:
    return VENDORS.get(device.vendor, f"the vendor {device.vendor}")

"""What machine a study ran on, and what went on there beside each run."""

import os
import platform
import re
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov

from ..inference.devices import full_name, is_stand_in

DISTURBED_CORES = 0.1  # more of other programs' work than this, and than DISTURBED_SHARE of all cores, marks a run
DISTURBED_SHARE = 0.05


def cores() -> int:
    """How many logical cores the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def identity(core: ov.Core) -> dict[str, Any]:
    """CPU, cores, memory, devices and their drivers, system and versions."""
    return {
        "cpu": full_name(core, "CPU") or platform.processor(),
        "cores": cores(),
        "memory_gb": _memory_gb(),
        "os": f"{_distribution()}, {platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "devices": [_device(core, name) for name in core.available_devices],
        "versions": {
            "openvino": ov.get_version(),
            "opencv": cv2.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _device(core: ov.Core, name: str) -> dict[str, Any]:
    """driver: what the device's plugin says of it, and None where it says nothing, as of a CPU, which has none."""
    driver = None
    for key in ("GPU_DRIVER_VERSION", "NPU_DRIVER_VERSION"):
        if key in core.get_property(name, "SUPPORTED_PROPERTIES"):
            driver = str(core.get_property(name, key))
    stand_in = is_stand_in(core, name)
    return {"name": name, "full_name": full_name(core, name), "driver": driver, "is_stand_in": stand_in}


def _memory_gb() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


class Watch:
    """What the machine did from its making until `told`: of this process, and of all the others."""

    def __init__(self) -> None:
        self._started_at = time.perf_counter()
        self._own_s, self._busy_s = _own_s(), _busy_s()

    def told(self) -> dict[str, Any]:
        """own_cores, other_cores: mean number of cores at work; mhz: mean of the cores; temperature_c: the hottest.

        None where the system does not tell. disturbed: whether others took more than a run can bear.
        """
        elapsed_s = time.perf_counter() - self._started_at
        own = (_own_s() - self._own_s) / elapsed_s
        busy_s = _busy_s()
        others = None
        if busy_s is not None and self._busy_s is not None:
            others = max(0.0, (busy_s - self._busy_s) / elapsed_s - own)
        return {
            "own_cores": round(own, 3),
            "other_cores": None if others is None else round(others, 3),
            "disturbed": others is not None and disturbs(others),
            "mhz": _mhz(),
            "temperature_c": _temperature_c(),
        }


def disturbs(other_cores: float) -> bool:
    """Whether other programs that take so many cores spoil a run."""
    return other_cores > max(DISTURBED_CORES, DISTURBED_SHARE * cores())


def _own_s() -> float:
    """CPU time of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


def _busy_s() -> float | None:
    """CPU time of everybody, what the host of a virtual machine took away included."""
    try:
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, words[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _mhz() -> float | None:
    files = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
    kilohertz = [number for file in files if (number := _number(file)) is not None]
    if kilohertz:
        return round(sum(kilohertz) / len(kilohertz) / 1000)
    try:
        told = re.findall(r"cpu MHz\s*:\s*([\d.]+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        return None
    return round(sum(map(float, told)) / len(told)) if told else None


def _temperature_c() -> float | None:
    files = [
        *Path("/sys/class/thermal").glob("thermal_zone*/temp"),
        *Path("/sys/class/hwmon").glob("hwmon*/temp*_input"),
    ]
    told = [number / 1000 for file in files if (number := _number(file)) is not None]
    return max(told, default=None)


def _number(file: Path) -> float | None:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return None

"""What machine a study ran on, and what went on there beside each run."""

import contextlib
import os
import platform
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov

from ..errors import UsageError
from ..inference.devices import device_property, full_name, is_stand_in
from ..invocation import pip_install

DISTURBED_CORES = 0.1  # more of other programs' work than this, and than DISTURBED_SHARE of all cores, marks a run
DISTURBED_SHARE = 0.05
DRIVER_VERSIONS = ("GPU_DRIVER_VERSION", "NPU_DRIVER_VERSION")


def check_psutil() -> None:
    """Raise UsageError where psutil is not installed: before the study, not in its first run."""
    try:
        import psutil  # noqa: F401
    except ImportError as error:
        raise UsageError(f"The study needs psutil to watch the machine: {pip_install('study')}.") from error


def cores() -> int:
    """How many logical cores the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def identity(core: ov.Core) -> dict[str, Any]:
    """CPU, cores, memory, devices and their drivers, system and versions."""
    import psutil

    system = platform.system()
    with contextlib.suppress(OSError, KeyError):
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return {
        "cpu": full_name(core, "CPU") or platform.processor(),
        "cores": cores(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "os": f"{system}, {platform.system()} {platform.release()}",
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
    """driver: as the device's plugin names it; None where it names none, as for a CPU."""
    drivers = [str(version) for key in DRIVER_VERSIONS if (version := device_property(core, name, key))]
    found = {"name": name, "full_name": full_name(core, name), "is_stand_in": is_stand_in(core, name)}
    return {**found, "driver": drivers[0] if drivers else None}


class Watch:
    """What the machine does from now until `conditions` is called: this process, and all the others."""

    def __init__(self) -> None:
        self._started_at, self._own_s, self._busy_s = time.perf_counter(), _own_s(), _busy_s()

    def other_cores(self) -> float | None:
        """Mean number of cores at other programs' work; None where the system does not tell."""
        elapsed_s, busy_s = time.perf_counter() - self._started_at, _busy_s()
        if busy_s is None or self._busy_s is None:
            return None
        return max(0.0, (busy_s - self._busy_s - (_own_s() - self._own_s)) / elapsed_s)

    def conditions(self) -> dict[str, Any]:
        """own_cores, other_cores: mean number of cores at work; mhz: mean of the cores; temperature_c: the hottest.

        mhz and temperature_c are None where the system has no such sensor, or psutil is not installed. disturbed: see
        `disturbs`.
        """
        own = (_own_s() - self._own_s) / (time.perf_counter() - self._started_at)
        others = self.other_cores()
        frequency = sensors = None
        with contextlib.suppress(ImportError, AttributeError, NotImplementedError, OSError):  # not every system has it
            import psutil

            frequency = psutil.cpu_freq()
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import psutil

            sensors = psutil.sensors_temperatures()
        return {
            "own_cores": round(own, 3),
            "other_cores": None if others is None else round(others, 3),
            "disturbed": others is not None and disturbs(others),
            "mhz": round(frequency.current) if frequency else None,
            "temperature_c": max((one.current for found in (sensors or {}).values() for one in found), default=None),
        }


def disturbs(other_cores: float) -> bool:
    """Whether other programs that take so many cores spoil a run."""
    return other_cores > max(DISTURBED_CORES, DISTURBED_SHARE * cores())


def _own_s() -> float:
    """CPU time of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


def _busy_s() -> float | None:
    """CPU time of all programs, and what the host of a virtual machine took away; guests are part of user and nice.

    Without psutil Linux still tells; None on another system.
    """
    try:
        import psutil

        times: dict[str, float] = psutil.cpu_times()._asdict()
    except ImportError:
        return _busy_on_linux_s()
    return sum(seconds for state, seconds in times.items() if state not in ("idle", "iowait", "guest", "guest_nice"))


def _busy_on_linux_s() -> float | None:
    """As `_busy_s`, from the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        ticks = [int(number) for number in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return float(sum(ticks[:3]) + sum(ticks[5:])) / os.sysconf("SC_CLK_TCK")
    return None

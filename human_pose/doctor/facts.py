"""What the doctor knows of a machine. Reading it is one thing, and judging it another: checks.py sees nothing else.

Facts can be kept as JSON: so the tests hold recorded machines, and so a user can send in a machine where a device does
not appear (`python -m human_pose.doctor --json`).
"""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class PciDevice:
    """kind: 'display' or 'accelerator'; vendor, device: hexadecimal, as '8086'; driver: the kernel's, None: none."""

    kind: str
    vendor: str
    device: str
    driver: str | None = None


@dataclass(frozen=True)
class Node:
    """A device file. group: that owns it; allowed: whether this process may read and write it."""

    path: str
    group: str
    allowed: bool


@dataclass(frozen=True)
class OpenClDriver:
    """An entry of the OpenCL loader's list. library: that it names; problem: why that does not load, '' if it does."""

    entry: str
    library: str
    problem: str = ""


@dataclass(frozen=True)
class Device:
    """A device that OpenVINO offers.

    precisions: what it can execute; requests: that it asks for with the throughput hint, None: not known; memory_gb: of
    its own, None: it does not tell; driver: its version, '' where it has none.
    """

    name: str
    full_name: str
    precisions: tuple[str, ...] = ()
    requests: int | None = None
    memory_gb: float | None = None
    driver: str = ""
    is_stand_in: bool = False


@dataclass(frozen=True)
class Facts:
    """A machine, as far as the demo depends on it.

    system: 'Linux', 'Windows' or 'Darwin'; distribution: ids of the Linux, its own first, then those it is like;
    release: its number, '13';
    kernel: its release; container: 'docker', ... or '' outside of one; user: the name; in_groups: of this process;
    member_of: groups that list the user, which a new login gets. modules, firmware: of the kernel. opencl_loader: why
    it does not load, '' if it does; level_zero, npu_library: the same. packages: version of each, '' where it is
    missing; import_problem: the line that says why they cannot be imported. plugin_problems: kind of device -> what
    OpenVINO says of its plugin. display_problem: why there can be no window; remote: 'SSH', 'RDP', '' at the machine.
    cache: the folder, '' where there can be none. models: those at hand. clip: whether the bundled video is.
    """

    system: str = "Linux"
    distribution: tuple[str, ...] = ()
    release: str = ""
    kernel: str = ""
    container: str = ""
    is_wsl: bool = False
    user: str = ""
    in_groups: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()
    memory_gb: float | None = None
    pci: tuple[PciDevice, ...] = ()
    nodes: tuple[Node, ...] = ()
    modules: tuple[str, ...] = ()
    firmware: tuple[str, ...] = ()
    opencl_loader: str = ""
    opencl_drivers: tuple[OpenClDriver, ...] = ()
    level_zero: str = ""
    npu_library: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    import_problem: str = ""
    devices: tuple[Device, ...] = ()
    plugin_problems: dict[str, str] = field(default_factory=dict)
    display_problem: str = ""
    remote: str = ""
    has_ffmpeg: bool = True
    cache: str = ""
    cache_bytes: int = 0
    models: tuple[str, ...] = ()
    clip: bool = True

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Facts":
        """Of JSON; a machine recorded by an earlier version has the defaults of what that did not know."""
        kinds: dict[str, Any] = {"pci": PciDevice, "nodes": Node, "opencl_drivers": OpenClDriver, "devices": Device}
        known = {name: value for name, value in data.items() if name in cls.__dataclass_fields__}
        for name, value in known.items():
            if name in kinds:
                known[name] = tuple(kinds[name](**_with_tuples(one)) for one in value)
            elif isinstance(value, list):
                known[name] = tuple(value)
        return cls(**known)


def _with_tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}

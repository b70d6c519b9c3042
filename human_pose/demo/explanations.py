"""A line for each stop of an exhibition that says what is seen."""

from collections.abc import Sequence

from ..inference.remote_address import is_remote
from .kiosk_stops import Stop

DEVICES = {
    "CPU": "CPU: the computer's main processor runs the network",
    "GPU": "GPU: the graphics processor runs the network",
    "NPU": "NPU: a processor made for neural networks runs the network",
    "MULTI": "MULTI: each device takes the next free frame",
    "HETERO": "HETERO: the network's layers are split over the devices, one after the other",
    "AUTO": "AUTO: OpenVINO chooses the device",
}
SERVER = "A server: another computer runs the network; each frame travels there, the result comes back"
RACE = "A race: both get the same frames; between them stands how much faster one is"
HINTS = {
    "throughput": "throughput hint: many frames at once, as many results as possible",
    "latency": "latency hint: one frame at a time, each as fast as possible",
    "cumulative": "cumulative hint: AUTO uses all its devices at once",
}
PRECISIONS = {
    "FP16-INT8": "INT8: numbers of 8 bits, faster and a little less exact",
    "FP16": "FP16: numbers of 16 bits",
    "FP32": "FP32: numbers of 32 bits, the slowest and most exact",
}


def explain(stop: Stop, stops: Sequence[Stop]) -> str:
    """What is seen at a stop. The hint and the precision are explained where the stops differ in them.

    In a race, only what its two sides differ in is explained.
    """
    shown = [configuration for one in (stops if len(stop) == 1 else [stop]) for configuration in one]
    parts = [RACE] if len(stop) == 2 else [_device(stop[0].device)]
    for configuration in stop:
        if len({one.hint for one in shown}) > 1:
            parts.append(HINTS.get(configuration.hint, ""))
        if len({one.precision for one in shown}) > 1:
            parts.append(PRECISIONS.get(configuration.precision, ""))
    return ". ".join(_capital(part) for part in dict.fromkeys(parts) if part) + "."


def _device(device: str) -> str:
    if is_remote(device):
        return SERVER
    kind = device.partition(":")[0].partition(".")[0]
    return DEVICES.get(kind, f"{device} runs the network")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

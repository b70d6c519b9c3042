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
RACE = "A race on the same frames"
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

SHORT_HINTS = {"throughput": "many frames at once", "latency": "one frame at a time"}
SHORT_PRECISIONS = {"FP16-INT8": "numbers of 8 bits", "FP16": "numbers of 16 bits", "FP32": "numbers of 32 bits"}


def explain(stop: Stop, stops: Sequence[Stop]) -> str:
    """What is seen at a stop. The hint and the precision are explained where the stops differ in them."""
    if len(stop) == 2:
        return f"{_race(stop)}."
    everywhere = [configuration for one in stops for configuration in one]
    parts = [_device(stop[0].device)]
    if len({one.hint for one in everywhere}) > 1:
        parts.append(HINTS.get(stop[0].hint, ""))
    if len({one.precision for one in everywhere}) > 1:
        parts.append(PRECISIONS.get(stop[0].precision, ""))
    return ". ".join(part[:1].upper() + part[1:] for part in parts if part) + "."


def _race(pair: Stop) -> str:
    """A race, and in which hint and precision its sides differ; their names stand in the picture."""
    differences = []
    for short, values in (
        (SHORT_HINTS, [side.hint for side in pair]),
        (SHORT_PRECISIONS, [side.precision for side in pair]),
    ):
        if values[0] != values[1] and all(value in short for value in values):
            differences.append(" against ".join(short[value] for value in values))
    return ": ".join(filter(None, [RACE, ", ".join(differences)]))


def _device(device: str) -> str:
    if is_remote(device):
        return SERVER
    kind = device.partition(":")[0].partition(".")[0]
    return DEVICES.get(kind, f"{device} runs the network")

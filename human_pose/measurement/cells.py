"""What is measured: the options of a study, the models it may use, and its cells."""

from dataclasses import dataclass, field

from ..inference.configuration import Configuration
from ..inference.remote_address import DEFAULT_TIMEOUT_S

FRAMEWORKS = {
    "openvino": "OpenVINO",
    "opencv": "OpenCV DNN",
    "tensorflow": "TensorFlow",
    "benchmark_app": "benchmark_app",
}
ORIGINALS = ("opencv", "tensorflow")
AS_SERVED = "as served"  # the precision of a server's network, which it does not tell
DEFAULT_REQUESTS = "default"  # in flight: as many as the program chooses


@dataclass(frozen=True)
class StudyOptions:
    """What the user wants of a study; results.json keeps it, for --resume.

    devices, hints, precisions: of the matrix. models: names or paths. seconds: of each of the two measurements of a
    run; frames: so many results instead. requests: of the second grid, numbers or DEFAULT_REQUESTS. pause_s: before
    each run. agreement_frames: frames on which the keypoints of the precisions are compared. cache: keep compiled
    networks. quick: without benchmark_app, and without another run for what other programs disturbed.
    size: the shorter side of the network's input. remote_timeout, remote_ca, remote_jpeg: for servers.
    """

    devices: list[str]
    models: list[str]
    precisions: list[str]
    input: str
    hints: list[str] = field(default_factory=lambda: ["throughput", "latency"])
    size: int | None = None
    runs: int = 20
    original_runs: int = 10
    seconds: float = 4.0
    frames: int | None = None
    requests: list[str] = field(default_factory=list)
    pause_s: float = 0.0
    seed: int = 0
    plugins: str | None = None
    cache: bool = False
    original: str | None = None
    images: str | None = None
    annotations: str | None = None
    agreement_frames: int = 40
    quick: bool = False
    note: str = ""
    remote_timeout: float = DEFAULT_TIMEOUT_S
    remote_ca: str | None = None
    remote_jpeg: bool = False

    @property
    def length(self) -> str:
        """Of each measurement: '4 s' or '40 frames'."""
        return f"{self.frames} frames" if self.frames else f"{self.seconds:g} s"


@dataclass(frozen=True)
class Cell:
    """One combination that is measured again and again.

    kind: of FRAMEWORKS. model, precision: the model's name and precision; file: its IR, or the original's file.
    requests: in flight; streams, threads: of the device; None: as many as the program chooses. size: as the options'
    size, which it replaces; None: that. is_stand_in: a device of it is the CPU under another
    name; is_emulated: a device of it is emulated on the CPU. not_measured: why there will be no run of it.
    """

    kind: str
    model: str
    precision: str
    file: str
    device: str = "CPU"
    hint: str = "throughput"
    requests: int | None = None
    affinity: str = "auto"
    is_stand_in: bool = False
    is_emulated: bool = False
    not_measured: str | None = None
    streams: int | None = None
    threads: int | None = None
    size: int | None = None

    @property
    def configuration(self) -> Configuration:
        """What it is in the demo's words; affinity and numbers of requests, streams and threads are beside that."""
        return Configuration(self.device, self.model, self.precision, self.hint, self.size or 0)

    @property
    def id(self) -> str:
        """In results.json; no two cells have the same."""
        if self.kind in ORIGINALS:
            return f"{FRAMEWORKS[self.kind]} {self.model}"
        framework = "" if self.kind == "openvino" else f"{FRAMEWORKS[self.kind]} "
        affinity = f" {self.affinity}" if self.device.startswith("HETERO") else ""
        numbers = (f" {number} {name}" for name, number in self.numbers if number is not None)
        return f"{framework}{self.device}{affinity} {self.model} {self.precision} {self.hint}{''.join(numbers)}"

    @property
    def numbers(self) -> list[tuple[str, int | None]]:
        """What is set by number, and its name."""
        names = ("requests", "streams", "threads", "size")
        return [(name, getattr(self, name)) for name in names]

    @property
    def where(self) -> str:
        """What a reader calls its device: 'HETERO:GPU,CPU (conv, stand-in)'."""
        marks = (
            [self.affinity] * self.device.startswith("HETERO")
            + ["stand-in"] * self.is_stand_in
            + ["emulated"] * self.is_emulated
        )
        return self.device + (f" ({', '.join(marks)})" if marks else "")

    def label(self, with_model: bool = True) -> str:
        """What a reader calls it."""
        if self.kind in ORIGINALS:
            return f"{FRAMEWORKS[self.kind]} ({self.model})" if with_model else FRAMEWORKS[self.kind]
        framework = f"{FRAMEWORKS[self.kind]}, " if self.kind == "benchmark_app" else ""
        requests = "" if self.requests is None else f", {self.requests} request{'s' if self.requests > 1 else ''}"
        model = f" {self.model}" if with_model else ""
        return f"{framework}{self.where}{model} {self.precision}, {self.hint} hint{requests}"


@dataclass(frozen=True)
class Model:
    """One precision of a model: its file, or why there is none. note: as ModelFile's, 'float twin of FP16-INT8'."""

    name: str
    precision: str
    file: str = ""
    missing: str | None = None
    note: str = ""

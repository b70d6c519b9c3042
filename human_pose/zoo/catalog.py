"""The models that the demo knows by name: where their files are, how large, and their checksums."""

from typing import NamedTuple

PRECISIONS = ("FP16", "FP32", "FP16-INT8")
DEFAULT_MODEL = "human-pose-estimation-0001"
ORIGINAL_MODEL = "mobilenet-thin"  # its original graph can be downloaded, for the study

# The models that come with the project, so that the demo needs no download: model -> precision.
BUNDLED = {DEFAULT_MODEL: "FP16-INT8", ORIGINAL_MODEL: "FP16"}

ZOO = "https://storage.openvinotoolkit.org/repositories/open_model_zoo/"


LICENCE = "Apache-2.0"  # of every model of the catalog


class RemoteFile(NamedTuple):
    """A file to download: its path below the zoo's address, its size in bytes and its SHA-384."""

    path: str
    size: int
    sha384: str

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


# model -> precision -> the .xml and the .bin. Bundled files are not in this list.
# human-pose-estimation-0001: Open Model Zoo, Apache-2.0; sizes and checksums from the zoo's model.yml.
CATALOG: dict[str, dict[str, tuple[RemoteFile, RemoteFile]]] = {
    DEFAULT_MODEL: {
        "FP32": (
            RemoteFile(
                "2023.0/models_bin/1/human-pose-estimation-0001/FP32/human-pose-estimation-0001.xml",
                152120,
                "64e24ceca496aba4fb818edbea7c3a1405bc42c3166eac1b4be4f6cc89623c80cb9a1fd4c32d245d423653aa588e1a0b",
            ),
            RemoteFile(
                "2023.0/models_bin/1/human-pose-estimation-0001/FP32/human-pose-estimation-0001.bin",
                16394708,
                "64ef06d261ae522409172a396d927f7345525dbde011e3e2bff487f73e7b1d8cf622091feba9c23c7d4625c0aab0a3e5",
            ),
        ),
        "FP16": (
            RemoteFile(
                "2023.0/models_bin/1/human-pose-estimation-0001/FP16/human-pose-estimation-0001.xml",
                218215,
                "cffe8df7d053b9cbf858a21faa32e30cb8a645416e9ee4ce3fbcc3106094505477d66a06b7e46d6ddb9c2de4b0cee319",
            ),
            RemoteFile(
                "2023.0/models_bin/1/human-pose-estimation-0001/FP16/human-pose-estimation-0001.bin",
                8197354,
                "dabb7be42c5be008de354c6670aa8291c2d18e59f18a1c138df9b5200929a03c1e323930a1d21ecff69d3f06007de67c",
            ),
        ),
    },
    ORIGINAL_MODEL: {},
}

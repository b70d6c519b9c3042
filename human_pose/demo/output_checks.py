"""Check the outputs of a run: no output is an input, and no two outputs are the same file."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import UsageError
from ..files import check_writable, identity
from ..inference.metadata import sidecars
from ..media.encoder import VIDEO_SUFFIXES
from ..media.sources import IMAGE_SUFFIXES
from ..media.writer import output_name


def check_outputs(options: argparse.Namespace) -> None:
    """Raise UsageError where an output cannot be written, is named twice, or is a file that the run reads."""
    for path in filter(None, (options.keypoints, options.visits, options.report, options.affinity_map)):
        check_writable(path)
    if options.affinity_map is not None:
        if options.affinity_map.suffix.lower() == ".svg":
            raise UsageError(f"'{options.affinity_map}' is the name of the map's picture. Give one that ends in .json.")
        _check_picture_of_map(options.affinity_map.with_suffix(".svg"))
    claimed = set()
    for path in _targets(options):
        if identity(path) in claimed:
            raise UsageError(f"Two outputs name the same file '{path}'. Give each its own.")
        claimed.add(identity(path))
    refuse(options, _input_files(options.input), "the input itself")
    if options.model is not None:
        refuse(options, _model_files(Path(options.model)), "the model")
    refuse(options, [Path(options.affinity)], "the file of --affinity")
    refuse(options, filter(None, [options.plugins]), "the file of --plugins")


def _check_picture_of_map(path: Path) -> None:
    """The user did not give this name, so the picture may replace only another picture of a map."""
    check_writable(path)
    if path.exists():
        with path.open("rb") as file:
            if b"graphviz" not in file.read(1000).lower():
                raise UsageError(
                    f"The picture of --affinity-map would overwrite '{path}', which is another file. Give another name."
                )


def check_model(options: argparse.Namespace, path: Path) -> None:
    """Raise UsageError where an output would overwrite the model in use."""
    refuse(options, _model_files(path), "the model")


def refuse(options: argparse.Namespace, files: Iterable[Path], what: str) -> None:
    """Raise UsageError where an output is one of these files, also under another name."""
    protected = {identity(file) for file in files if file.exists()}
    for path in _targets(options):
        if identity(path) in protected:
            raise UsageError(f"The output '{path}' is {what}, which it would overwrite. Give another name.")


def _model_files(path: Path) -> list[Path]:
    return [path, path.with_suffix(".bin"), *sidecars(path)] if path.name else []


def _input_files(source: str) -> list[Path]:
    """The files of a source; none for a camera or a URL."""
    path = Path(source.removeprefix("file://") if source.startswith("file:///") else source)
    if not source or "://" in str(path):
        return []
    if path.is_dir():
        return [path, *(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)]
    return [path]


def _targets(options: argparse.Namespace) -> Iterator[Path]:
    """Every output file that the options name or imply."""
    if options.output is not None:
        output = Path(options.output)
        yield output
        if output.suffix.lower() not in (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES) or output.is_dir():
            yield from (output / output_name(file.name) for file in _input_files(options.input) if file.is_file())
    yield from filter(None, (options.keypoints, options.visits, options.report))
    if options.affinity_map is not None:
        yield options.affinity_map
        yield options.affinity_map.with_suffix(".svg")

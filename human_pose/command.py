"""What the command lines share: a parser that reports an error in one line, and the types of options."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from .inference.input_size import LARGEST_SIZE, SIZE_STEP
from .inference.remote_address import DEFAULT_TIMEOUT_S, TOKEN_VARIABLE, RemoteSettings
from .invocation import as_typed
from .tracking.gate import Gate

MAX_REQUESTS = 256
PRECISION_HELP = "default: FP16-INT8 where the model comes with it, and for the path of a quantized IR; else FP16"
SIZE_HELP = (
    "the shorter side of the network's input in pixels, a multiple of 8, or in one-stage networks the longer side, "
    "a multiple of 32; the other follows the frame's shape; default: the model's own (--height is the same option)"
)
SERVER_HELP = f"a model on a server, grpc://host:port/model[/version], grpcs:// over TLS, a token in {TOKEN_VARIABLE}"
MODEL_HELP = "the name of a model in models/, or the path of an IR's .xml, an .onnx file, or an exporter's folder"


class OptionParser(argparse.ArgumentParser):
    """Reports an error in one line, without the usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}. See --help.\n")


def examples(rows: Mapping[str, str]) -> str:
    """The examples at a parser's end: command lines, and what each is for."""
    typed = {as_typed(line): purpose for line, purpose in rows.items()}
    width = max(map(len, typed)) + 6
    return "\n".join(["examples:", *(f"  {line:{width}} # {purpose}" for line, purpose in typed.items())])


def certificate(text: str) -> Path:
    """An existing file."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file '{text}'; give the authority's certificate")
    return Path(text)


def add_remote_options(parser: argparse._ActionsContainer, has_wait: bool = False) -> None:
    """The options for servers; `remote_settings` reads them. has_wait: with --remote-wait, for a run that goes on."""
    add = parser.add_argument
    add("--remote-timeout", type=seconds, default=DEFAULT_TIMEOUT_S, metavar="SECONDS",
        help="how long a server, grpc://host:port/model, may take for a frame; default: %(default).0f")  # fmt: skip
    add("--remote-ca", type=certificate, metavar="FILE",
        help="the certificate of the authority that signed that of a server grpcs://")  # fmt: skip
    if has_wait:
        add("--remote-wait", type=seconds, default=0.0, metavar="SECONDS",
            help="how long to wait for a server that does not answer when it is chosen, or that fails as the only "
                 "device; default: not at all")  # fmt: skip
    add("--remote-jpeg", action="store_true", help="send frames as JPEG, to a server that takes it")


def remote_settings(options: argparse.Namespace) -> RemoteSettings:
    """The settings for servers."""
    return RemoteSettings(
        options.remote_timeout, options.remote_ca, options.remote_jpeg, getattr(options, "remote_wait", 0.0)
    )


def count(text: str) -> int:
    """An integer, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a count; give 1 or more")
    return int(text)


def request_count(text: str) -> int:
    """An integer, 1 to MAX_REQUESTS."""
    if count(text) > MAX_REQUESTS:
        raise argparse.ArgumentTypeError(
            f"'{text}' requests are more than any device can use; give up to {MAX_REQUESTS}"
        )
    return count(text)


def seconds(text: str) -> float:
    """A number of seconds, more than 0."""
    try:
        if 0 < float(text) < 1e6:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds; give more than 0")


def rate(text: str) -> float:
    """A number per second, more than 0, up to 1000."""
    try:
        if 0 < float(text) <= 1000:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"'{text}' is not a number per second; give more than 0, up to 1000")


def input_size(text: str) -> int:
    """The side of the network's input that --size names, in pixels."""
    if not text.isdecimal() or not SIZE_STEP <= int(text) <= LARGEST_SIZE or int(text) % SIZE_STEP:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a multiple of {SIZE_STEP} from {SIZE_STEP} to {LARGEST_SIZE}; give 256 or 368, say"
        )
    return int(text)


def frame_size(text: str) -> tuple[int, int]:
    """Width and height of a frame in pixels: 1280x720."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not the size of a frame; give 1280x720, say")
    return int(found[1]), int(found[2])


def score(text: str) -> float:
    """A score, 0 to 1."""
    try:
        if 0 <= float(text) <= 1:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"'{text}' is not a score; give a number from 0 to 1")


def gate(text: str) -> Gate:
    """A line across the picture: x1,y1,x2,y2 in shares of its width and height."""
    try:
        x1, y1, x2, y2 = map(float, text.split(","))
        return Gate(x1, y1, x2, y2)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a gate; give two different points x1,y1,x2,y2, each number from 0 to 1, as in 0.5,1,0.5,0"
        ) from None

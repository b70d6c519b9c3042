"""Device strings of remote servers: grpc://host:port/model[/version], or grpcs:// over TLS."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

TOKEN_VARIABLE = "HUMAN_POSE_REMOTE_TOKEN"
DEFAULT_TIMEOUT_S = 5.0
EXAMPLE = "grpc://host:9000/human-pose-estimation-0001"
_ADDRESS = re.compile(r"(grpcs?)://((?:\[[0-9A-Fa-f:.]+\]|[^\s/:\[\]]+):(\d{1,5}))/([^\s/]+)(?:/(\d+))?")


@dataclass(frozen=True)
class RemoteSettings:
    """The user's settings for servers.

    timeout_s: how long a result may take; certificate: the file of the authority that signed the server's certificate,
    None: those that gRPC comes with. sends_jpeg: send a picture as JPEG, to a server that takes it.
    wait_s: how long to wait for a server that does not answer when it is chosen.
    """

    timeout_s: float = DEFAULT_TIMEOUT_S
    certificate: Path | None = None
    sends_jpeg: bool = False
    wait_s: float = 0.0


@dataclass(frozen=True)
class RemoteAddress:
    """A model on a server. server: 'host:port'; version: '' for the one that the server chooses."""

    server: str
    model: str
    version: str
    is_encrypted: bool

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with each call: the token of the environment variable. Raises UsageError.

        A token may not be read on the way: it goes over TLS, or stays on this machine.
        """
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if not token:
            return {}
        host = self.server.rpartition(":")[0].strip("[]")
        if not self.is_encrypted and host not in ("localhost", "127.0.0.1", "::1"):
            raise UsageError(
                f"{TOKEN_VARIABLE} would be sent to {self.server} in clear. Give grpcs://, or unset the variable."
            )
        return {"authorization": f"Bearer {token}"}


def is_remote(device: str) -> bool:
    """Whether a device string names a model on a server."""
    return device.lower().startswith(("grpc:", "grpcs:"))


def parse_address(device: str) -> RemoteAddress:
    """The address in a device string. Raises UsageError."""
    found = _ADDRESS.fullmatch(device)
    if found is None or not 0 < int(found[3]) < 65536:
        raise UsageError(f"'{device}' is not the address of a model on a server. Give {EXAMPLE}, say.")
    scheme, server, _, model, version = found.groups()
    return RemoteAddress(server, model, version or "", scheme == "grpcs")

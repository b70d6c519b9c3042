"""The calls to a server of the Open Inference Protocol (KServe v2) over gRPC.

OpenVINO Model Server, Triton, KServe and MLServer speak it. tritonclient is imported only when a server is used.
"""

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..errors import UsageError, first_line, printable
from ..invocation import pip_install
from .input_size import Preprocessing
from .remote_address import TOKEN_VARIABLE, RemoteAddress, RemoteSettings, parse_address
from .remote_figures import Served
from .remote_signature import Signature, TensorInfo, signature_of

CLOSED = "the connection was closed"
READY_WITHIN_S = 2.0
RETRY_S = 1.0  # between two attempts to reach a server that is waited for
CHANNEL = {
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": -1,
    "grpc.max_reconnect_backoff_ms": 2000,  # else it grows to two minutes while the server is away
    "grpc.use_local_subchannel_pool": 1,  # a new client makes a new connection: the old one may be dead unnoticed
}


def check_remote(device: str) -> None:
    """Raise UsageError where the address is wrong, or the client's package is not installed."""
    _ = parse_address(device).headers
    _client_package()


def _client_package() -> Any:
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # errors are reported here, in one line
    try:
        import tritonclient.grpc
    except ImportError as error:
        raise UsageError(f"For a device grpc://, install its client: {pip_install('remote')}") from error
    return tritonclient.grpc


def is_ready(device: str, settings: RemoteSettings) -> bool:
    """Whether a server answers that it is ready with the model, within READY_WITHIN_S."""
    settings = replace(settings, timeout_s=min(settings.timeout_s, READY_WITHIN_S))
    with contextlib.suppress(RuntimeError, UsageError):
        client = Client(parse_address(device), settings)
        with contextlib.closing(client):
            return client.is_ready()
    return False


class Answer(NamedTuple):
    """A server's answer to a picture.

    outputs: by the decoder's names, without the batch axis; nbytes: of them as they travelled; version: of the model,
    '' where the server does not tell.
    """

    outputs: dict[str, np.ndarray]
    nbytes: int
    version: str


class Client:
    """The calls to a server. Raises RuntimeError where one fails, UsageError where the model does not fit."""

    def __init__(self, address: RemoteAddress, settings: RemoteSettings) -> None:
        self._grpc = _client_package()
        self._address, self._settings = address, settings
        if settings.certificate is not None and not settings.certificate.is_file():
            raise UsageError(f"there is no file '{settings.certificate}'; give --remote-ca the authority's certificate")
        self._client = self._grpc.InferenceServerClient(
            address.server,
            ssl=address.is_encrypted,
            root_certificates=str(settings.certificate) if settings.certificate else None,
            channel_args=list(CHANNEL.items()),
        )
        self._call = {"headers": address.headers, "client_timeout": settings.timeout_s}
        self._model = {"model_name": address.model, "model_version": address.version}

    def wait(self) -> None:
        """Until the server is ready with the model, for the time that the user allows. Does not raise."""
        until = time.perf_counter() + self._settings.wait_s
        while time.perf_counter() < until:
            with contextlib.suppress(RuntimeError):
                if self.is_ready():
                    return
            time.sleep(RETRY_S)

    def model(self, wanted: Mapping[str, tuple[int, ...]], preprocessing: Preprocessing) -> Signature:
        """How the server's model is used."""
        if not self.is_ready():
            raise RuntimeError(f"the server has no model '{self._address.model}', or is not ready with it")
        metadata = self._ask(self._client.get_model_metadata)
        inputs, outputs = (
            [TensorInfo(printable(one.name), one.datatype, tuple(one.shape)) for one in tensors]
            for tensors in (metadata.inputs, metadata.outputs)
        )
        sizes = [side for one in inputs if len(one.shape) == 4 for side in one.shape[1:]]
        if -1 not in sizes:  # of a fixed size, which need not be that of the local model: only the channels must agree
            wanted = {name: (*shape[:2], *(-1 for _ in shape[2:])) for name, shape in wanted.items()}
        return signature_of(inputs, outputs, wanted, preprocessing, self._settings.sends_jpeg)

    def is_ready(self) -> bool:
        """Whether the server is ready with the model."""
        return bool(self._ask(self._client.is_model_ready))

    def close(self) -> None:
        """End the connection: calls on their way fail, and so do later ones."""
        self._client.close()

    def server_device(self) -> str:
        """The device in the model's configuration, which Triton tells: 'GPU.0'; '' where the server does not."""
        try:
            groups = self._ask(self._client.get_model_config).config.instance_group
        except RuntimeError:
            return ""
        kinds = {1: "GPU", 2: "CPU"}
        names = [
            f"{kinds[group.kind]}.{number}" if group.kind == 1 else kinds[group.kind]
            for group in groups
            if group.kind in kinds
            for number in (list(group.gpus) or [0] if group.kind == 1 else [0])
        ]
        return ", ".join(dict.fromkeys(names))

    def statistics(self, version: str) -> Served | None:
        """The requests that the server answered, and their time in it; None where it does not tell.

        version: the one that answers; '' where that is not known. Raises RuntimeError where the server does not answer.
        """
        try:
            told = self._client.get_inference_statistics(**self._model, **self._call).model_stats
        except ValueError as error:
            raise RuntimeError(CLOSED) from error
        except self._grpc.InferenceServerException as error:
            if _status(error) in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                raise RuntimeError(self._reason(error)) from error
            return None
        told = [one for one in told if one.version == version] or told
        if len(told) != 1:  # several versions, of which nobody knows which one answers
            return None
        success = told[0].inference_stats.success
        return Served(success.count, success.ns / 1e9)

    def infer(self, model: Signature, values: np.ndarray) -> Answer:
        """Infer and wait. values: an encoded picture."""
        done = threading.Event()
        answers: list[tuple[Any, Any]] = []

        def take(result: Any, error: Any) -> None:
            answers.append((result, error))
            done.set()

        self.start(model, values, take)
        done.wait()  # gRPC itself ends the call after the timeout
        return self.answer(model, *answers[0])

    def start(self, model: Signature, values: np.ndarray, done: Any) -> None:
        """Send a picture; done(result, error) is called in a thread of gRPC."""
        tensor = self._grpc.InferInput(model.input_name, list(values.shape), model.datatype)
        tensor.set_data_from_numpy(values)
        wanted = [self._grpc.InferRequestedOutput(name) for name in model.outputs.values()]
        try:
            self._client.async_infer(inputs=[tensor], callback=done, outputs=wanted, **self._model, **self._call)
        except ValueError as error:
            raise RuntimeError(CLOSED) from error

    def answer(self, model: Signature, result: Any, error: Any) -> Answer:
        """What `start` passed on. Raises RuntimeError where the call failed, or outputs are missing."""
        if error is not None:
            raise RuntimeError(self._reason(error))
        found = {}
        for name, theirs in model.outputs.items():
            values = result.as_numpy(theirs)
            if values is None or not values.ndim or len(values) != 1:
                raise RuntimeError(f"the server's answer lacks '{theirs}', or has it for more than one picture")
            found[name] = values[0].astype(np.float32, copy=False)
        response = result.get_response()
        nbytes = sum(map(len, response.raw_output_contents)) or sum(values.nbytes for values in found.values())
        return Answer(found, nbytes, response.model_version)

    def _ask(self, call: Any) -> Any:
        try:
            return call(self._address.model, self._address.version, **self._call)
        except ValueError as error:
            raise RuntimeError(CLOSED) from error
        except self._grpc.InferenceServerException as error:
            raise RuntimeError(self._reason(error)) from error

    def _reason(self, error: Any) -> str:
        """Why a call failed, and what helps."""
        status = _status(error)
        told = first_line(error.message() or error)
        if status == "DEADLINE_EXCEEDED":
            return f"no answer within {self._settings.timeout_s:g} s (--remote-timeout)"
        if status == "UNAVAILABLE":
            return f"{self._address.server} does not answer ({told})"
        if status == "CANCELLED":
            return f"{self._address.server} broke off its answer ({told})"
        if status in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            return f"the server refuses the token; set {TOKEN_VARIABLE} ({told})"
        return told


def _status(error: Any) -> str:
    """The name of gRPC's status code."""
    return str(error.status()).rpartition(".")[2]

"""The calls to a server of the Open Inference Protocol (KServe v2) over gRPC.

OpenVINO Model Server, Triton, KServe and MLServer speak it. tritonclient is imported only when a server is used.
"""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import UsageError, first_line, printable
from .input_size import Preprocessing
from .remote_address import TOKEN_VARIABLE, RemoteAddress, RemoteSettings, parse_address
from .remote_signature import Signature, TensorInfo, signature_of


def check_remote(device: str) -> None:
    """Raise UsageError where the address is wrong, or the client's package is not installed."""
    _ = parse_address(device).headers
    _client_package()


def _client_package() -> Any:
    try:
        import tritonclient.grpc
    except ImportError as error:
        raise UsageError("For a device grpc://, install its client: pip install 'tritonclient[grpc]'") from error
    return tritonclient.grpc


CHANNEL = (
    ("grpc.max_send_message_length", -1),  # no limit
    ("grpc.max_receive_message_length", -1),
    # Else a new client waits with an old one of the same address, which tries at longer and longer intervals, up to two
    # minutes, while a server that is back would answer at once.
    ("grpc.use_local_subchannel_pool", 1),
)


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
            channel_args=list(CHANNEL),
        )
        self._call = {"headers": address.headers, "client_timeout": settings.timeout_s}
        self._model = {"model_name": address.model, "model_version": address.version}

    def model(self, wanted: Mapping[str, tuple[int, ...]], preprocessing: Preprocessing) -> Signature:
        """How the server's model is used."""
        if not self._ask(self._client.is_model_ready):
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

    def infer(self, model: Signature, values: np.ndarray) -> dict[str, np.ndarray]:
        """Infer and wait. values: an encoded picture."""
        done = threading.Event()
        answers: list[tuple[Any, Any]] = []

        def take(result: Any, error: Any) -> None:
            answers.append((result, error))
            done.set()

        self.start(model, values, take)
        done.wait()  # gRPC itself ends the call after the timeout
        return self.outputs(model, *answers[0])

    def start(self, model: Signature, values: np.ndarray, done: Any) -> Any:
        """Send a picture; done(result, error) is called in a thread of gRPC."""
        tensor = self._grpc.InferInput(model.input_name, list(values.shape), model.datatype)
        tensor.set_data_from_numpy(values)
        wanted = [self._grpc.InferRequestedOutput(name) for name in model.outputs.values()]
        return self._client.async_infer(inputs=[tensor], callback=done, outputs=wanted, **self._model, **self._call)

    def outputs(self, model: Signature, result: Any, error: Any) -> dict[str, np.ndarray]:
        """The outputs by the decoder's names, without the batch axis."""
        if error is not None:
            raise RuntimeError(self._reason(error))
        found = {}
        for name, theirs in model.outputs.items():
            values = result.as_numpy(theirs)
            if values is None or not values.ndim or len(values) != 1:
                raise RuntimeError(f"the server's answer lacks '{theirs}', or has it for more than one picture")
            found[name] = values[0].astype(np.float32, copy=False)
        return found

    def _ask(self, call: Any) -> Any:
        try:
            return call(self._address.model, self._address.version, **self._call)
        except self._grpc.InferenceServerException as error:
            raise RuntimeError(self._reason(error)) from error

    def _reason(self, error: Any) -> str:
        """Why a call failed, and what helps."""
        status = str(error.status()).rpartition(".")[2]
        told = first_line(error.message() or error)
        if status == "DEADLINE_EXCEEDED":
            return f"no answer within {self._settings.timeout_s:g} s (--remote-timeout)"
        if status == "UNAVAILABLE":
            return f"{self._address.server} does not answer ({told})"
        if status in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            return f"the server refuses the token; set {TOKEN_VARIABLE} ({told})"
        return told

"""A server of the Open Inference Protocol on the loopback address, for one network, that can be made to fail."""

import threading
from concurrent import futures
from typing import Any

import cv2
import grpc
import numpy as np
import openvino as ov
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)

TYPES = {"f32": "FP32", "f16": "FP16", "u8": "UINT8"}
KINDS = {"FP32": np.float32, "FP16": np.float16, "UINT8": np.uint8}


class PoseServer(GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Serves a network under a name, as soon as it is made, until it is stopped.

    takes_jpeg: the input is a JPEG, declared as BYTES. device: what the model's configuration tells: 'GPU' or 'CPU';
    '': nothing. token: the calls must carry it. pause_s: before each answer. spoil: changes the answer's arrays.
    version: of the model, in its answers. told_ms: the time of an answer that the statistics tell; None: no statistics.
    """

    def __init__(self, model: ov.Model, name: str = "painted", port: int = 0, token: str = "", **more: Any) -> None:
        self.name, self.token = name, token
        self.takes_jpeg, self.device = more.get("takes_jpeg", False), more.get("device", "")
        self.pause_s = 0.0
        self.version = "1"
        self.told_ms: float | None = more.get("told_ms")
        self._told_ns = 0
        self.spoil: Any = None
        self.most_at_once = self.answers = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._is_stopped = threading.Event()
        self._network = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self._requests = threading.local()
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        add_GRPCInferenceServiceServicer_to_server(self, self._server)
        if more.get("key"):
            credentials = grpc.ssl_server_credentials([(more["key"], more["certificate"])])
            self.port = self._server.add_secure_port(f"localhost:{port}", credentials)
        else:
            self.port = self._server.add_insecure_port(f"localhost:{port}")
        self._server.start()

    @property
    def device_string(self) -> str:
        return f"grpc://localhost:{self.port}/{self.name}"

    def stop(self) -> None:
        """Break all connections, as a server does that dies."""
        self._is_stopped.set()
        self._server.stop(None).wait()

    def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self._check(context)
        return messages.ModelReadyResponse(ready=request.name == self.name)

    def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check(context)
        tensor = messages.ModelMetadataResponse.TensorMetadata
        answer = messages.ModelMetadataResponse(name=self.name, platform="test")
        for ports, told in ((self._network.inputs, answer.inputs), (self._network.outputs, answer.outputs)):
            for number, port in enumerate(ports):
                shape = [side.get_length() if side.is_static else -1 for side in port.partial_shape]
                kind = TYPES[port.element_type.get_type_name()]
                told.append(tensor(name=self._name(port, number), datatype=kind, shape=shape))
        if self.takes_jpeg:
            answer.inputs[0].datatype, answer.inputs[0].shape[:] = "BYTES", [-1]
        return answer

    def ModelConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        if not self.device:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no configuration")
        answer = messages.ModelConfigResponse()
        group = answer.config.instance_group.add()
        group.kind = {"GPU": 1, "CPU": 2}[self.device]
        if self.device == "GPU":
            group.gpus.append(0)
        return answer

    def ModelStatistics(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check(context)
        if self.told_ms is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no statistics")
        answer = messages.ModelStatisticsResponse()
        told = answer.model_stats.add(name=self.name, version=self.version)
        with self._lock:
            told.inference_stats.success.count, told.inference_stats.success.ns = self.answers, self._told_ns
        return answer

    def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check(context)
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self._is_stopped.wait(self.pause_s)
        [sent] = request.inputs
        raw = request.raw_input_contents[0]
        if sent.datatype == "BYTES":
            picture = cv2.imdecode(np.frombuffer(raw[4:], np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            values: np.ndarray = picture[np.newaxis]
        else:
            values = np.frombuffer(raw, KINDS[sent.datatype]).reshape(sent.shape)
        infer = getattr(self._requests, "infer", None) or self._network.create_infer_request()
        self._requests.infer = infer
        infer.infer([values])
        outputs = {self._name(port, n): infer.get_tensor(port).data for n, port in enumerate(self._network.outputs)}
        if self.spoil is not None:
            outputs = self.spoil(outputs)
        answer = messages.ModelInferResponse(model_name=self.name, model_version=self.version)
        for name in [wanted.name for wanted in request.outputs] or outputs:
            answer.outputs.add(name=name, datatype="FP32", shape=outputs[name].shape)
            answer.raw_output_contents.append(np.ascontiguousarray(outputs[name], np.float32).tobytes())
        with self._lock:
            self._at_once -= 1
            self.answers += 1
            self._told_ns += round(1e6 * (self.told_ms or 0))
        return answer

    def _check(self, context: Any) -> None:
        if self.token and ("authorization", f"Bearer {self.token}") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "give a token")

    @staticmethod
    def _name(port: ov.ConstOutput, number: int) -> str:
        return port.get_any_name() if port.get_names() else f"out{number}"

"""A server in the study: one row a model, what cannot be known of it, and a run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openvino as ov
import pytest

from human_pose.errors import UsageError
from human_pose.measurement.cells import Cell, Model, StudyOptions
from human_pose.study import runner
from human_pose.study.cell import do
from human_pose.study.findings import NOT_OF_SERVERS, Findings
from human_pose.study.options import options_of, study_parser
from human_pose.study.plan import accuracy_cells, layer_cells, matrix
from human_pose.study.tables import tables
from tests.helpers.inference_server import PoseServer
from tests.helpers.invented import MODELS, OPTIONS, invented
from tests.helpers.painted import painted_network, save_clip

SERVER = "grpc://localhost:9/net"
WITH_SERVER = replace(OPTIONS, devices=["CPU", SERVER], hints=["throughput"], requests=[])


def test_a_server_is_one_precision_compared_with_the_first_file() -> None:
    cells = matrix(
        WITH_SERVER, [Model("net", "FP32", missing="not here"), *MODELS[1:], Model("other", "FP16", "c.xml")]
    )
    served = [cell for cell in cells if cell.device == SERVER]
    assert [(cell.model, cell.precision, cell.file) for cell in served] == [
        ("net", "as served", "b.xml"), ("other", "as served", "c.xml"),
    ]  # fmt: skip
    assert len({cell.id for cell in cells}) == len(cells)


@pytest.mark.parametrize("devices", [["CPU", SERVER], [SERVER]])
def test_layers_and_accuracy_are_of_this_machine(devices: list[str]) -> None:
    options = replace(WITH_SERVER, devices=devices)
    cells = matrix(options, MODELS)
    own = {"CPU"} & set(devices)
    assert {cell.device for cell in accuracy_cells(cells, options)} == own
    assert {cell.device for cell in layer_cells(cells, options)} == own


def test_this_machines_devices_come_first_and_a_wrong_address_is_named() -> None:
    core = ov.Core()
    assert runner.devices_of(core, replace(OPTIONS, devices=[SERVER, "CPU"])) == (["CPU", SERVER], {})
    with pytest.raises(UsageError, match="is not the address of a model on a server"):
        runner.devices_of(core, replace(OPTIONS, devices=["grpc://nowhere"]))


def test_the_report_has_the_server_and_says_what_is_not_known_of_it() -> None:
    found = Findings(invented(WITH_SERVER))
    assert found.not_measured()[NOT_OF_SERVERS] == [f"layers, accuracy and benchmark_app of {SERVER}"]
    rows = {row[0] for section in tables(found) for row in section.rows}
    assert f"{SERVER} net as served, throughput hint" in rows


def test_the_options_for_servers_survive(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    given = ["--remote-timeout", "2", "--remote-ca", str(certificate), "--remote-jpeg"]
    options = options_of(study_parser(None).parse_args(given))
    assert (options.remote_timeout, options.remote_ca, options.remote_jpeg) == (2.0, str(certificate), True)


def test_a_run_on_a_server(serve: Callable[..., PoseServer], painted_xml: Path, tmp_path: Path) -> None:
    server = serve(painted_network())
    cell = Cell("openvino", "painted", "as served", str(painted_xml), server.device_string, requests=2)
    options = StudyOptions(
        [server.device_string], ["painted"], ["FP32"], str(save_clip(tmp_path)), frames=12, remote_timeout=0.3
    )
    run = do("run", cell, options, "")
    assert (run["executed_on"], run["execution_precision"]) == (["remote"], "unknown")
    assert run["requests"] in (1, 2)
    assert (run["inferences"], run["application_frames"]) == (12, 12)
    assert run["inference_fps"] > 0
    server.pause_s = 1.0
    with pytest.raises(Exception, match=r"no answer within 0\.3 s \(--remote-timeout\)"):
        do("run", cell, options, "")

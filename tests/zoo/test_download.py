"""A download arrives whole and verified, or leaves nothing behind; from a server of the test's own."""

import hashlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from human_pose.errors import DemoError
from human_pose.zoo import download as download_module
from human_pose.zoo.catalog import RemoteFile
from human_pose.zoo.download import download

XML, WEIGHTS = b"<net/>" * 100, bytes(range(256)) * 1000


@dataclass
class Answer:
    """What the server sends: `body`, having announced `length` bytes (None: as many as there are)."""

    body: bytes
    length: int | None = None
    is_chunked: bool = False
    pause_s: float = 0.0  # before the body's last byte
    stalls: bool = False  # after the body: neither sends more nor closes


@dataclass
class Zoo:
    """The server's address, what it answers by path, and what ends a stalled answer."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def zoo() -> Iterator[Zoo]:
    """A server that has the two files of a model."""
    zoo = Zoo(answers={"/zoo/pose/FP16/pose.xml": Answer(XML), "/zoo/pose/FP16/pose.bin": Answer(WEIGHTS)})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = zoo.answers.get(self.path)
            if answer is None:
                self.send_error(404)
                return
            self.send_response(200)
            if answer.is_chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
            self.end_headers()
            self.wfile.write(answer.body[:-1])
            zoo.over.wait(answer.pause_s)
            self.wfile.write(answer.body[-1:])
            if answer.stalls:
                self.wfile.flush()
                zoo.over.wait()

        def log_message(self, *_: object) -> None:
            pass

    Handler.protocol_version = "HTTP/1.1"
    Handler.timeout = 5
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    zoo.url = f"http://127.0.0.1:{server.server_port}/zoo/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield zoo
    zoo.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the model belongs; only its parent is there."""
    parent = tmp_path / "models" / "pose"
    parent.mkdir(parents=True)
    return parent / "FP16"


def remote(name: str, content: bytes) -> RemoteFile:
    return RemoteFile(f"pose/FP16/{name}", len(content), hashlib.sha384(content).hexdigest())


FILES = (remote("pose.xml", XML), remote("pose.bin", WEIGHTS))


def assert_refused(url: str, folder: Path, files: Sequence[RemoteFile] = FILES) -> str:
    """The download fails in one line, which is returned, and nothing is left."""
    with pytest.raises(DemoError) as caught:
        download(files, url, folder)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    assert list(folder.parent.iterdir()) == []
    return str(caught.value)


def test_complete_download_is_moved_into_place(zoo: Zoo, folder: Path) -> None:
    download(FILES, zoo.url, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"pose.xml": XML, "pose.bin": WEIGHTS}
    assert list(folder.parent.iterdir()) == [folder]


def test_folders_above_are_made(zoo: Zoo, tmp_path: Path) -> None:
    download(FILES, zoo.url, tmp_path / "a" / "b" / "FP16")
    assert (tmp_path / "a" / "b" / "FP16" / "pose.bin").read_bytes() == WEIGHTS


def test_folder_can_be_read_by_everybody(zoo: Zoo, folder: Path) -> None:
    download(FILES, zoo.url, folder)
    assert folder.stat().st_mode & 0o055 == 0o055


def test_slash_at_the_end_of_the_address_does_not_matter(zoo: Zoo, folder: Path) -> None:
    download(FILES, zoo.url.rstrip("/"), folder)
    assert (folder / "pose.xml").read_bytes() == XML


def test_body_of_unknown_length_is_taken(zoo: Zoo, folder: Path) -> None:
    zoo.answers["/zoo/pose/FP16/pose.xml"] = Answer(b"%x\r\n%s\r\n0\r\n\r\n" % (len(XML), XML), is_chunked=True)
    download(FILES, zoo.url, folder)
    assert (folder / "pose.xml").read_bytes() == XML


@pytest.mark.parametrize("name", ["pose.xml", "pose.bin"])
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda body: Answer(body[:-1] + b"?"), "SHA-384"),
        (lambda body: Answer(body[:-1]), "bytes"),
        (lambda body: Answer(body + b"?"), "bytes"),
        (lambda body: Answer(b""), "0 bytes"),
        (lambda body: Answer(body[: len(body) // 2], length=len(body)), "bytes"),
        (lambda body: Answer(b"%x\r\n%s" % (len(body), body[: len(body) // 2]), is_chunked=True), "broke off"),
    ],
    ids=["wrong checksum", "too short", "too long", "empty", "broken in the middle", "broken chunk"],
)
def test_spoilt_file_is_refused(zoo: Zoo, folder: Path, name: str, spoil: Callable[[bytes], Answer], told: str) -> None:
    zoo.answers[f"/zoo/pose/FP16/{name}"] = spoil(XML if name == "pose.xml" else WEIGHTS)
    message = assert_refused(zoo.url, folder)
    assert told in message
    assert name in message


@pytest.mark.parametrize("name", ["pose.xml", "pose.bin"])
def test_missing_file_is_refused(zoo: Zoo, folder: Path, name: str) -> None:
    del zoo.answers[f"/zoo/pose/FP16/{name}"]
    assert "Not Found" in assert_refused(zoo.url, folder)


def test_stalled_body_is_given_up(zoo: Zoo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "STALL_TIMEOUT_S", 0.2)
    zoo.answers["/zoo/pose/FP16/pose.bin"] = Answer(WEIGHTS[:1000], length=len(WEIGHTS), stalls=True)
    assert "broke off after" in assert_refused(zoo.url, folder)


def test_body_may_pause_for_longer_than_the_connection(zoo: Zoo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "CONNECT_TIMEOUT_S", 1.0)
    zoo.answers["/zoo/pose/FP16/pose.bin"] = Answer(WEIGHTS, pause_s=1.5)
    download(FILES, zoo.url, folder)
    assert (folder / "pose.bin").read_bytes() == WEIGHTS


def test_refused_connection_names_the_server(folder: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        assert address in assert_refused(f"http://{address}", folder)


def test_silent_server_is_given_up_within_five_seconds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here within 1 s, to wait for less, and then 1.5 s for a busy machine."""
    assert download_module.CONNECT_TIMEOUT_S <= 5
    monkeypatch.setattr(download_module, "CONNECT_TIMEOUT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started_at = time.monotonic()
        assert_refused(f"http://127.0.0.1:{silent.getsockname()[1]}", folder)
        assert 0.9 < time.monotonic() - started_at < 2.5


@pytest.mark.parametrize("url", ["", "zoo", "nonsense://127.0.0.1/", "http://"])
def test_address_that_is_none_is_refused(folder: Path, url: str) -> None:
    assert_refused(url, folder)


def test_good_download_after_a_failed_one_arrives(zoo: Zoo, folder: Path) -> None:
    zoo.answers["/zoo/pose/FP16/pose.bin"] = Answer(WEIGHTS[:1000], length=len(WEIGHTS))
    assert_refused(zoo.url, folder)
    zoo.answers["/zoo/pose/FP16/pose.bin"] = Answer(WEIGHTS)
    download(FILES, zoo.url, folder)
    assert (folder / "pose.bin").read_bytes() == WEIGHTS
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("place", ["file/FP16", "file/pose/FP16"])
def test_place_that_can_hold_no_folder_is_refused(zoo: Zoo, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DemoError, match="Cannot write") as caught:
        download(FILES, zoo.url, tmp_path / place)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_progress_is_shown_on_a_terminal_and_wiped_out(
    zoo: Zoo, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    download(FILES, zoo.url, folder)
    output = capsys.readouterr()
    assert output.out == ""
    assert "downloading pose.bin: 0.1 of 0.3 MB" in output.err
    last = output.err.split("\r")[-2:]
    assert last[0].strip() == ""
    assert last[1] == ""


def test_progress_is_not_shown_elsewhere(zoo: Zoo, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download(FILES, zoo.url, folder)
    assert capsys.readouterr() == ("", "")

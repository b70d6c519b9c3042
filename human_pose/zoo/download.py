"""Download a model's files, verify them, and move them into place, all or none."""

import contextlib
import hashlib
import http.client
import shutil
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from ..console import ProgressLine
from ..errors import DemoError
from .catalog import RemoteFile

CONNECT_TIMEOUT_S = 4.0  # to the first byte; short, because without a network the user waits for it
STALL_TIMEOUT_S = 15.0  # between two bytes
MAX_TEXT = 10_000_000  # maximum bytes of a page


def download(files: Sequence[RemoteFile], base_url: str, folder: Path) -> None:
    """Download `files` from `base_url` into `folder`, which is replaced.

    The files go to a temporary folder first, which is renamed when all files are complete and their checksums correct.
    Raises DemoError where a file cannot be downloaded completely; then none of the files is kept.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        gathering = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise DemoError(f"Cannot write to '{folder.parent}': {error.strerror}. Make the folder writable.") from error
    try:
        for file in files:
            _download_file(file, base_url.rstrip("/") + "/" + file.path, gathering / file.name)
        gathering.chmod(0o755)
        if folder.exists():  # the rest of an incomplete model
            shutil.rmtree(folder)
        gathering.replace(folder)
    except OSError as error:
        raise DemoError(f"Cannot keep the model in '{folder}': {error.strerror or error}.") from error
    finally:
        ProgressLine.clear()
        shutil.rmtree(gathering, ignore_errors=True)


def read_page(url: str) -> str:
    """The text at an address, such as a package index's list of files. Raises DemoError."""
    with contextlib.closing(_open(url)) as response:
        try:
            return str(response.read(MAX_TEXT), errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise DemoError(f"{url} broke off: {error}.") from error


def _download_file(file: RemoteFile, url: str, target: Path) -> None:
    progress = ProgressLine()
    checksum = hashlib.sha384()
    received = 0
    with contextlib.closing(_open(url)) as response, target.open("wb") as output:
        while True:
            try:
                block = response.read(1 << 16)
            except (OSError, http.client.HTTPException) as error:
                raise DemoError(f"The download of {url} broke off after {received} bytes: {error}.") from error
            if not block:
                break
            received += len(block)
            if received > file.size:
                break
            output.write(block)
            checksum.update(block)
            progress.show(f"downloading {file.name}: {received / 1e6:.1f} of {file.size / 1e6:.1f} MB")
    if received != file.size:
        raise DemoError(f"{url} gave {received} bytes where {file.size} were expected.")
    if checksum.hexdigest() != file.sha384:
        raise DemoError(f"{url} does not have the expected SHA-384: it was damaged on the way, or is another file.")


def _open(url: str) -> http.client.HTTPResponse:
    """Open `url`, or give up after CONNECT_TIMEOUT_S.

    It runs in a thread, because the look-up of a host name has no timeout: without a network it can take longer.
    """
    outcome: list[http.client.HTTPResponse | Exception] = []

    def connect() -> None:
        try:
            outcome.append(urllib.request.urlopen(url, timeout=CONNECT_TIMEOUT_S))
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_TIMEOUT_S)
    result = outcome[0] if outcome else TimeoutError(f"no answer within {CONNECT_TIMEOUT_S:.0f} s")
    if isinstance(result, Exception):
        reason = result.reason if isinstance(result, urllib.error.URLError) else result
        raise DemoError(f"Cannot reach {_server_of(url)}: {reason}.") from result
    _set_timeout(result, STALL_TIMEOUT_S)
    return result


def _server_of(url: str) -> str:
    try:
        return urllib.parse.urlsplit(url).netloc or url
    except ValueError:  # not an address
        return url


def _set_timeout(response: http.client.HTTPResponse, seconds: float) -> None:
    """Set the timeout of reads; a response without a socket (a file: URL) needs none."""
    socket = getattr(getattr(response.fp, "raw", None), "_sock", None)
    if socket is not None:
        socket.settimeout(seconds)

"""The source of an exhibition: it is opened in the background, as often as it goes away."""

import threading

from ..errors import DemoError, UsageError, first_line
from ..media.capture import Capture, open_capture


class Opening(threading.Thread):
    """Opens a source; starts at once. A camera or a stream that does not answer may take half a minute.

    When the thread is over, either `capture`, which is entered and plays a file again and again, or `error` is set.
    """

    def __init__(self, source: str, realtime: bool) -> None:
        super().__init__(name="opening the source", daemon=True)
        self.capture: Capture | None = None
        self.error: DemoError | None = None
        self._source, self._realtime = source, realtime
        self.start()

    def run(self) -> None:
        try:
            capture = open_capture(self._source, realtime=self._realtime)
            capture.loops = not capture.source.is_live
            self.capture = capture.__enter__()
            capture.hold(True)  # until the loop wants frames
        except DemoError as error:
            self.error = error
        except OSError as error:  # the system rejects the path itself
            self.error = UsageError(f"Cannot open '{self._source}': {error.strerror}.")
        except Exception as error:  # whatever OpenCV raises: the next attempt may work
            self.error = DemoError(f"Cannot open '{self._source}': {first_line(error)}")


def no_picture(source: str) -> str:
    """What the screen says while a source is away."""
    kind = "camera" if source.isdecimal() else "stream" if "://" in source else "file"
    verb = "is not there" if kind == "file" else "does not answer"
    return f"No picture at present: the {kind} {verb}. The show goes on when it is back."

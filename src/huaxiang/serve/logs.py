"""What the service writes about itself: one JSON object a line, on stderr, nothing of a shopper in it.

Of an error stand its kind and the places that it went through, never its message: databases and parsers like
to repeat there what they were given.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_MOST_PLACES = 12
_MOST_MESSAGES = 1000
SELDOM_S = 5.0


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON, with the fields that were given as `extra`.

    Examples
    --------
    >>> record = logging.makeLogRecord({"name": "a", "levelname": "INFO", "msg": "started", "shops": 2})
    >>> orjson.loads(JsonLines().format(record))["shops"]
    2
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: said for name, said in vars(record).items() if name not in _OF_EVERY_RECORD}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = kinds_of(record.exc_info[1])
            line["places"] = _places(record.exc_info[2])
        return orjson.dumps(line, default=str).decode("utf-8", "replace")


class Seldom(logging.Filter):
    """Lets one message through once in a while, with how often it was said meanwhile: an outage is no flood.

    Examples
    --------
    >>> seldom, record = Seldom(5), logging.makeLogRecord({"msg": "not written", "created": 100.0})
    >>> seldom.filter(record), seldom.filter(record)
    (True, False)
    """

    def __init__(self, every_s: float) -> None:
        super().__init__()
        self._every_s = every_s
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        which = (record.name, str(record.msg))
        said_s, n_left_out = self._said.get(which, (-self._every_s, 0))
        if abs(record.created - said_s) < self._every_s:
            self._said[which] = (said_s, n_left_out + 1)
            return False
        if n_left_out:
            record.left_out = n_left_out
        if len(self._said) < _MOST_MESSAGES or which in self._said:
            self._said[which] = (record.created, 0)
        return True


def kinds_of(error: BaseException) -> list[str]:
    """Return the kind of an error and of those that caused it.

    Examples
    --------
    >>> kinds_of(ValueError("what somebody said"))
    ['ValueError']
    """
    kinds, cause = [type(error).__name__], error.__cause__ or error.__context__
    return kinds if cause is None else kinds + kinds_of(cause)


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_PLACES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def write_json_lines() -> None:
    """Let everything that is logged in this process be written so."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(Seldom(SELDOM_S))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("huaxiang", "uvicorn"):
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)

"""How much one request and one key may ask for."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator

from huaxiang.errors import InputError, LimitError, TooManyRequestsError
from huaxiang.serve.settings import Limits

_MOST_KEYS = 10_000
_GZIP = 16 + zlib.MAX_WBITS


class Rates:
    """How fast each key asks: a bucket that refills, in this process.

    Examples
    --------
    >>> rates = Rates(Limits(requests_per_s=1, burst=1))
    >>> rates.count("key", now_s=0.0)
    >>> rates.count("key", now_s=0.5)
    Traceback (most recent call last):
    huaxiang.errors.TooManyRequestsError: the key asks too often; wait as long as Retry-After says
    """

    def __init__(self, limits: Limits) -> None:
        self._rate, self._burst = limits.requests_per_s, float(limits.burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, key_id: str, *, now_s: float) -> None:
        """Count one request.

        Raises
        ------
        TooManyRequestsError
            The bucket is empty.
        """
        left, seen_s = self._buckets.get(key_id, (self._burst, now_s))
        left = min(self._burst, left + max(now_s - seen_s, 0.0) * self._rate)
        is_allowed = left >= 1
        self._buckets[key_id] = (left - is_allowed, now_s)
        self._buckets.move_to_end(key_id)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        if not is_allowed:
            raise TooManyRequestsError(
                "the key asks too often",
                retry_after_s=(1 - left) / self._rate,
                remedy="wait as long as Retry-After says",
            )


async def read_body(chunks: AsyncIterator[bytes], *, encoding: str, most_bytes: int) -> bytes:
    """Return a body, undone where it is gzip; it never takes more memory than the limit.

    Raises
    ------
    LimitError
        It is longer than `most_bytes`, as sent or as undone.
    InputError
        It is said to be gzip and is not, or is compressed in another way.
    """
    if encoding not in ("", "identity", "gzip"):
        raise InputError(
            "the body is compressed in a way that is not known",
            column="Content-Encoding",
            value=encoding[:40],
            remedy="use gzip",
        )
    undo = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    body = bytearray()
    try:
        async for chunk in chunks:
            body += undo.decompress(chunk, most_bytes + 1 - len(body)) if undo else chunk
            if len(body) > most_bytes or (undo is not None and undo.unconsumed_tail):
                raise LimitError(
                    "the body is too long", value=f"> {most_bytes} bytes", remedy="send less at once"
                )
    except zlib.error as error:
        raise InputError(
            "the body is not gzip", column="Content-Encoding", remedy="check the client"
        ) from error
    if undo is not None and not undo.eof:
        raise InputError("the gzip body is cut short", column="Content-Encoding", remedy="send it again")
    return bytes(body)

"""Requests at a given rate, from a process of its own.

Open loop: each request has a moment at which it should leave, answered or not the ones before, and its
latency counts from that moment. So a server that stalls can't hide it (no coordinated omission). Each
connection is one keep-alive HTTP/1.1 connection; the parser reads a status and a length and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Answers:
    """What came back: seconds from the due moment to the whole answer, and statuses."""

    latency_s: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    seconds: float = 0.0

    def percentile_ms(self, *shares: float) -> list[float]:
        """Return percentiles of the latency in milliseconds."""
        return (np.percentile(self.latency_s, shares) * 1000).tolist()

    def n_failed(self) -> int:
        """Return how many answers were no success."""
        return sum(status >= 400 for status in self.statuses)


class Connection:
    """One keep-alive connection."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return the status and the body."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        assert self._reader is not None
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        return status, await self._reader.readexactly(length)

    def close(self) -> None:
        """Close it."""
        if self._writer is not None:
            self._writer.close()


def request(method: str, path: str, *, key: str, body: bytes = b"", more: str = "") -> bytes:
    """Return a whole HTTP/1.1 request."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n{more}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def at_rate(
    host: str, port: int, requests: Iterator[bytes], *, per_s: float, seconds: float, n_connections: int = 32
) -> Answers:
    """Send requests at a constant rate for some seconds; return what came back."""
    answers, waiting = Answers(), asyncio.Queue[float]()
    started = time.perf_counter()

    async def work() -> None:
        connection = Connection(host, port)
        while (due := await waiting.get()) >= 0:
            status, _ = await connection.ask(next(requests))
            answers.latency_s.append(time.perf_counter() - due)
            answers.statuses.append(status)
        connection.close()

    workers = [asyncio.create_task(work()) for _ in range(n_connections)]
    for number in range(int(per_s * seconds)):
        due = started + number / per_s
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        waiting.put_nowait(due)
    for _ in workers:
        waiting.put_nowait(-1.0)
    await asyncio.gather(*workers)
    answers.seconds = time.perf_counter() - started
    return answers


async def as_fast_as_possible(
    host: str, port: int, requests: Sequence[bytes], *, n_connections: int = 8
) -> Answers:
    """Send all requests, each connection the next as soon as it has an answer; return what came back."""
    answers, left = Answers(), iter(requests)
    started = time.perf_counter()

    async def work() -> None:
        connection = Connection(host, port)
        for one in left:
            sent = time.perf_counter()
            status, body = await connection.ask(one)
            answers.latency_s.append(time.perf_counter() - sent)
            answers.statuses.append(status)
            answers.bodies.append(body)
        connection.close()

    await asyncio.gather(*(work() for _ in range(n_connections)))
    answers.seconds = time.perf_counter() - started
    return answers

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from huaxiang.errors import InputError, LimitError, PreconditionError, TooManyRequestsError
from huaxiang.serve.etag import check_match, is_same
from huaxiang.serve.limits import Rates, read_body
from huaxiang.serve.settings import Limits


async def sent(body: bytes, *, at_a_time: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(body), at_a_time):
        yield body[start : start + at_a_time]


def read(body: bytes, *, encoding: str = "", most_bytes: int = 10_000) -> bytes:
    return asyncio.run(read_body(sent(body), encoding=encoding, most_bytes=most_bytes))


@pytest.mark.parametrize("size", [0, 1, 9_999, 10_000])
def test_a_body_up_to_the_limit_is_read(size: int) -> None:
    body = b"x" * size
    assert read(body) == body
    assert read(gzip.compress(body), encoding="gzip") == body


@pytest.mark.parametrize("size", [10_001, 200_000])
def test_a_longer_body_is_refused(size: int) -> None:
    with pytest.raises(LimitError):
        read(b"x" * size)
    with pytest.raises(LimitError):
        read(gzip.compress(b"x" * size), encoding="gzip")


def test_a_bomb_never_takes_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000))
    with pytest.raises(LimitError):
        read(bomb, encoding="gzip")


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (b"no gzip", "gzip", "not gzip"),
        (gzip.compress(b"x" * 100)[:-9], "gzip", "cut short"),
        (zlib.compress(b"x"), "br", "compressed in a way"),
    ],
    ids=["other", "cut", "unknown"],
)
def test_a_broken_body_is_named(body: bytes, encoding: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(body, encoding=encoding)


def test_a_bucket_refills_with_time() -> None:
    rates = Rates(Limits(requests_per_s=2, burst=2))
    rates.count("a", now_s=0)
    rates.count("a", now_s=0)
    with pytest.raises(TooManyRequestsError) as refused:
        rates.count("a", now_s=0)
    assert refused.value.retry_after_s == pytest.approx(0.5)
    rates.count("b", now_s=0)
    rates.count("a", now_s=0.5)


def test_a_clock_set_back_gives_nothing_away() -> None:
    rates = Rates(Limits(requests_per_s=1, burst=1))
    rates.count("a", now_s=100)
    with pytest.raises(TooManyRequestsError):
        rates.count("a", now_s=50)


def test_a_correction_needs_the_profile_that_was_seen_at_whatever_moment() -> None:
    check_match(None, '"a-1"')
    check_match('"a-0"', '"a-1"')
    check_match('"x-1", W/"a-1"', '"a-1"')
    with pytest.raises(PreconditionError):
        check_match('"b-1"', '"a-1"')


def test_an_answer_is_the_same_only_with_the_whole_tag() -> None:
    assert is_same('"a-1"', '"a-1"')
    assert not is_same('"a-0"', '"a-1"')
    assert is_same("*", '"a-1"')

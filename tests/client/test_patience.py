"""What is tried again, how often, and after what pauses."""

from __future__ import annotations

import gzip
import json

import pytest

from client.asking import QUICK, Ask, ask_at_once, ask_awaited
from client.scripted import scripted
from huaxiang.client import Patience
from huaxiang.errors import InputError, NotAcceptedError, NotAllowedError, ServiceError, UnavailableError

BOTH = pytest.mark.parametrize("ask", [ask_at_once, ask_awaited], ids=["sync", "async"])
BUSY = (503, {"Retry-After": "7"}, {"title": "too much waits", "code": "busy"})
TAKEN = (200, {}, {"accepted": 1, "duplicates": 0, "rejected": [], "position": 5})
SLATE = (200, {}, {"shopper_id": "s", "model": "m", "slate_id": "l", "items": [], "degraded": []})
EVENT = {"event_id": "e-1", "shopper_id": "s-1", "type": "view_item", "item_id": "i-1"}


@BOTH
def test_a_busy_service_is_asked_again_after_as_long_as_it_says(ask: Ask) -> None:
    pauses: list[float] = []
    with scripted(BUSY, (429, {"Retry-After": "2.5"}, {}), TAKEN) as server:
        sent = ask(
            server.url, lambda c: c.send([EVENT]), patience=QUICK, sleep=pauses.append, luck=lambda: 1.0
        )
    assert (sent.accepted, sent.position) == (1, 5)
    assert pauses == [7.0, 2.5]
    assert len({body for *_, body in server.requests}) == 1


@BOTH
def test_pauses_grow_and_differ(ask: Ask) -> None:
    pauses: list[float] = []
    luck = iter([0.0, 1.0, 0.5, 0.0])
    with scripted(*[(503, {}, {})] * 3, SLATE) as server:
        ask(
            server.url,
            lambda c: c.recommend("s"),
            patience=QUICK,
            sleep=pauses.append,
            luck=lambda: next(luck),
        )
    assert pauses == [0.5, 2.0, 3.0]


@BOTH
def test_patience_ends(ask: Ask) -> None:
    with scripted(*[BUSY] * 4) as server, pytest.raises(UnavailableError, match="too much waits") as raised:
        ask(server.url, lambda c: c.send([EVENT]), patience=QUICK, sleep=lambda s: None)
    assert (raised.value.status, raised.value.code, server.answers) == (503, "busy", [])


@BOTH
def test_events_are_sent_again_when_no_answer_came(ask: Ask) -> None:
    with scripted((0, {}, None), TAKEN) as server:
        sent = ask(server.url, lambda c: c.send([EVENT]), patience=QUICK, sleep=lambda s: None)
    assert (sent.accepted, len(server.requests)) == (1, 2)


@BOTH
def test_a_correction_is_not_sent_again_when_no_answer_came(ask: Ask) -> None:
    with scripted((0, {}, None)) as server, pytest.raises(UnavailableError, match="no answer"):
        ask(server.url, lambda c: c.correct("s", "colour", "red", "liked"), patience=QUICK)
    assert len(server.requests) == 1


@BOTH
def test_nobody_listening_is_said(ask: Ask) -> None:
    pauses: list[float] = []
    with scripted() as server:
        url = server.url
    with pytest.raises(UnavailableError, match="check that it runs there"):
        ask(url, lambda c: c.models(), patience=QUICK, sleep=pauses.append)
    assert len(pauses) == 3


@BOTH
@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ((401, {}, {"title": "the key is not valid", "code": "key_refused"}), NotAllowedError, "key_refused"),
        ((422, {}, {"title": "wrong", "code": "input", "field": "k"}), NotAcceptedError, "input"),
        ((413, {}, {"title": "too long", "code": "limit"}), NotAcceptedError, "limit"),
        ((500, {}, b"<html>"), ServiceError, "http_500"),
        ((302, {"Location": "/x"}, b""), ServiceError, "http_302"),
        ((200, {}, b"<html>a proxy</html>"), ServiceError, "unknown"),
    ],
)
def test_problems_are_errors_of_their_kind(
    ask: Ask, answer: object, kind: type[ServiceError], code: str
) -> None:
    with scripted(answer) as server, pytest.raises(kind) as raised:  # type: ignore[arg-type]
        ask(server.url, lambda c: c.recommend("s"), patience=QUICK)
    assert (raised.value.code, type(raised.value)) == (code, kind)


@BOTH
def test_a_batch_that_is_refused_whole_is_an_answer(ask: Ask) -> None:
    why = {"index": 0, "event_id": "e-1", "field": "type", "code": "unknown_type", "message": "not known"}
    with scripted((422, {}, {"accepted": 0, "duplicates": 0, "rejected": [why], "position": 0})) as server:
        sent = ask(server.url, lambda c: c.send([EVENT]))
    assert [one.code for one in sent.rejected] == ["unknown_type"]
    assert sent.position is None


@BOTH
def test_events_travel_compressed_in_batches(ask: Ask) -> None:
    n_events, answers = (
        1200,
        [(200, {}, {"accepted": n, "duplicates": 0, "rejected": [], "position": n}) for n in (500, 500, 200)],
    )
    batches: list[int] = []
    with scripted(*answers) as server:
        events = ({**EVENT, "event_id": str(n)} for n in range(n_events))
        sent = ask(server.url, lambda c: c.send(events, on_batch=lambda part: batches.append(part.accepted)))
    assert (sent.accepted, batches) == (n_events, [500, 500, 200])
    bodies = [json.loads(gzip.decompress(body))["events"] for *_, body in server.requests]
    assert [event["event_id"] for body in bodies for event in body] == [str(n) for n in range(n_events)]
    assert {headers["Content-Encoding"] for _, _, headers, _ in server.requests} == {"gzip"}


@pytest.mark.parametrize("wrong", [{"tries": 0}, {"first_s": -1}, {"first_s": 9, "longest_s": 1}])
def test_no_such_patience(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Patience(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no address"):
        ask_at_once(url, lambda c: None)


def test_a_key_is_not_shown() -> None:
    with pytest.raises(InputError) as raised:
        ask_at_once("http://127.0.0.1", lambda c: None, key="hx_secret with spaces")
    assert "secret" not in str(raised.value)
    assert "t" * 43 not in ask_at_once("http://127.0.0.1", repr)

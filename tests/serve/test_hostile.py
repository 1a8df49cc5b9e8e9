"""Whatever is sent, the answer says what is wrong with it: never an error of ours, nothing of the machine."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serve.operations import Operation, operations
from serve.processes import KEY, Served
from serve.talking import event
from store.servers import postgresql_server, redis_server

pytestmark = pytest.mark.slow

IDS = {
    "path": "../../../../etc/passwd",
    "encoded path": "..%2f..%2fetc%2fpasswd",
    "NUL": "s-1\0.csv",
    "right to left": "\u202egpj.exe\u2066\u200f",
    "surrogates": "\udc80\ud800",
    "long": "x" * 10_000,
    "SQL": "' OR 1=1; DROP TABLE events; --",
    "SQL comment": 'a"/**/UNION/**/SELECT * FROM keys--',
    "format": "%s%n%x{0.__class__.__mro__}{self}",
    "template": "{{7*7}}${7*7}<%= 7*7 %>#{7*7}",
    "log": "${jndi:ldap://127.0.0.1/a}\r\nSet-Cookie: a=b",
    "script": "<script>alert(1)</script>",
    "blank": " \t ",
    "letters": "ﷺ🏳️‍🌈İ\u0300\ufeff",
    "not a number": "NaN",
}
BODIES = {
    "nothing": b"",
    "no JSON": b"{'events': []}",
    "no UTF-8": b'{"events": "\xff\xfe"}',
    "deep list": b"[" * 100_000,
    "deep object": b'{"events":' * 100_000 + b"1" + b"}" * 100_000,
    "deep and closed": b'{"events": [' + b"[" * 900 + b"]" * 900 + b"]}",
    "NaN": b'{"events": [{"value": NaN}], "side": Infinity, "purposes": -Infinity}',
    "huge number": b'{"events": 1e999, "purposes": {"ads": 1' + b"0" * 5000 + b'}, "receipt_id": 1e999}',
    "long integer": b'{"receipt_id": 340282366920938463463374607431768211456, "batch": [1]}',
    "half a letter": b'{"dimension": "\\ud800", "value": "\\udfff", "side": "liked", "writeKey": "\\ud800"}',
    "NUL": b'{"dimension": "\\u0000", "value": "a", "side": "liked", "source": "\\u0000"}',
    "long text": b'{"value": "' + b"x" * 10_000_000 + b'"}',
    "many": b'{"events": [' + b"1," * 999_999 + b"1]}",
    "many keys": b"{" + b",".join(b'"%d":1' % key for key in range(100_000)) + b"}",
    "same key twice": b'{"events": [], "events": [{}]}',
    "only a text": b'"events"',
    "zip bomb": gzip.compress(bytes(500_000_000), compresslevel=1),
}
HEADERS = {
    "no UTF-8": b"Authorization: Bearer hx_\xff\xfe_" + b"k" * 43,
    "two keys": b"Authorization: Bearer " + KEY.encode() + b"\r\nAuthorization: Bearer other",
    "long": b"X-Long: " + b"x" * 60_000,
    "many": b"\r\n".join(b"X-%d: 1" % number for number in range(5_000)),
    "two lengths": b"Content-Length: 2\r\nContent-Length: 3",
    "length and chunks": b"Content-Length: 2\r\nTransfer-Encoding: chunked",
    "negative length": b"Content-Length: -1",
    "no base64": b"Authorization: Basic \xe4\xf6",
    "strange token": b"X-Huaxiang-Shopper-Token: \xff.\xff\r\nAuthorization: Bearer " + KEY.encode(),
    "strange tags": b'If-None-Match: \xff"*"W/\r\nAuthorization: Bearer ' + KEY.encode(),
    "other encoding": b"Content-Encoding: br, gzip\r\nAuthorization: Bearer " + KEY.encode(),
    "other host": b"Host: evil.example\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: \xff",
    "split": b"X-A: b\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: a",
}
OURS = ("Traceback", "sqlalchemy", "/site-packages/", "psycopg", "[SQL", '.py"')
"""What an answer never has in it."""


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL and Redis"])
def served(
    request: pytest.FixtureRequest, small_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("hostile") / "run"))
    if request.param == "SQLite":
        served = Served(run).start()
        yield served
        assert served.stop() in (0, -15)
        return
    with postgresql_server() as database, redis_server() as redis:
        secret = {"HUAXIANG_PSEUDONYM_KEY": "k" * 32}
        served = Served(run, {"HUAXIANG_STORE": database, "HUAXIANG_STATE": redis, **secret}).start()
        yield served
        served.stop()


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", headers=headers, timeout=30) as client:
        yield client
        assert client.get("/readyz").status_code == 200


def check(answer: httpx.Response, what: object) -> None:
    """See that an answer is no error of ours, and that a refusal has the form that is promised."""
    if answer.status_code == 400 and answer.text == "Invalid HTTP request received.":
        return  # the address is longer than any server reads
    assert answer.status_code < 500, (what, answer.text[:500])
    assert not any(said in answer.text for said in OURS), (what, answer.text[:500])
    if answer.status_code >= 400 and "rejected" not in answer.json():
        assert answer.headers["content-type"] == "application/problem+json", (what, answer.text[:200])
        assert answer.json()["status"] == answer.status_code


def with_id(one: Operation, hostile: str) -> bytes | None:
    """Return the operation's example with every id of it replaced."""
    if one.example is None:
        return None
    written = json.dumps(one.example)
    for known in ("s-17", "i-4", "v-1", "m-1", "e-1", "o-1"):
        written = written.replace(f'"{known}"', json.dumps(hostile))
    return written.encode()


@pytest.mark.parametrize("kind", IDS)
def test_hostile_ids_are_only_ids(client: httpx.Client, kind: str) -> None:
    hostile = IDS[kind]
    in_path = hostile.encode("utf-8", "surrogatepass").decode("latin-1") if kind == "surrogates" else hostile
    for one in operations(client):
        path = one.filled(**dict.fromkeys(one.names, in_path))
        queries = {name: in_path for name, schema in one.queries.items() if "integer" not in str(schema)}
        at_once = [{name: told} for name, told in queries.items()] if kind == "long" else [queries]
        for query in ({}, *at_once):  # together, long ones make an address that no client sends
            answer = client.request(one.method, path, params=query, content=with_id(one, hostile))
            check(answer, (one.name, path[:80]))


@pytest.mark.parametrize("kind", BODIES)
def test_hostile_bodies_are_refused_wherever_they_go(client: httpx.Client, kind: str) -> None:
    packed = {"Content-Encoding": "gzip"} if kind == "zip bomb" else {}
    for one in operations(client):
        if one.example is not None:
            answer = client.request(one.method, one.filled(), content=BODIES[kind], headers=packed)
            check(answer, one.name)
            assert answer.status_code >= 400 or not answer.json().get("accepted"), (one.name, answer.text)


@pytest.mark.parametrize("kind", HEADERS)
def test_hostile_headers_break_nothing(client: httpx.Client, served: Served, kind: str) -> None:
    for target in (b"GET /v1/shoppers/s-1/profile", b"POST /v1/events", b"PUT /v1/shoppers/s-1/consent"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
            start = target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            line.sendall(start + HEADERS[kind] + b"\r\n\r\n{}")
            line.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: line.recv(65_536), b""))
        status = int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else 400
        assert status < 500, answer[:500]
        assert not any(said.encode() in answer for said in OURS)


def test_an_endless_body_is_cut_off_wherever_it_goes(client: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * (1 << 20)

    for one in operations(client):
        if one.example is not None:
            try:
                assert client.request(one.method, one.filled(), content=endless()).status_code in (413, 422)
            except httpx.WriteError:  # it stopped to listen before it was told everything
                continue


def test_the_log_is_whole_after_all_of_it(client: httpx.Client) -> None:
    sent = [event("survivor", "search", query=hostile) for hostile in IDS.values() if hostile.isprintable()]
    assert client.post("/v1/events", json={"events": sent}).json()["accepted"] == len(sent)
    told = client.get("/v1/shoppers/survivor/export").json()["events"]
    assert [one["query"] for one in told] == [one["query"] for one in sent]

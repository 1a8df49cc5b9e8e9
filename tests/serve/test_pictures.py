"""Photos by address: only from allowed hosts, only public addresses, only photos, within limits."""

from __future__ import annotations

import io
import shutil
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from huaxiang.errors import HuaxiangError, InputError, LimitError
from huaxiang.serve.kept_photos import KeptPhotos
from huaxiang.serve.pictures import Pictures, is_public


def photo(size: tuple[int, int] = (8, 6), kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (200, 20, 20)).save(written, kind)
    return written.getvalue()


class Answers(BaseHTTPRequestHandler):
    """A host of photos, some of them hostile."""

    def do_GET(self) -> None:
        getattr(self, f"_{self.path.strip('/').partition('?')[0]}")()

    def _photo(self) -> None:
        self._send(photo())

    def _text(self) -> None:
        self._send(b"<html>not a photo</html>", {"Content-Type": "image/png"})

    def _large(self) -> None:
        self._send(photo() + b"\0" * 200_000)

    def _says_large(self) -> None:
        self._send(b"", {"Content-Length": str(10**12)})

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"\0" * 65536)
        except OSError:
            pass

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        try:
            for _ in range(1000):
                self.wfile.write(b"x")
                self.server.pause.wait(0.05)  # type: ignore[attr-defined]
        except OSError:
            self.server.was_hung_up_on.set()  # type: ignore[attr-defined]

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(photo()[:40])

    def _loop(self) -> None:
        self._to("/loop")

    def _onwards(self) -> None:
        self._to("/photo")

    def _elsewhere(self) -> None:
        self._to("http://metadata.example/latest")

    def _inwards(self) -> None:
        self._to("http://127.0.0.1/photo")

    def _file(self) -> None:
        self._to("file:///etc/passwd")

    def _missing(self) -> None:
        self.send_error(404)

    def _to(self, place: str) -> None:
        self.send_response(302)
        self.send_header("Location", place)
        self.end_headers()

    def _send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(200)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    server.pause, server.was_hung_up_on = threading.Event(), threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.pause.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def pictures(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> Pictures:
    """Return a reader that may reach the server under the name photos.example."""
    names(monkeypatch, {"photos.example": ["127.0.0.1"]})
    return Pictures(
        hosts=("photos.example",),
        most_bytes=100_000,
        most_pixels=10_000,
        timeout_s=2.0,
        may_reach=lambda address: address.is_loopback,
        ports={"http": server.server_port}.get,
    )


def names(patch: pytest.MonkeyPatch, known: dict[str, list[str]]) -> list[str]:
    """Let names mean these addresses, whatever the machine's own resolver says; return who was asked for."""
    asked: list[str] = []

    def found(host: str, port: int, **more: Any) -> list[Any]:
        asked.append(host)
        if host not in known:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    patch.setattr(socket, "getaddrinfo", found)
    return asked


def test_a_photo_of_an_allowed_host_is_read(pictures: Pictures) -> None:
    assert pictures.read("http://photos.example/photo").size == (8, 6)
    assert pictures.read("HTTP://Photos.Example./onwards?a=b").getpixel((0, 0)) == (200, 20, 20)


HOSTILE = {
    "other host": "http://elsewhere.example/photo",
    "host that begins alike": "http://photos.example.attacker.test/photo",
    "host that ends alike": "http://notphotos.example/photo",
    "user before the host": "http://photos.example@127.0.0.1/photo",
    "user of the host": "http://user:password@photos.example/photo",
    "other port": "http://photos.example:22/photo",
    "port that is none": "http://photos.example:99999/photo",
    "https without its port": "https://photos.example/photo",
    "address": "http://127.0.0.1/photo",
    "address as one number": "http://2130706433/photo",
    "address in octal": "http://0177.0.0.1/photo",
    "address, short": "http://127.1/photo",
    "address of IPv6": "http://[::1]/photo",
    "local name": "http://localhost/photo",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "no host": "http:///photo",
    "backslash": "http://photos.example\\@127.0.0.1/photo",
    "line break": "http://photos.example/photo\r\nX-More: 1",
    "space": "http://photos.example/ photo",
    "other scheme": "ftp://photos.example/photo",
    "file": "file:///etc/passwd",
    "gopher": "gopher://photos.example/photo",
    "path": "/etc/passwd",
    "relative path": "../../etc/passwd",
    "text as data": "data:text/html;base64,PGI+",
    "no base64": "data:image/png;base64,####",
    "no photo in base64": b64encode(b"GIF89a or so").decode(),
    "redirect to a host that is not allowed": "http://photos.example/elsewhere",
    "redirect to an address": "http://photos.example/inwards",
    "redirect to a file": "http://photos.example/file",
    "redirects for ever": "http://photos.example/loop",
    "text that says it is a photo": "http://photos.example/text",
    "missing": "http://photos.example/missing",
    "cut short": "http://photos.example/cut",
    "larger than allowed": "http://photos.example/large",
    "says that it is large": "http://photos.example/says_large",
    "endless": "http://photos.example/endless",
    "nothing": "",
}


@pytest.mark.parametrize("given", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_hostile_is_refused(pictures: Pictures, given: str) -> None:
    with pytest.raises((InputError, LimitError)) as refused:
        pictures.read(given)
    assert refused.value.column == "images" and refused.value.remedy


def test_who_drips_is_cut_off_when_the_time_is_over(pictures: Pictures, server: ThreadingHTTPServer) -> None:
    with pytest.raises(InputError, match="can't be fetched"):
        replace(pictures, timeout_s=0.3).read("http://photos.example/drip")
    assert server.was_hung_up_on.wait(20)  # type: ignore[attr-defined]  # dripping itself would take 50 s


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.215.14",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001::1",
    ],
)
def test_addresses_inside_are_not_reached(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_public(ip_address(address))
    names(monkeypatch, {"photos.example": ["93.184.215.14", address]})
    with pytest.raises(InputError, match="may not be fetched"):
        Pictures(hosts=("photos.example",)).read("http://photos.example/photo")


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(ip_address(address))


def test_the_connection_goes_to_the_address_that_was_checked(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanings = iter(["127.0.0.1", "10.0.0.1"])  # the second look-up would lead inwards
    asked: list[str] = []

    def rebinding(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(meanings), port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    reader = Pictures(
        hosts=("photos.example",),
        may_reach=lambda address: address.is_loopback,
        ports={"http": server.server_port}.get,
    )
    assert reader.read("http://photos.example/photo").size == (8, 6)
    assert asked == ["photos.example"]


def test_no_host_is_allowed_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = names(monkeypatch, {})
    with pytest.raises(InputError, match="may not be fetched"):
        Pictures().read("https://photos.example/photo")
    assert asked == []  # a name that is not allowed is not even looked up


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("cdn.photos.example", True),
        ("a.b.photos.example", True),
        ("photos.example", False),
        ("xphotos.example", False),
    ],
)
def test_a_star_stands_for_every_name_below(host: str, is_allowed: bool) -> None:
    assert Pictures(hosts=("*.photos.example",))._is_allowed(host) is is_allowed


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_photos_come_as_data_and_as_base64_too(kind: str) -> None:
    written = b64encode(photo(kind=kind)).decode()
    assert Pictures().read(written).size == (8, 6)
    assert Pictures().read(f"data:image/{kind.lower()};base64,{written}").size == (8, 6)


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_unpacked() -> None:
    bomb = photo((5000, 4000))
    assert len(bomb) < 200_000
    with pytest.raises(LimitError, match="too many pixels"):
        Pictures(most_pixels=10_000_000).decode(bomb)


def test_bytes_beyond_the_limit_are_refused_whatever_they_are() -> None:
    with pytest.raises(LimitError, match="too large"):
        Pictures(most_bytes=50).read(b64encode(photo()).decode())


@pytest.mark.parametrize("cut", [0, 1, 8, 20, 45])
def test_broken_bytes_are_no_photo_and_no_crash(cut: int) -> None:
    with pytest.raises(HuaxiangError):
        Pictures().decode(photo()[:cut])


def noisy(picture: Image.Image) -> Image.Image:
    picture.getexif()[0x9C9C] = "where it was taken"
    return picture


def test_a_kept_photo_is_there_once_and_says_nothing_of_where_it_was_taken(tmp_path: Path) -> None:
    photos = KeptPhotos(tmp_path / "photos")
    name = photos.keep(noisy(Image.new("RGB", (3000, 1500), "red")))
    assert photos.keep(Image.new("RGB", (3000, 1500), "red")) == name
    assert list(photos) == [name] and len(photos) == 1
    with Image.open(photos[name]) as kept:
        assert kept.size == (1024, 512) and not kept.getexif()


@pytest.mark.parametrize("name", ["", "..", "../store.sqlite", "/etc/passwd", "a.jpg", "0" * 32 + ".jpg\n"])
def test_only_kept_photos_are_found(name: str, tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").touch()
    with pytest.raises(KeyError):
        KeptPhotos(tmp_path / "photos")[name]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a certificate of photos.example and its key, in one file."""
    file = tmp_path / "photos.pem"
    made = subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=photos.example", "-addext", "subjectAltName=DNS:photos.example"),
            *("-keyout", "-", "-out", "-"),
        ],
        capture_output=True,
        check=True,
    )
    file.write_bytes(made.stdout)
    return file


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_over_tls_the_host_must_show_its_own_certificate(
    server: ThreadingHTTPServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, {"photos.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate)
    server.socket = own.wrap_socket(server.socket, server_side=True)
    reader = Pictures(
        hosts=("photos.example", "other.example"),
        may_reach=lambda address: address.is_loopback,
        ports={"https": server.server_port}.get,
        context=ssl.create_default_context(cafile=str(certificate)),
    )
    assert reader.read("https://photos.example/photo").size == (8, 6)
    with pytest.raises(InputError, match="can't be fetched"):
        reader.read("https://other.example/photo")
    with pytest.raises(InputError, match="can't be fetched"):
        replace(reader, context=None).read("https://photos.example/photo")

"""Photos that a request names: fetched from allowed hosts only, never from a private address, and decoded.

Whoever may send items must not be able to make this machine talk with its own network. So a host is looked up
once, every address it has is checked, and the connection goes to the address that was checked: a name that
means something else a moment later (DNS rebinding) changes nothing. Redirects start all over.
"""

from __future__ import annotations

import binascii
import io
import re
import socket
import ssl
import time
import warnings
from base64 import b64decode
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from urllib.parse import SplitResult, unquote_to_bytes, urljoin, urlsplit

from PIL import Image

from huaxiang.encoders.photos import read_photo
from huaxiang.errors import LimitError, PhotoError

PORTS = {"http": 80, "https": 443}
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
MOST_REDIRECTS = 3
TIMEOUT_S = 5.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_DATA = re.compile(r"data:image/[\w.+-]+(?P<base64>;base64)?,", re.IGNORECASE)
_CARRIES_IPV4 = tuple(
    IPv6Network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "::/96", "::ffff:0:0/96")
)
"""NAT64, Teredo, 6to4, and IPv4 inside of IPv6: what they lead to is not what is written."""
_BLOCK = 1 << 16
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "huaxiang"}

Address = IPv4Address | IPv6Address


def is_public(address: Address) -> bool:
    """Return whether an address lies in the public internet, and nowhere else.

    Examples
    --------
    >>> [is_public(ip_address(one)) for one in ("93.184.215.14", "10.0.0.1", "::ffff:93.184.215.14")]
    [True, False, False]
    """
    if isinstance(address, IPv6Address) and any(address in network for network in _CARRIES_IPV4):
        return False
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Reads what a request calls a photo.

    Parameters
    ----------
    hosts
        Names that photos may be fetched from; "*.example.com" is every name below. None by default.
    most_bytes, most_pixels
        Largest photo.
    timeout_s
        For one photo with all its redirects.
    may_reach
        Which addresses may be connected to; tests with a server of their own give another.
    ports
        Scheme → port; no others are asked.
    """

    hosts: Sequence[str] = ()
    most_bytes: int = 8 << 20
    most_pixels: int = 40_000_000
    timeout_s: float = TIMEOUT_S
    may_reach: Callable[[Address], bool] = is_public
    ports: Callable[[str], int | None] = PORTS.get
    context: ssl.SSLContext | None = None

    def read(self, given: str) -> Image.Image:
        """Return the photo that an address, a data: URL or base64 stands for, upright and in RGB.

        Raises
        ------
        PhotoError
            It may not be fetched, can't be, or is no photo.
        LimitError
            It is too large.

        Examples
        --------
        >>> white = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
        >>> Pictures().read(white).getpixel((0, 0))
        (255, 255, 255)
        """
        if given[:8].lower().startswith(("http://", "https://")):
            content = self.fetch(given)
        elif given[:5].lower() == "data:":
            content = self._from_data(given)
        else:
            content = self._from_base64(given)
        return self.decode(content)

    def decode(self, content: bytes) -> Image.Image:
        """Return the picture of a photo's bytes; what it is said to be doesn't count."""
        if len(content) > self.most_bytes:
            raise self._too_large()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                    n_pixels = opened.width * opened.height
        except Image.DecompressionBombError as error:
            raise self._too_many_pixels() from error
        except Exception as error:  # hostile bytes make Pillow raise nearly anything
            raise _no_photo() from error
        if n_pixels > self.most_pixels:
            raise self._too_many_pixels()
        picture = read_photo(content).picture
        if picture is None:
            raise _no_photo()
        return picture

    def fetch(self, url: str) -> bytes:
        """Return what an address answers with, within the limits of size and time."""
        ends_s = time.monotonic() + self.timeout_s
        for _ in range(MOST_REDIRECTS + 1):
            parts = self._checked(url)
            try:
                answer = self._ask(parts, ends_s)
            except (OSError, HTTPException, ValueError) as error:
                raise _unreachable(parts) from error
            if isinstance(answer, bytes):
                return answer
            url = urljoin(url, answer)
        raise PhotoError(
            "the photo's address leads on and on", code="photo_not_allowed", remedy="give the last one"
        )

    def _checked(self, url: str) -> SplitResult:
        """Return the parts of an address that may be asked; its host name is plain ASCII."""
        try:
            parts = urlsplit(url)
            port, host = parts.port, (parts.hostname or "").rstrip(".").encode("idna").decode()
        except ValueError as error:
            raise _not_allowed(None) from error
        if _NOT_IN_A_URL.search(url) or parts.username is not None or parts.password is not None:
            raise _not_allowed(None)
        usual = self.ports(parts.scheme)
        if usual is None or port not in (None, usual) or not self._is_allowed(host):
            raise _not_allowed(host)
        return parts._replace(netloc=host)

    def _is_allowed(self, host: str) -> bool:
        return bool(host) and any(
            host.endswith(one[1:].lower()) if one.startswith("*.") else host == one.lower()
            for one in self.hosts
        )

    def _addresses(self, host: str, port: int) -> list[Address]:
        """Return the addresses of a host; one that may not be reached spoils them all."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(where[4][0]).partition("%")[0]) for where in found]
        if not addresses or not all(self.may_reach(address) for address in addresses):
            raise _not_allowed(host)
        return addresses

    def _ask(self, parts: SplitResult, ends_s: float) -> bytes | str:
        """Return the body of the answer, or where it leads."""
        port = self.ports(parts.scheme)
        assert port is not None
        address = self._addresses(parts.netloc, port)[0]
        connection = self._connected(parts, address, port, ends_s)
        guard = Timer(max(0.0, ends_s - time.monotonic()), _hang_up, [connection.sock])
        guard.daemon = True
        guard.start()  # a timeout of the socket counts each read anew: who drips could go on for ever
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers={"Host": parts.netloc, **_HEADERS})
            with closing(connection.getresponse()) as answer:
                if answer.status in _REDIRECTS:
                    return answer.headers.get("Location", "")
                if answer.status != 200:
                    raise _unreachable(parts)
                body = self._body(answer)
                if answer.length or time.monotonic() > ends_s:
                    raise _unreachable(parts)
                return body
        finally:
            guard.cancel()
            connection.close()

    def _connected(self, parts: SplitResult, address: Address, port: int, ends_s: float) -> HTTPConnection:
        """Return a connection to the address that was checked; it must show the host's certificate."""
        left_s = max(0.001, ends_s - time.monotonic())
        connection = HTTPConnection(parts.netloc, port, timeout=left_s)
        plain = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
        try:
            plain.settimeout(left_s)
            plain.connect((str(address), port))
            connection.sock = plain
            if parts.scheme == "https":
                context = self.context or ssl.create_default_context()
                connection.sock = context.wrap_socket(plain, server_hostname=parts.netloc)
        except BaseException:
            plain.close()
            raise
        return connection

    def _body(self, answer: HTTPResponse) -> bytes:
        if int(answer.headers.get("Content-Length") or 0) > self.most_bytes:
            raise self._too_large()
        body = bytearray()
        while block := answer.read(_BLOCK):
            body += block
            if len(body) > self.most_bytes:
                raise self._too_large()
        return bytes(body)

    def _from_data(self, given: str) -> bytes:
        head = _DATA.match(given)
        if head is None:
            raise _no_photo()
        if head["base64"]:
            return self._from_base64(given[head.end() :])
        self._check_length(given, 3)
        return unquote_to_bytes(given[head.end() :])

    def _from_base64(self, written: str) -> bytes:
        self._check_length(written, 2)
        if not _BASE64.fullmatch(written):
            raise _no_photo()
        try:
            return b64decode("".join(written.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise _no_photo() from error

    def _check_length(self, written: str, times: int) -> None:
        if len(written) > times * self.most_bytes:
            raise self._too_large()

    def _too_many_pixels(self) -> LimitError:
        remedy = f"send one of at most {self.most_pixels:,}"
        return LimitError("the photo has too many pixels", column="images", remedy=remedy)

    def _too_large(self) -> LimitError:
        remedy = f"send one of at most {self.most_bytes:,} bytes"
        return LimitError("the photo is too large", column="images", remedy=remedy)


def _hang_up(connected: socket.socket) -> None:
    """End a connection whose time is over, from another thread."""
    with suppress(OSError):  # it may have ended by itself
        connected.shutdown(socket.SHUT_RDWR)


def _not_allowed(host: str | None) -> PhotoError:
    return PhotoError(
        "photos may not be fetched from there",
        code="photo_not_allowed",
        value=host,
        remedy="add the host to serve.picture_hosts, or send the photo itself as base64",
    )


def _unreachable(parts: SplitResult) -> PhotoError:
    remedy = "check the address, or send the photo itself as base64"
    said = "the photo can't be fetched"
    return PhotoError(said, code="photo_unreachable", value=parts.netloc, remedy=remedy)


def _no_photo() -> PhotoError:
    remedy = "send a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF: its address, a data: URL, or base64"
    return PhotoError("not a photo that can be read", code="photo_unreadable", remedy=remedy)

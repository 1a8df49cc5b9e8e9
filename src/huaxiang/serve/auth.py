"""Who asks, and what they may do: keys with scopes, and tokens for shoppers in a browser.

Secret keys belong to servers. Public keys may only write, and only of anonymous visitors; to touch a known
shopper, the browser sends a token that the shop's own server signed for that one shopper and a few minutes.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

import orjson

from huaxiang.errors import KeyRefusedError, ScopeError
from huaxiang.serve.pseudonyms import Pseudonyms
from huaxiang.store import ApiKey, is_secret_of, split_key

SCOPES = (
    "events:write",
    "items:write",
    "profile:read",
    "profile:write",
    "recommend:read",
    "search:read",
    "reviews:read",
    "assistant:use",
    "marketing:use",
    "privacy:manage",
    "models:manage",
    "admin",
)
SHOPPER_SCOPES = frozenset(
    {"events:write", "profile:read", "profile:write", "recommend:read", "search:read", "privacy:manage"}
)
"""What a shopper may do with themself."""

REMEMBERED_S = 1.0
"""A key that was revoked works at most this much longer."""
LONGEST_TOKEN_S = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    shopper_id
        The one shopper that a token speaks for; None for a server.
    """

    key_id: str
    shop_id: str
    scopes: frozenset[str]
    purpose: str = "recommend"
    is_public: bool = False
    shopper_id: str | None = None

    def may(self, scope: str, *, shopper_id: str | None = None) -> None:
        """Raise `ScopeError` unless the caller may do this, to this shopper."""
        if self.shopper_id is not None:
            if scope not in SHOPPER_SCOPES or shopper_id not in (None, self.shopper_id):
                raise ScopeError(
                    "the token speaks for one shopper only", remedy="ask for that shopper's data"
                )
            return
        if scope not in self.scopes and "admin" not in self.scopes:
            raise ScopeError("the key may not do this", column="scope", value=scope, remedy="use another key")


class Gate:
    """Turns what a request carries into a `Caller`.

    Parameters
    ----------
    find
        Returns a stored key by its id, None where there is none.
    clock_s
        Seconds since 1970.
    """

    def __init__(
        self,
        find: Callable[[str], ApiKey | None],
        pseudonyms: Pseudonyms,
        *,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._find = find
        self._pseudonyms = pseudonyms
        self._clock_s = clock_s
        self._remembered: dict[str, tuple[float, ApiKey | None, bytes]] = {}

    def caller(self, headers: Mapping[str, str], *, write_key: str | None = None) -> Caller:
        """Return who asks.

        Parameters
        ----------
        headers
            Names in lower case.
        write_key
            A key found elsewhere, as Segment's libraries send it in the body.

        Raises
        ------
        KeyRefusedError
            There is no key, or none that is valid now and from this origin.
        """
        written = write_key or _written_key(headers.get("authorization", ""))
        if not written:
            raise KeyRefusedError("no key was given", remedy="send Authorization: Bearer hx_…")
        key = self._checked(written)
        _check_origin(key, headers.get("origin"))
        token = headers.get("x-huaxiang-shopper-token")
        return _caller(key, shopper_id=self._shopper_of(key, token) if token else None)

    def caller_of(self, key_id: str) -> Caller:
        """Return the holder of a key who has shown it before, if it is still valid.

        Raises
        ------
        KeyRefusedError
            It was revoked or has expired.
        """
        key = self._find(key_id)
        if key is None or not key.is_valid(int(self._clock_s() * 1000)):
            raise KeyRefusedError("the key is not valid", remedy="make one with huaxiang keys create")
        return _caller(key)

    def secret(self, purpose: str) -> str:
        """Return a secret of this service for one purpose of its own."""
        return self._pseudonyms.secret(purpose, "").hex()

    def token(self, key_id: str, shopper_id: str, *, valid_s: int = 600) -> str:
        """Return a token for one shopper, as the shop's own server makes it with `token_secret`."""
        return sign_token(self.token_secret(key_id), shopper_id, expires_s=int(self._clock_s()) + valid_s)

    def token_secret(self, key_id: str) -> str:
        """Return the secret with which the shop signs tokens for the holders of a public key."""
        return self._pseudonyms.secret("token", key_id).hex()

    def _checked(self, written: str) -> ApiKey:
        key_id, secret = split_key(written)
        now_s = self._clock_s()
        seen_s, key, digest = self._remembered.get(key_id, (0.0, None, b""))
        given = sha256(secret.encode()).digest()
        is_fresh = 0 <= now_s - seen_s <= REMEMBERED_S  # not either, where the clock was set back
        if not is_fresh or not hmac.compare_digest(digest, given):
            key = self._find(key_id)
            if key is not None and not is_secret_of(key, secret):
                key = None
            if key is not None:
                self._remembered[key_id] = (now_s, key, given)
        if key is None or not key.is_valid(int(now_s * 1000)):
            raise KeyRefusedError("the key is not valid", remedy="make one with huaxiang keys create")
        return key

    def _shopper_of(self, key: ApiKey, token: str) -> str:
        return read_token(self.token_secret(key.key_id), token, now_s=self._clock_s())


def _caller(key: ApiKey, *, shopper_id: str | None = None) -> Caller:
    return Caller(
        key_id=key.key_id,
        shop_id=key.shop_id,
        scopes=frozenset(key.scopes),
        purpose=key.purpose or "recommend",
        is_public=key.is_public,
        shopper_id=shopper_id,
    )


def sign_token(secret: str, shopper_id: str, *, expires_s: int) -> str:
    """Return a token that speaks for one shopper until `expires_s` (seconds since 1970).

    Examples
    --------
    >>> token = sign_token("00ff", "s-17", expires_s=2_000)
    >>> read_token("00ff", token, now_s=1_990)
    's-17'
    """
    claims = urlsafe_b64encode(orjson.dumps({"sub": shopper_id, "exp": expires_s})).rstrip(b"=")
    return f"{claims.decode()}.{_mac(secret, claims)}"


def read_token(secret: str, token: str, *, now_s: float) -> str:
    """Return the shopper that a token speaks for.

    Raises
    ------
    KeyRefusedError
        It was not signed with this secret, has expired, or lasts longer than a day.
    """
    claims, _, mac = token.partition(".")
    refused = KeyRefusedError(
        "the shopper's token is not valid", remedy="let the shop's server sign a new one"
    )
    if not token.isascii() or not hmac.compare_digest(mac, _mac(secret, claims.encode())):
        raise refused
    try:
        said = orjson.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        shopper_id, expires_s = str(said["sub"]), float(said["exp"])
    except (ValueError, KeyError, TypeError, NotBase64) as error:
        raise refused from error
    if not now_s < expires_s <= now_s + LONGEST_TOKEN_S:
        raise refused
    return shopper_id


def _mac(secret: str, claims: bytes) -> str:
    return urlsafe_b64encode(hmac.new(secret.encode(), claims, sha256).digest()).rstrip(b"=").decode()


def _written_key(authorization: str) -> str:
    kind, _, value = authorization.strip().partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[0]
        except (NotBase64, UnicodeDecodeError, ValueError):
            return ""
    return ""


def _check_origin(key: ApiKey, origin: str | None) -> None:
    if key.is_public and key.origins and origin not in key.origins:
        raise KeyRefusedError("the key is not for this page", remedy="add the page's origin to the key")

"""Shoppers' ids, made unreadable on the way in.

Inside the service a shopper is a keyed hash of the shop's own id (HMAC-SHA256, RFC 2104). Whoever holds the
log but not the key can't tell whose events they are; the same key gives the same hash for ever, so the shop's
own id always finds the shopper again.
"""

from __future__ import annotations

import hmac
import os
import secrets
from binascii import b2a_base64
from hashlib import sha256
from pathlib import Path

from huaxiang.errors import InputError, SettingsError
from huaxiang.store import Store
from huaxiang.store.meta import read_meta, write_meta

_KEY_BYTES = 32
_HASH_BYTES = 16
_HASH_LETTERS = 22
_IN_ADDRESSES = bytes.maketrans(b"+/", b"-_")


class Pseudonyms:
    """Ids of shoppers as the log has them, and the secrets that are derived from the same key.

    Parameters
    ----------
    key
        At least 16 bytes.

    Examples
    --------
    >>> names = Pseudonyms(b"sixteen bytes or more")
    >>> names.of("default", "s-17") == names.of("default", "s-17") != names.of("other", "s-17")
    True
    >>> len(names.of("default", "s-17"))
    22
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise SettingsError(
                "the key for shoppers' ids is too short",
                column="HUAXIANG_PSEUDONYM_KEY",
                remedy="give at least 16 characters, such as those of `openssl rand -hex 32`",
            )
        self._key = key
        self._mac = hmac.new(key, b"shopper\0", sha256)

    def of(self, shop_id: str, shopper_id: str) -> str:
        """Return the hash of a shopper's id, 22 characters of A-Z a-z 0-9 - _."""
        mac = self._mac.copy()
        mac.update(f"{shop_id}\0{shopper_id}".encode("utf-8", "surrogatepass"))
        written = b2a_base64(mac.digest()[:_HASH_BYTES], newline=False)
        return written.translate(_IN_ADDRESSES)[:_HASH_LETTERS].decode()

    def subject(self, shop_id: str, shopper_hash: str) -> str:
        """Return what stands for a shopper where they must not be recognised: a keyed hash of their hash."""
        return self.secret("subject", f"{shop_id}\0{shopper_hash}").hex()[:32]

    def secret(self, purpose: str, name: str) -> bytes:
        """Return a secret for one purpose, derived from the key: 32 bytes."""
        return hmac.new(self._key, f"{purpose}\0{name}".encode(), sha256).digest()

    def check_value(self) -> str:
        """Return what tells a wrong key from the right one and nothing else about it."""
        return self.secret("check", "").hex()[:32]


def known_pseudonyms(given: str | None, file: Path | None, store: Store) -> Pseudonyms:
    """Return the pseudonyms of a store's log.

    Raises
    ------
    InputError
        The key is another one than the log was made with: nobody would be found again.
    """
    pseudonyms = Pseudonyms(read_key(given, file=file))
    with store.begin() as tx:
        known = read_meta(tx, "pseudonyms")
        if known is None:
            write_meta(tx, "pseudonyms", pseudonyms.check_value())
        elif known != pseudonyms.check_value():
            raise InputError(
                "the key for shoppers' ids is not the one that this log was made with",
                column="HUAXIANG_PSEUDONYM_KEY",
                remedy="give the former key: with another nobody would be found again",
            )
    return pseudonyms


def read_key(given: str | None, *, file: Path | None) -> bytes:
    """Return the key: the one given, else the one in `file`, which is made at the first start.

    Raises
    ------
    SettingsError
        None was given where processes on several machines share a log, so that no file can hold it.
    """
    if given is not None:
        return given.encode()
    if file is None:
        raise SettingsError(
            "the key for shoppers' ids is missing",
            column="HUAXIANG_PSEUDONYM_KEY",
            remedy="set it to a secret that every process of the service gets, and keep it: without it "
            "nobody is found again",
        )
    try:
        return bytes.fromhex(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return _new_key(file)
    except ValueError as error:
        raise SettingsError(
            "the key for shoppers' ids is damaged", file=str(file), remedy="restore it"
        ) from error


def _new_key(file: Path) -> bytes:
    key = secrets.token_bytes(_KEY_BYTES)
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(key.hex())
        opened.flush()
        os.fsync(opened.fileno())
    return key

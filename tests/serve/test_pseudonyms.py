from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import SettingsError
from huaxiang.serve.pseudonyms import Pseudonyms, read_key

KEY = b"a key of thirty-two bytes, no less"


@given(first=st.text(), second=st.text())
def test_shoppers_share_a_hash_only_if_they_share_an_id(first: str, second: str) -> None:
    names = Pseudonyms(KEY)
    assert (names.of("shop", first) == names.of("shop", second)) == (first == second)


def test_the_hash_of_an_id_is_the_same_for_ever() -> None:
    message = "shopper\0shop\0käthe".encode()
    expected = urlsafe_b64encode(hmac.digest(KEY, message, "sha256")[:16]).decode().rstrip("=")
    assert Pseudonyms(KEY).of("shop", "käthe") == expected == "91PA_vqFRKhV0Pi2eES2oQ"


def test_another_shop_or_another_key_gives_another_hash() -> None:
    hashes = {Pseudonyms(KEY).of("a", "s"), Pseudonyms(KEY).of("b", "s"), Pseudonyms(KEY[::-1]).of("a", "s")}
    assert len(hashes) == 3


def test_a_lone_surrogate_is_an_id_like_any_other() -> None:
    assert len(Pseudonyms(KEY).of("shop", "\ud800")) == 22


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="too short"):
        Pseudonyms(b"short")


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "live" / "pseudonym.key"
    made = read_key(None, file=file)
    assert read_key(None, file=file) == made
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_that_no_file_can_hold_must_be_given() -> None:
    with pytest.raises(SettingsError, match="HUAXIANG_PSEUDONYM_KEY"):
        read_key(None, file=None)
    assert read_key("given by the environment", file=None) == b"given by the environment"


def test_a_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "pseudonym.key"
    file.write_text("not hex")
    with pytest.raises(SettingsError, match="damaged"):
        read_key(None, file=file)
    assert file.read_text() == "not hex"

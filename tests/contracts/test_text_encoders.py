"""Every way of encoding texts against every promise of `encoders.base`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from encoders.tiny_encoders import tiny_encoder
from huaxiang.encoders.base import StoredTextEncoder
from huaxiang.encoders.bilingual import BilingualEncoder
from huaxiang.encoders.cache import CachedEncoder
from huaxiang.encoders.hashed import HashedEncoder
from huaxiang.encoders.named import load_text_encoder, text_encoder
from huaxiang.encoders.student import StudentEncoder
from huaxiang.encoders.text import OnnxTextEncoder

TEXTS = ["red dress", None, "跑步鞋 running shoes", "", "🎉", "42", "<b>blue</b> hat", "red dress"]
PRESENT = [True, False, True, False, False, True, True, True]


def _tiny(folder: Path, *, width: int = 32) -> OnnxTextEncoder:
    encoder = text_encoder(tiny_encoder(folder / "bert", width=width), cache_folder=folder / "cache")
    assert isinstance(encoder, OnnxTextEncoder)
    return encoder


MADE: dict[str, Callable[[Path], StoredTextEncoder]] = {
    "hashed": lambda _: HashedEncoder(),
    "student": lambda _: StudentEncoder(),
    "text": _tiny,
    "bilingual": lambda folder: BilingualEncoder(_tiny(folder, width=384), StudentEncoder()),
}


@pytest.fixture(scope="module", params=MADE)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StoredTextEncoder:
    return MADE[request.param](tmp_path_factory.mktemp(request.param))


def test_rows_are_float32_of_unit_length_or_zero_where_absent(encoder: StoredTextEncoder) -> None:
    encoded = encoder.encode(TEXTS)
    assert encoded.vectors_ID.dtype == np.float32
    assert encoded.vectors_ID.shape == (len(TEXTS), encoder.dimensions)
    assert encoded.present_I.tolist() == PRESENT
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors_ID, axis=1), PRESENT, atol=1e-4)


def test_equal_texts_have_equal_vectors_and_encoding_is_pure(encoder: StoredTextEncoder) -> None:
    first, second = encoder.encode(TEXTS).vectors_ID, encoder.encode(TEXTS).vectors_ID
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first[0], first[-1], atol=1e-6)


def test_order_of_the_texts_is_the_order_of_the_rows(encoder: StoredTextEncoder) -> None:
    forwards, backwards = encoder.encode(TEXTS).vectors_ID, encoder.encode(TEXTS[::-1]).vectors_ID
    np.testing.assert_allclose(forwards, backwards[::-1], atol=1e-5)


def test_no_texts_give_no_rows(encoder: StoredTextEncoder) -> None:
    assert encoder.encode([]).vectors_ID.shape == (0, encoder.dimensions)


def test_what_is_saved_is_read_back_in_the_same_space(encoder: StoredTextEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    again = load_text_encoder(tmp_path)
    assert again.space == encoder.space
    np.testing.assert_array_equal(again.encode(TEXTS).vectors_ID, encoder.encode(TEXTS).vectors_ID)


def test_cached_vectors_are_the_same(encoder: StoredTextEncoder, tmp_path: Path) -> None:
    for _ in range(2):
        cached = CachedEncoder(encoder, tmp_path).encode(TEXTS)
        direct = encoder.encode(TEXTS)
        np.testing.assert_allclose(cached.vectors_ID, direct.vectors_ID, atol=1e-6)
        assert cached.problems == direct.problems

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.encoders.hashed import HashedEncoder
from huaxiang.encoders.named import load_text_encoder
from huaxiang.encoders.ngrams import hashed_ngrams

texts = st.lists(st.text(alphabet="红色鞋 abc1!", max_size=12), max_size=6)


def test_ngrams_are_stable_across_machines_and_versions() -> None:
    buckets, _ = hashed_ngrams(["红 dress"], n_buckets=65_536, longest=2)
    assert buckets.tolist() == [41883, 12050, 9143]


@given(texts)
def test_a_texts_ngrams_do_not_depend_on_its_neighbours(several: list[str]) -> None:
    buckets, offsets = hashed_ngrams(several, n_buckets=1000)
    for row, text in enumerate(several):
        alone, _ = hashed_ngrams([text], n_buckets=1000)
        assert buckets[offsets[row] : offsets[row + 1]].tolist() == alone.tolist()


def test_chinese_is_read_by_characters_and_english_by_words() -> None:
    counts = [len(hashed_ngrams([text], n_buckets=9)[0]) for text in ("红色鞋", "red running shoes", "a")]
    assert counts == [6, 6, 1]


def test_letter_case_makes_no_difference() -> None:
    vectors = HashedEncoder().encode(["Red DRESS", "red dress"]).vectors_ID
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_hashed_encoder_is_read_back(tmp_path: Path) -> None:
    encoder = HashedEncoder(dimensions=8)
    encoder.save(tmp_path)
    again = load_text_encoder(tmp_path)
    assert again.space == encoder.space
    np.testing.assert_array_equal(again.encode(["hat"]).vectors_ID, encoder.encode(["hat"]).vectors_ID)

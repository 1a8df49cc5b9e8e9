"""Near and exact repeats are found among many texts, in both languages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import SettingsError
from huaxiang.shop.quality.duplicates import Config, near_pairs, repeated_texts
from huaxiang.shop.quality.leaks import leaks_between
from huaxiang.shop.quality.shingles import plain_text, shingles_of
from shop.quality.dirty import SHORT, SOFT

NEAR = {
    "English": (SOFT, SOFT.replace("lovely", "lovely!!") + " Ok"),
    "Chinese": (SHORT, SHORT + "真好"),
}


@pytest.mark.parametrize(("one", "other"), NEAR.values(), ids=NEAR)
def test_nearly_the_same_text_is_found(one: str, other: str) -> None:
    (alike,) = repeated_texts([one, "something else altogether", other])
    assert (alike.row, alike.first, alike.is_exact) == (2, 0, False)
    assert 0.8 <= alike.similarity < 1


def test_spelling_of_marks_and_capitals_makes_no_difference() -> None:
    (alike,) = repeated_texts(["Soft, red!", "SOFT RED"])
    assert alike.is_exact


def test_texts_without_words_repeat_nothing() -> None:
    assert repeated_texts([None, "", "!!", "👍", "👍"]) == []


def test_items_that_differ_in_a_number_are_not_the_same() -> None:
    assert repeated_texts([f"FRENCH BLUE METAL DOOR SIGN {number}" for number in range(9)]) == []


def test_each_repeats_a_text_that_repeats_none() -> None:
    words = SOFT.split()
    texts = [" ".join([*words, *["really"] * n]) for n in range(8)]
    found = repeated_texts(texts)
    assert not {alike.row for alike in found} & {alike.first for alike in found}


def test_a_template_in_hundreds_of_texts_is_found_in_all() -> None:
    rng = np.random.default_rng(0)
    texts = [f"{SOFT} {SOFT.lower()[:40]} {''.join(rng.choice(list('abcdefgh'), 6))}" for _ in range(300)]
    assert len(repeated_texts(texts)) >= 295


@given(st.lists(st.text(max_size=30), max_size=6))
def test_the_copy_of_any_text_with_words_is_found(texts: list[str]) -> None:
    found = {alike.row for alike in repeated_texts([*texts, *texts])}
    with_words = {len(texts) + row for row, text in enumerate(texts) if plain_text(text)}
    assert with_words <= found


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_shingles_of_a_text_do_not_depend_on_its_neighbours(one: str, other: str) -> None:
    together, starts = shingles_of([one, other])
    assert together[: starts[1]].tolist() == shingles_of([one])[0].tolist()
    assert together[starts[1] :].tolist() == shingles_of([other])[0].tolist()


def test_similarity_is_that_of_the_sets() -> None:
    pairs = near_pairs(["abcdefgh", "abcdefgx"], config=Config(similarity=0.1, bands=50, rows=1))
    assert pairs == {(0, 1): pytest.approx(4 / 6)}


def test_a_similarity_beyond_one_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"duplicates\.similarity '1\.5'"):
        Config(similarity=1.5)


def test_leaks_are_found_on_both_sides_and_not_within_one() -> None:
    texts = [SOFT, SOFT, SHORT, "Soft", SHORT + "好"]
    found = leaks_between(texts, ["train", "train", "test", "test", "train"])
    assert [(leak.row, leak.other, leak.is_exact) for leak in found] == [(2, 4, False), (4, 2, False)]

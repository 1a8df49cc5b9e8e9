"""Words left out, moved, misspelt or replaced: what stays, and that nothing is ever emptied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.encoders.hardening import typos
from huaxiang.encoders.hardening.augment_text import Sources, copies, text_augmenters
from huaxiang.encoders.hardening.edits import Config, Deletion, Swap
from huaxiang.encoders.hardening.same_sound import same_sound
from huaxiang.encoders.hardening.thesaurus import Thesaurus
from huaxiang.encoders.hardening.typos import Typos
from huaxiang.encoders.hardening.words import is_word, pieces
from huaxiang.errors import InputError, SettingsError

CHINESE, ENGLISH = "这条红色连衣裙质量很好，但是尺码不准", "Lovely red dress, but it didn't fit me at all."
PLAIN = ("delete", "swap", "typos")


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.text(max_size=40))
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize("way", PLAIN)
@given(text=st.text(alphabet="ab 红裙不.!'\n🎉", max_size=20), seed=st.integers(0, 9))
def test_no_text_is_emptied(way: str, text: str, seed: int) -> None:
    (after,) = text_augmenters([way], Sources(rate=0.9))[way].augment([text], drawn(seed))
    assert any(map(is_word, pieces(after))) == any(map(is_word, pieces(text)))


@pytest.mark.parametrize("way", PLAIN)
@pytest.mark.parametrize("text", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_the_same_seed_gives_the_same_text_and_another_one_another(way: str, text: str) -> None:
    augmenter = text_augmenters([way], Sources(rate=0.3))[way]
    found = {seed: augmenter.augment([text], drawn(seed)) for seed in range(5)}
    assert found[0] == augmenter.augment([text], drawn(0))
    assert len({one[0] for one in found.values()}) > 1


def test_swapped_words_are_all_still_there() -> None:
    for text in (CHINESE, ENGLISH):
        (after,) = Swap(Config(rate=0.3)).augment([text], drawn())
        assert after != text
        assert sorted(pieces(after)) == sorted(pieces(text))


def test_what_turns_a_sentence_round_is_never_left_out() -> None:
    augmenter = Deletion(Config(rate=0.9))
    for seed in range(20):
        english, chinese = augmenter.augment([ENGLISH, CHINESE], drawn(seed))
        assert "didn't" in english
        assert "不" in chinese


def test_a_single_word_stays_and_is_counted() -> None:
    augmenter = Deletion()
    assert augmenter.augment(["dress", "好"], drawn()) == ["dress", "好"]
    assert augmenter.counted == {"nothing to change": 2}


@pytest.mark.parametrize("kind", typos.SLIPS)
def test_english_slips_are_inside_words_and_one_letter_long(kind: str) -> None:
    for seed in range(10):
        (after,) = Typos(typos.Config(kinds=(kind,))).augment(["lovely"], drawn(seed))
        assert after != "lovely"
        assert (after[0], after[-1]) == ("l", "y")
        assert abs(len(after) - 6) == (kind in ("drop", "double"))


def test_a_chinese_slip_sounds_the_same() -> None:
    (after,) = Typos(typos.Config(kinds=("neighbour",))).augment(["质量"], drawn())
    ((before, now),) = [(a, b) for a, b in zip("质量", after, strict=True) if a != b]
    assert now in same_sound(before)
    assert before in same_sound(now)


def test_numbers_and_short_words_are_typed_right() -> None:
    assert Typos().augment(["no 42 xl"], drawn()) == ["no 42 xl"]


def test_more_typos_with_a_higher_rate() -> None:
    text = " ".join(["lovely"] * 20)
    wrong = [
        sum(word != "lovely" for word in Typos(typos.Config(rate=rate)).augment([text], drawn())[0].split())
        for rate in (0.1, 0.5, 1.0)
    ]
    assert wrong == [2, 10, 20]


def test_synonyms_are_read_from_a_table_in_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "same.csv"
    file.write_text(
        'word,synonyms\nlovely,"pretty, charming"\n连衣裙,长裙、裙装\nDress,gown\n', encoding="utf-8"
    )
    known = Thesaurus.read(file, Config(rate=0.99))
    english, chinese, other = known.augment([ENGLISH, CHINESE, "a hat"], drawn())
    assert english.split()[0] in ("Pretty", "Charming")
    assert "gown," in english
    assert chinese.replace("长裙", "裙装") == CHINESE.replace("连衣裙", "裙装")
    assert other == "a hat"
    assert known.counted == {"changed": 2, "nothing to change": 1}


def test_synonyms_are_read_from_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "same.jsonl"
    file.write_text('{"word": "hat", "synonyms": ["cap", "hat"]}\n')
    assert Thesaurus.read(file).augment(["HAT"], drawn()) == ["CAP"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("word,same\na,b\n", "no such column"),
        ("word,synonyms\na,\n", "no synonyms"),
        ("word,synonyms\na,b,c\n", "quotes around"),
    ],
)
def test_a_thesaurus_that_is_none_says_why(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "same.csv"
    file.write_text(written)
    with pytest.raises(InputError, match=said):
        Thesaurus.read(file)


def test_copies_keep_the_row_they_came_from_and_are_all_new() -> None:
    texts = [ENGLISH, None, "", "好", CHINESE]
    made = copies(texts, text_augmenters(PLAIN, Sources()), n_copies=3)
    assert set(made.source_rows_C.tolist()) == {0, 3, 4}
    assert len(made.texts) == len(made.ways) == len(made.source_rows_C)
    both = list(zip(made.source_rows_C.tolist(), made.texts, strict=True))
    assert len(set(both)) == len(both)
    assert all(text != texts[row] for row, text in both)
    assert made.counted["delete"] == {"changed": 6, "nothing to change": 3}


@pytest.mark.parametrize("way", ["synonyms", "masked", "back_translation"])
def test_a_way_without_what_it_draws_on_says_what_is_missing(way: str) -> None:
    with pytest.raises(SettingsError, match="give "):
        text_augmenters([way], Sources())


def test_a_way_that_is_not_known_is_refused() -> None:
    with pytest.raises(SettingsError, match="choose delete"):
        text_augmenters(["shuffle"], Sources())


@pytest.mark.parametrize("rate", [0.0, 1.0, float("nan")])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(SettingsError):
        Config(rate=rate)

"""A sentence that stands in many different texts is found, and can be taken out."""

from __future__ import annotations

from huaxiang.shop.quality.boilerplate import repeated_sentences, without_sentences

NOTE = "本店所有商品支持七天无理由退货，请放心购买！"


def test_a_shop_s_note_is_found_under_every_text() -> None:
    texts = [f"第{number}款连衣裙。{NOTE}" for number in range(6)]
    assert list(repeated_sentences(texts, min_rows=5).values()) == [[0, 1, 2, 3, 4, 5]]


def test_copies_of_one_text_make_no_boilerplate() -> None:
    assert repeated_sentences([f"Nice. {NOTE}"] * 20, min_rows=5) == {}


def test_short_sentences_repeat_because_people_talk_so() -> None:
    assert repeated_sentences([f"Love it. Size {number}." for number in range(9)], min_rows=5) == {}


def test_taking_it_out_leaves_the_rest() -> None:
    texts = [f"No. {number} is soft.\n{NOTE}\n很好" for number in range(6)]
    repeated = repeated_sentences(texts, min_rows=5)
    assert without_sentences(texts[0], repeated) == "No. 0 is soft.\n很好"

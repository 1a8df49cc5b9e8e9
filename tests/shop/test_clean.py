import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.shop.clean import clean_text, has_words


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<p>Red <b>dress</b></p>", "Red dress"),
        ("Size &lt; 5 &amp; red", "Size < 5 & red"),
        ("3 < 5 and 7 > 2", "3 < 5 and 7 > 2"),
        ("<style>p {color: red}</style>hat<script>alert('<p>')</script>", "hat"),
        ("<!-- note -->hat", "hat"),
        ("one<br/>two", "one two"),
        ("<unclosed hat", "<unclosed hat"),
        ("ＸＬ　号", "XL 号"),
        ("a\x00b\u200bc\ufeff", "abc"),
        ("👨\u200d👩\u200d👧 family", "👨\u200d👩\u200d👧 family"),
    ],
)
def test_words_are_read_out_of_markup(written: str, read: str) -> None:
    assert clean_text(written) == read


@given(st.text())
def test_any_text_is_cleaned_to_printable_words(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    cleaned.encode("utf-8")
    assert has_words(cleaned) in (True, False)


@pytest.mark.parametrize(
    "piece", ["<a", "<!--", '<a b="', "</a", "&#", "<script>", "<" + "a" * 5000, "\u200b"]
)
def test_a_megabyte_of_hostile_markup_is_read(piece: str) -> None:
    assert len(clean_text(piece * (1_000_000 // len(piece)))) <= 1_000_000

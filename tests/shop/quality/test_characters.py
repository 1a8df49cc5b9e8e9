"""What people did not write is taken out; what they wrote stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.shop.quality.characters import in_right_encoding, mended

MENDED = {
    "an accent": ("cafÃ©", "café", ("mojibake",)),
    "twice wrong": ("cafÃƒÂ©", "café", ("mojibake",)),
    "a quotation mark": ("itâ€™s", "it’s", ("mojibake",)),
    "Chinese": ("å¥½è¯„ 100%", "好评 100%", ("mojibake",)),
    "an emoji": ("nice ðŸ˜€", "nice 😀", ("mojibake",)),
    "a mark": ("\ufeff好评", "好评", ("byte_order_mark",)),
    "tags": ("<p>红色</p><br>好", "红色 好", ("markup",)),
    "entities twice": ("I&amp;#39;m", "I'm", ("markup",)),
    "control": ("a\x00b\u200bc", "abc", ("unseen",)),
    "lost": ("caf\ufffd", "caf\ufffd", ("lost",)),
    "lost in GBK": ("锟斤拷好", "锟斤拷好", ("lost",)),
}


@pytest.mark.parametrize(("written", "meant", "kinds"), MENDED.values(), ids=MENDED)
def test_a_text_is_mended(written: str, meant: str, kinds: tuple[str, ...]) -> None:
    assert mended(written) == (meant, kinds)


@pytest.mark.parametrize(
    "text",
    [
        "voilà… naïve",
        "Spaß“",
        "5 < 6 & 7 > 3",
        "a  b\nc",
        "👨\u200d👩\u200d👧",
        "ＸＬ，红色！",
        "Ärger “Ö”",
        "£5 ½ ™",
    ],
)
def test_what_is_right_stays_as_it_is(text: str) -> None:
    assert mended(text) == (text, ())


@given(st.text(st.characters(codec="utf-8", min_codepoint=0xA1, max_codepoint=0xFF), max_size=8))
def test_western_letters_survive_a_wrong_reading(text: str) -> None:
    wrong = text.encode("utf-8").decode("latin-1")
    assert in_right_encoding(wrong) == in_right_encoding(text)


@given(st.text())
def test_every_character_of_a_mended_text_is_seen(text: str) -> None:
    assert "unseen" not in mended(mended(text)[0])[1]

"""Texts written by models: only what says the same is kept, and every failure is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from answering_model import Model, model
from encoders.hardening.tiny_language import (
    ANYTHING,
    ENGLISH,
    SHARES_LETTERS,
    tiny_marian,
    tiny_masked,
    tiny_pretrained,
    tiny_translator,
)
from huaxiang.encoders.chat import ChatConfig, ChatModel
from huaxiang.encoders.hardening.back_translation import (
    BackTranslation,
    EndpointTranslator,
    FolderConfig,
    FolderTranslator,
)
from huaxiang.encoders.hardening.masked import Config, MaskedWords
from huaxiang.encoders.hardening.words import pieces
from huaxiang.errors import EncoderError, SettingsError

TEXTS = ["A lovely red dress", "红裙子很好看", "not a hat", "!!"]


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_masked(tmp_path_factory.mktemp("masked"))


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_translator(tmp_path_factory.mktemp("translator"))


@pytest.mark.parametrize("beside", [True, False])
def test_the_masked_model_replaces_words_by_whole_words_of_their_language(masked: Path, beside: bool) -> None:
    augmenter = MaskedWords(masked, ANYTHING, Config(rate=0.3, beside_original=beside))
    english, chinese, negated, nothing = augmenter.augment(TEXTS, drawn())
    assert english != TEXTS[0]
    assert {word.lower() for word in english.split()} <= set(ENGLISH) - {"##s"}
    assert chinese != TEXTS[1]
    assert len(chinese) == len(TEXTS[1])
    assert all("\u4e00" <= letter <= "\u9fff" for letter in chinese)
    assert negated.startswith("not ")
    assert nothing == "!!"
    assert augmenter.counted == {"changed": 3, "nothing to change": 1}


def test_a_model_with_our_own_tokenizer_replaces_words_of_several_characters(tmp_path: Path) -> None:
    folder = tiny_pretrained(tmp_path / "own")
    texts = ["a lovely red dress", "连衣裙 质量 很好"]
    english, chinese = MaskedWords(folder, ANYTHING, Config(rate=0.4)).augment(texts, drawn())
    assert english != texts[0]
    assert set(english.split()) <= {"a", "lovely", "red", "dress"}
    assert chinese != texts[1]
    words = chinese.split()
    assert len(words) == 3
    assert set(words) <= {"连衣裙", "质量", "很好", "帽子", *"连衣裙质量很好帽子"}


def test_substitutes_that_say_something_else_are_refused(masked: Path) -> None:
    augmenter = MaskedWords(masked, SHARES_LETTERS, Config(rate=0.9))
    assert augmenter.augment(["lovely", "hat"], drawn()) == ["lovely", "hat"]
    assert augmenter.counted == {"says something else": 2}


def test_only_as_many_words_are_replaced_as_asked_for(masked: Path) -> None:
    text = "a lovely red dress a lovely red dress soft hat"
    (after,) = MaskedWords(masked, ANYTHING, Config(rate=0.2)).augment([text], drawn())
    assert sum(a != b for a, b in zip(pieces(text), pieces(after), strict=True)) == 2


def test_words_that_the_model_can_not_reach_stay(masked: Path) -> None:
    text = " ".join(["lovely"] * 60)
    (after,) = MaskedWords(masked, ANYTHING, Config(rate=0.5, max_tokens=24)).augment([text], drawn())
    assert after.split()[24:] == ["lovely"] * 36


def test_an_encoder_that_is_no_masked_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="can't be loaded"):
        MaskedWords(tmp_path, ANYTHING)


def test_two_translators_that_write_nonsense_are_refused_by_the_likeness(translator: Path) -> None:
    said = FolderTranslator(translator, FolderConfig(max_tokens=12))
    augmenter = BackTranslation(said, said, SHARES_LETTERS)
    assert augmenter.augment(["red dress", "好"], drawn()) == ["red dress", "好"]
    assert augmenter.counted.total() == 2
    assert "changed" not in augmenter.counted


def test_what_comes_back_is_taken_where_it_is_alike_and_depends_on_the_seed(translator: Path) -> None:
    said = FolderTranslator(translator, FolderConfig(max_tokens=12))
    augmenter = BackTranslation(said, said, ANYTHING)
    first, again, other = (augmenter.augment(["red dress"] * 3, drawn(seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert all(text.split() for text in first)


def test_beams_give_one_answer_whatever_is_drawn(translator: Path) -> None:
    said = FolderTranslator(translator, FolderConfig(max_tokens=12, temperature=0))
    assert said.translate(["red dress"], drawn(0)) == said.translate(["red dress"], drawn(1))


def test_a_text_too_long_to_translate_is_counted(translator: Path) -> None:
    said = FolderTranslator(translator, FolderConfig(max_tokens=8))
    found = said.translate(["red " * 20, "red"], drawn())
    assert found[0] is None
    assert said.failed["too long to translate"] == 1
    assert said.translate([], drawn()) == []


def test_a_language_of_many_is_asked_for_by_its_token(translator: Path) -> None:
    config = FolderConfig(target="<fr>", max_tokens=8, temperature=0)
    (found,) = FolderTranslator(translator, config).translate(["red"], drawn())
    assert found is not None
    assert found.startswith("<fr>")
    with pytest.raises(EncoderError, match="no such language"):
        FolderTranslator(translator, FolderConfig(target="<de>"))


def test_a_marian_model_translates_no_further_than_its_places(tmp_path: Path) -> None:
    said = FolderTranslator(tiny_marian(tmp_path / "en-fr"))
    first, long = said.translate(["red shoes", "a lovely red dress " * 4], drawn())
    assert first
    assert long is None
    assert said.failed == {"too long to translate": 1}
    assert not (tmp_path / "en-fr" / "tokenizer.json").exists()


def test_a_folder_without_a_translator_is_refused(masked: Path, tmp_path: Path) -> None:
    for folder in (masked, tmp_path):
        with pytest.raises(EncoderError, match="can't be loaded"):
            FolderTranslator(folder)


def asking(server: Model, **more: Any) -> EndpointTranslator:
    how = {"at_once": 1, "key": "secret", **more}
    chat = ChatModel(ChatConfig(url=server.url, model="tiny", **how), sleep=lambda seconds: None)
    return EndpointTranslator(chat, language="Chinese")


def test_an_endpoint_translates_in_the_chat_format() -> None:
    with model(lambda text: f" {text.upper()}\n") as server:
        assert asking(server).translate(["red", "hat"], drawn()) == ["RED", "HAT"]
        first = server.asked[0]
        assert first["path"] == "/v1/chat/completions"
        assert first["model"] == "tiny"
        assert "Chinese" in first["messages"][0]["content"]
        assert first["messages"][1] == {"role": "user", "content": "red"}
        assert first["seed"] != server.asked[1]["seed"]
        assert server.headers == ["Bearer secret"] * 2


def test_answers_stay_with_their_texts_when_several_are_asked_at_once() -> None:
    texts = [f"text {at}" for at in range(40)]
    with model(lambda text: text[::-1]) as server:
        assert asking(server, at_once=8).translate(texts, drawn()) == [text[::-1] for text in texts]


@pytest.mark.parametrize(
    ("answer", "reason", "tries"),
    [
        ((500, ""), "the endpoint answered 500", 2),
        ((401, ""), "the endpoint answered 401", 1),
        ((0, "not json"), "the endpoint's answer has no text", 1),
        ("  ", "the answer was empty", 1),
    ],
)
def test_an_answer_without_a_translation_is_counted(answer: Any, reason: str, tries: int) -> None:
    with model(answer) as server:
        said = asking(server, tries=2)
        assert said.translate(["red"], drawn()) == [None]
        assert said.failed == {reason: 1}
        assert len(server.asked) == tries


def test_a_second_try_may_succeed() -> None:
    with model((503, ""), "红") as server:
        said = asking(server)
        assert said.translate(["red"], drawn()) == ["红"]
        assert not said.failed


def test_an_endpoint_that_says_nothing_is_not_waited_for() -> None:
    with model("wait") as server:
        said = asking(server, timeout_s=0.1, tries=1)
        assert said.translate(["red"], drawn()) == [None]
        assert said.failed == {"the endpoint took too long": 1}


def test_an_endpoint_that_is_gone_is_given_up_and_the_texts_stay(caplog: pytest.LogCaptureFixture) -> None:
    with model("") as server:
        said = asking(server, tries=1, give_up_after=3)
    augmenter = BackTranslation(said, said, ANYTHING)
    texts = [f"text {at}" for at in range(5)]
    assert augmenter.augment(texts, drawn()) == texts
    assert augmenter.counted == {
        "the endpoint is out of reach": 3,
        "not asked: the endpoint had not answered": 2,
    }
    assert "asked no more" in caplog.text
    assert "text 0" not in caplog.text


def test_the_key_is_never_shown() -> None:
    assert "secret" not in repr(ChatConfig(url="http://a/v1", model="m", key="secret"))


def test_an_address_without_its_scheme_is_refused() -> None:
    with pytest.raises(SettingsError, match="http://host/v1"):
        ChatConfig(url="localhost:80", model="m")

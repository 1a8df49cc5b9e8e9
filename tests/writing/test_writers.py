"""Models that write, and what is kept of it: what is true, and where nothing is, the facts themselves."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import GPT2LMHeadModel

from answering_model import model
from huaxiang.encoders.chat import ChatConfig, ChatModel
from huaxiang.encoders.drafts import Drafts
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.pretraining.corpus import corpus_of
from huaxiang.encoders.pretraining.text import TextConfig, pretrain_text
from huaxiang.encoders.pretraining.tokenizer import read_tokenizer
from huaxiang.errors import EncoderError, InputError, SettingsError
from huaxiang.shop.read import read_shop
from huaxiang.shop.simulate import Config, simulate
from huaxiang.writing.base import Subject, Written, counts_of, fingerprint, write_about
from huaxiang.writing.check import EvidenceCheck, Refusal
from huaxiang.writing.endpoint import EndpointWriter
from huaxiang.writing.folder import FolderConfig, FolderWriter
from huaxiang.writing.subjects import product_subjects

FACTS = ("Prefers the colour red: 14 of 40 actions.", "Does not want leather.")


def subject(*facts: str, kind: str = "portrait", language: str = "en", key: str = "s-1") -> Subject:
    return Subject(
        key=key,
        kind=kind,
        language=language,
        facts=facts or FACTS,
        start=" ".join(facts or FACTS),
        keeps_facts=kind == "portrait",
    )


@dataclass
class Saying:
    """Says what it is told to."""

    texts: Sequence[str | None]
    name: str = "saying"
    failed: Counter[str] = field(default_factory=Counter)

    def write(self, subjects: Sequence[Subject], rng: np.random.Generator) -> list[str | None]:
        return list(self.texts)


def written(*texts: str | None, about: Sequence[Subject] = (subject(),), **more: Any) -> list[Written]:
    return write_about(about, Saying(texts), EvidenceCheck(**more))


def test_a_portrait_says_every_fact_in_the_models_words_where_they_hold() -> None:
    said = "Leather is not wanted. In 15 of 40 actions red was preferred."
    (one,) = written(said)
    assert one.text == f"{FACTS[0]} Leather is not wanted."
    assert [(each.fact, each.refusal) for each in one.sentences] == [(1, None), (0, Refusal.NUMBER)]
    assert one.n_passed == 1


def test_a_product_text_has_only_what_holds_and_the_facts_where_nothing_does() -> None:
    product = subject("Red dress.", "material: silk.", kind="product")
    good, bad, none = written(
        "A red dress made of silk. It never creases.", "It never creases.", None, about=[product] * 3
    )
    assert good.text == "A red dress made of silk."
    assert bad.text == none.text == "Red dress. material: silk."


def test_what_is_said_twice_is_shown_once() -> None:
    (one,) = written(
        "Leather is not wanted. Leather is not wanted.", about=[subject(FACTS[1], kind="product")]
    )
    assert one.text == "Leather is not wanted."


def test_chinese_sentences_stand_without_spaces() -> None:
    about = subject("偏爱红色：40 次行为中有 14 次。", "说过不要皮革。", language="zh")
    (one,) = written("顾客不要皮革。偏爱蓝色。", about=[about])
    assert one.text == "偏爱红色：40 次行为中有 14 次。顾客不要皮革。"


def test_counts_add_up() -> None:
    about = [subject(key=str(n)) for n in range(3)]
    counts = counts_of(written(FACTS[0], "She prefers red. They like it.", None, about=about))
    assert counts == {
        "subjects": 3,
        "sentences": 3,
        "passed": 1,
        "word_for_word": 1,
        str(Refusal.WORD): 1,
        str(Refusal.NOTHING): 1,
    }


def test_a_sentence_that_strays_from_its_fact_is_refused(tmp_path: Path) -> None:
    encoder = text_encoder("default", cache_folder=tmp_path)
    check = EvidenceCheck(encoder=encoder)
    assert check.verdict("Red was preferred in 14 of 40 actions.", FACTS).refusal is None
    assert check.verdict("40.", ["Leather boots for the trail cost 40."]).refusal is Refusal.FAR


def test_a_model_of_the_shops_texts_goes_on_with_a_title(gpt: Path) -> None:
    about = [
        subject(f"{c} {t} 3.", f"colour: {c}.", kind="product", key=f"{c}-{t}")
        for c in ("red", "blue", "green", "white")
        for t in ("dress", "hat", "scarf")
    ]
    titled = [
        Subject(
            key=one.key,
            kind=one.kind,
            language="en",
            facts=one.facts,
            start=one.facts[0][:-1].capitalize(),
            keeps_facts=False,
        )
        for one in about
    ]
    writer = FolderWriter(gpt, FolderConfig(max_tokens=16, temperature=0))
    texts = write_about(titled, writer, EvidenceCheck())
    passed = sum(one.n_passed > 0 for one in texts)
    assert passed >= 6  # what it learnt is true of most
    assert texts[0].text == "This dress is red."


def test_the_same_seed_writes_the_same(gpt: Path) -> None:
    about = [subject("Red dress 3.", kind="product", key=str(n)) for n in range(5)]
    writer = FolderWriter(gpt, FolderConfig(max_tokens=12, temperature=1.5, top_p=1.0))
    first, again, other = (
        [one.sentences for one in write_about(about, writer, EvidenceCheck(), seed=seed)]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_longer_start_than_the_model_reads_is_cut(gpt: Path) -> None:
    writer = FolderWriter(gpt, FolderConfig(max_tokens=16))
    said = writer.write([subject(*["Red dress 3."] * 40)], np.random.default_rng(0))
    assert len(said) == 1


def test_a_model_that_reads_both_ways_or_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="can't be loaded"):
        FolderWriter(tmp_path)
    texts = corpus_of([((f"text number {n}",), "") for n in range(40)], name="texts")
    said = TextConfig(objective="mlm", size="tiny", vocabulary=100, max_tokens=16, held_out=0.2)
    bert = tmp_path / "bert"
    pretrain_text(texts, config=said, folder=bert, checkpoint=tmp_path / "c")
    with pytest.raises(EncoderError, match="can't write.*BertForMaskedLM"):
        FolderWriter(bert)


@pytest.mark.parametrize("wrong", [{"max_tokens": 1}, {"temperature": -1}, {"top_p": 0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        FolderConfig(**wrong)


def test_an_endpoint_is_told_the_rules_and_each_fact() -> None:
    with model(lambda facts: "Leather is not wanted.") as server:
        chat = ChatModel(ChatConfig(url=server.url, model="tiny", at_once=1))
        about = [subject(), subject("说过不要皮革。", language="zh", key="s-2")]
        texts = write_about(about, EndpointWriter(chat), EvidenceCheck())
    assert texts[0].text == f"{FACTS[0]} Leather is not wanted."
    assert texts[1].text == "说过不要皮革。"
    first, second = (asked["messages"] for asked in server.asked)
    assert first[1]["content"] == "\n".join(FACTS)
    assert "English" in first[0]["content"]
    assert "Chinese" in second[0]["content"]


def test_a_stopped_call_asks_only_for_what_is_left(tmp_path: Path) -> None:
    about = [subject(key=str(n)) for n in range(40)]
    asked: list[str] = []

    class Stopping(Saying):
        def write(self, subjects: Sequence[Subject], rng: np.random.Generator) -> list[str | None]:
            asked.extend(one.key for one in subjects)
            if len(asked) > 32:
                raise KeyboardInterrupt
            return [f"In {rng.integers(14, 16)} actions red was preferred." for _ in subjects]

    file = tmp_path / "texts.csv.partial"
    with pytest.raises(KeyboardInterrupt):
        write_about(about, Stopping([]), EvidenceCheck(), drafts=Drafts(file, of="x"))
    with file.open("ab") as out:
        out.write(b'\n{"of": "x", "part": 1, "te')  # cut short
    first = asked.copy()
    asked.clear()
    rest = write_about(about, Stopping([]), EvidenceCheck(), drafts=Drafts(file, of="x"))
    whole = [*first, *asked]
    assert asked == [str(n) for n in range(32, 40)]
    assert len(whole) == 48
    asked.clear()
    undisturbed = write_about(about[:32], Stopping([]), EvidenceCheck())
    assert [one.text for one in rest[:32]] == [one.text for one in undisturbed]


def test_counts_are_of_both_calls_and_a_part_without_an_answer_is_asked_again(tmp_path: Path) -> None:
    about = [subject(key=str(n)) for n in range(64)]
    answers = iter([["Red.", *[None] * 31], [None] * 32])

    class Failing(Saying):
        def write(self, subjects: Sequence[Subject], rng: np.random.Generator) -> list[str | None]:
            said = next(answers, None)
            if said is None:
                raise KeyboardInterrupt
            self.failed["no answer"] += said.count(None)
            return list(said)

    file = tmp_path / "texts.csv.partial"
    for expected in (63, 31 + 32):
        drafts = Drafts(file, of="x")
        write_about(about, Failing([]), EvidenceCheck(), drafts=drafts)
        assert drafts.counted == {"no answer": expected}
        answers = iter([[None] * 32])  # the second part alone is asked again


def test_what_another_model_wrote_is_not_gone_on_from(gpt: Path) -> None:
    about = [subject()]
    names = [FolderWriter(gpt, FolderConfig(max_tokens=n)).name for n in (12, 12, 14)]
    first, again, other = (fingerprint(about, name, 1) for name in names)
    assert first == again != other
    assert fingerprint(about, names[0], 2) != first


def test_a_model_with_a_chat_template_is_told_the_facts(
    gpt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "chat"
    shutil.copytree(gpt, folder)
    template = "{% for one in messages %}{{ one['content'] }} {% endfor %}"
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    given: list[str] = []
    tokenizer = read_tokenizer(gpt)
    generate = GPT2LMHeadModel.generate

    def watched(self: Any, **how: Any) -> Any:
        given.append(tokenizer.decode(how["input_ids"][0], skip_special_tokens=True))
        return generate(self, **how)

    monkeypatch.setattr(GPT2LMHeadModel, "generate", watched)
    about = [subject("Red dress 3.", "Blue hat.", kind="product")]
    for place in (folder, gpt):
        FolderWriter(place, FolderConfig(max_tokens=8, temperature=0)).write(about, np.random.default_rng(0))
    told, gone_on = given
    assert told.strip().endswith("Blue hat.")
    assert "sentences" in told  # the end of what it is told to do
    assert gone_on.endswith("Red dress 3. Blue hat.")
    assert "sentences" not in gone_on


def test_an_endpoint_that_is_gone_leaves_the_facts() -> None:
    with model("") as server:
        chat = ChatModel(ChatConfig(url=server.url, model="m", tries=1), sleep=lambda seconds: None)
    writer = EndpointWriter(chat)
    (one,) = write_about([subject()], writer, EvidenceCheck())
    assert one.text == " ".join(FACTS)
    assert writer.failed.total() == 1


def test_products_are_known_by_what_the_shop_states(tmp_path: Path) -> None:
    simulate(tmp_path / "shop", config=Config(n_shoppers=4, n_items=40, days=20, photo_pixels=32), seed=1)
    shop = read_shop(tmp_path / "shop")
    item = shop.items["item_id"][0]
    for language in ("en", "zh"):
        (one,) = product_subjects(shop, language, [item])
        assert one.facts[0].startswith(shop.items[f"title_{language}"][0])
        assert all(fact[-1] in ".!?。！？" for fact in one.facts)
        (plain,) = written("It never creases.", about=[one])
        assert plain.text == shop.items[f"description_{language}"][0]
    with pytest.raises(InputError, match="no such item.*nothing"):
        product_subjects(shop, "en", ["nothing"])
    with pytest.raises(InputError, match="no such language"):
        product_subjects(shop, "fr")

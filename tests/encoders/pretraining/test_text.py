from __future__ import annotations

import filecmp
import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2LMHeadModel

from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.pretraining.corpus import Corpus, corpus_of
from huaxiang.encoders.pretraining.encoded import encode_corpus
from huaxiang.encoders.pretraining.text import CAUSAL_ONNX, Pretrained, TextConfig, pretrain_text
from huaxiang.encoders.pretraining.tokenizer import train_tokenizer, wrapped
from huaxiang.encoders.text import onnx_session
from huaxiang.errors import EncoderError, SettingsError

COLOURS, THINGS = ("红色", "蓝色", "绿色", "白色"), ("连衣裙", "跑步鞋", "电脑", "苹果", "手机")
CORPUS = corpus_of(
    [
        ((f"{colour}{thing}。", f"这件{thing}是{colour}的，第{n}次买。"), thing)
        for n in range(9)
        for colour in COLOURS
        for thing in THINGS
    ],
    name="texts",
)


def config(objective: str = "mlm+nsp", *, epochs: float = 2, **changes: object) -> TextConfig:
    training = TrainerConfig(
        epochs=epochs, learning_rate=2e-3, validations=2, precision="fp32", batch_tokens=512
    )
    said = {"objective": objective, "size": "tiny", "vocabulary": 200, "max_tokens": 32, "held_out": 0.1}
    return TextConfig(**{**said, **changes}, training=training)  # type: ignore[arg-type]


def pretrain(
    folder: Path, said: TextConfig, source: Path | None = None, corpus: Corpus = CORPUS
) -> Pretrained:
    return pretrain_text(
        corpus, config=said, folder=folder, checkpoint=folder / "checkpoints", source=source, seed=3
    )


def test_hidden_words_are_guessed_better_after_learning(tmp_path: Path) -> None:
    made = pretrain(tmp_path / "bert", config(epochs=12))
    assert made.metrics["perplexity"] < made.metrics["before_perplexity"] / 2
    assert made.metrics["mlm_right"] > made.metrics["before_mlm_right"] + 0.2


def test_the_folder_is_a_text_encoder_that_needs_no_torch(tmp_path: Path) -> None:
    pretrain(tmp_path / "bert", config())
    encoder = text_encoder(tmp_path / "bert", cache_folder=tmp_path / "cache")
    vectors = encoder.encode(["红色连衣裙", "蓝色电脑"]).vectors_ID
    assert vectors.shape == (2, 128)
    assert not (tmp_path / "cache").exists()


def test_going_on_from_a_folder_starts_where_it_stopped(tmp_path: Path) -> None:
    first = pretrain(tmp_path / "bert", config(epochs=12))
    second = pretrain(tmp_path / "more", config(epochs=0.5), source=tmp_path / "bert")
    assert second.metrics["before_mlm_loss"] == pytest.approx(first.metrics["mlm_loss"], abs=1e-3)


def test_passages_that_belong_together_are_found_after_contrastive_learning(tmp_path: Path) -> None:
    made = pretrain(tmp_path / "pairs", config("contrastive", epochs=6, dropout=0.1))
    assert made.metrics["pair_right"] > made.metrics["before_pair_right"]


def test_an_anchor_keeps_vectors_nearer_to_what_they_were(tmp_path: Path) -> None:
    pretrain(tmp_path / "bert", config(epochs=4))
    moved = {}
    for anchor in (0.0, 20.0):
        folder = tmp_path / f"anchor{anchor}"
        pretrain(folder, config("contrastive", epochs=4, anchor=anchor), source=tmp_path / "bert")
        vectors = [
            text_encoder(path, cache_folder=tmp_path).encode(["红色连衣裙。"]).vectors_ID
            for path in (tmp_path / "bert", folder)
        ]
        moved[anchor] = 1 - float((vectors[0] * vectors[1]).sum())
    assert moved[20.0] < moved[0.0]


def test_all_objectives_learn_from_one_batch(tmp_path: Path) -> None:
    made = pretrain(tmp_path / "all", config("mlm+nsp+contrastive", dropout=0.1))
    assert {"mlm_right", "nsp_right", "pair_right", "perplexity"} <= set(made.metrics)


def test_a_causal_model_learns_to_write(tmp_path: Path) -> None:
    made = pretrain(tmp_path / "gpt", config("causal", epochs=10))
    assert made.metrics["perplexity"] < made.metrics["before_perplexity"] / 2
    assert json.loads((tmp_path / "gpt/config.json").read_text())["model_type"] == "gpt2"


@pytest.mark.parametrize("text", ["Size 42, 3.5 mm (Red) by ACME!", "红色 Red 连衣裙，42 码。很好", "a_b  c"])
def test_a_tokenizer_that_writes_keeps_the_text_as_it_is(text: str) -> None:
    tokenizer = train_tokenizer([text, "Red dress of 42"] * 9, size=300, exact=True)
    wanted = " ".join(unicodedata.normalize("NFKC", text).split())
    assert tokenizer.decode(tokenizer.encode(text).ids) == wanted


def test_a_document_is_written_with_spaces_between_its_sentences() -> None:
    corpus = corpus_of([(("Red hat 3", f"It is {n}. Nice. 很好。"), "") for n in range(30)], name="texts")
    tokenizer = wrapped(
        train_tokenizer((d.text for d in corpus.documents), size=200, exact=True), max_tokens=64
    )
    encoded = encode_corpus(corpus, tokenizer, spaced=True)
    ids, _ = encoded.tokens(7, 0, encoded.n_sentences(7))
    assert tokenizer.decode(ids) == "Red hat 3 It is 7. Nice.很好。"


def test_the_onnx_file_of_a_causal_model_says_what_torch_does_at_any_size(tmp_path: Path) -> None:
    pretrain(tmp_path / "gpt", config("causal"))
    model = GPT2LMHeadModel.from_pretrained(tmp_path / "gpt").eval()
    session = onnx_session(tmp_path / "gpt" / CAUSAL_ONNX, threads=1)
    ids_BT = np.arange(2, 35, dtype=np.int64).reshape(3, 11)
    mask_BT = np.ones_like(ids_BT)
    mask_BT[1, 6:] = 0
    ours = session.run(["scores"], {"input_ids": ids_BT, "attention_mask": mask_BT})[0]
    with torch.inference_mode():
        theirs = model(torch.from_numpy(ids_BT), attention_mask=torch.from_numpy(mask_BT)).logits.numpy()
    np.testing.assert_allclose(ours[mask_BT == 1], theirs[mask_BT == 1], atol=1e-3)


def test_an_unknown_objective_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="no such objective: objective 'mlm.causal'; choose mlm"):
        config("mlm+causal")


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    pretrain(tmp_path / "gpt", config("causal", epochs=0.2))
    with pytest.raises(EncoderError, match="another architecture"):
        pretrain(tmp_path / "bert", config(), source=tmp_path / "gpt")


def test_a_tokenizer_of_a_larger_model_is_refused(tmp_path: Path) -> None:
    pretrain(tmp_path / "small", config(epochs=0.2))
    wide = corpus_of([((f"{chr(0x4E00 + n)}{chr(0x5000 + n)}。很好",), "") for n in range(200)], name="wide")
    pretrain(tmp_path / "wide", config(epochs=0.2, vocabulary=900), corpus=wide)
    (tmp_path / "small/tokenizer.json").write_bytes((tmp_path / "wide/tokenizer.json").read_bytes())
    with pytest.raises(EncoderError, match="tokenizer doesn't match the model"):
        pretrain(tmp_path / "next", config(), source=tmp_path / "small")


def test_a_stopped_fit_goes_on_to_the_very_same_weights(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(stage: str, done: int, total: int, note: str) -> None:
        if stage == "pretrain" and done == total * 3 // 4:
            raise StoppedError

    said = config(epochs=4)
    whole = pretrain(tmp_path / "whole", said)
    with pytest.raises(StoppedError):
        pretrain_text(
            CORPUS, config=said, folder=tmp_path / "cut", checkpoint=tmp_path / "cut/c", seed=3, progress=stop
        )
    rest = pretrain_text(CORPUS, config=said, folder=tmp_path / "cut", checkpoint=tmp_path / "cut/c", seed=3)
    assert rest.learnt.resumed_from == whole.learnt.steps // 2
    weights = [tmp_path / name / "model.safetensors" for name in ("whole", "cut")]
    assert filecmp.cmp(*weights, shallow=False)


def test_the_callers_random_state_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    pretrain(tmp_path / "bert", config(epochs=0.2))
    assert torch.equal(torch.rand(3), expected)

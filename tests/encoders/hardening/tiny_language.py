"""A tiny masked language model and a tiny translator, saved as Hugging Face folders, and plain encoders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from huaxiang.encoders.base import Encoded
from huaxiang.encoders.hardening.likeness import Likeness
from huaxiang.encoders.pretraining.tokenizer import train_tokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ENGLISH = ["red", "dress", "hat", "blue", "lovely", "not", "a", "very", "##s", "soft"]
CHINESE = list("红蓝裙子帽很好看质量不")
VOCABULARY = [*SPECIAL, *ENGLISH, *CHINESE]


class Always:
    """Every text has the same vector: everything is alike."""

    space, dimensions = "always", 1

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        return Encoded(
            vectors_ID=np.ones((len(texts), 1), np.float32), present_I=np.ones(len(texts), np.bool_)
        )


class Letters:
    """The letters of a text, counted: texts are as alike as the letters they share."""

    space, dimensions = "letters", 512

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        vectors = np.zeros((len(texts), 512), np.float32)
        for row, text in enumerate(texts):
            for letter in (text or "").lower():
                vectors[row, ord(letter) % 512] += not letter.isspace()
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Encoded(vectors_ID=vectors / np.maximum(lengths, 1e-9), present_I=lengths[:, 0] > 0)


ANYTHING = Likeness(encoder=Always(), least=-1.0)
SHARES_LETTERS = Likeness(encoder=Letters(), least=0.8)


def tiny_masked(folder: Path, *, seed: int = 0) -> Path:
    """Save a BERT that reads a dozen English words, and Chinese by characters."""
    rows = {word: row for row, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(rows, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return _tiny_bert(tokenizer, folder, seed)


def tiny_pretrained(folder: Path, *, seed: int = 0) -> Path:
    """Save a BERT with a tokenizer as `huaxiang pretrain text` makes them: Chinese words may be one token."""
    texts = ["a lovely red dress", "a soft hat", "连衣裙 质量 很好", "帽子 很好"]
    return _tiny_bert(train_tokenizer(texts * 9, size=200), folder, seed)


def _tiny_bert(tokenizer: Tokenizer, folder: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    model = transformers.BertForMaskedLM(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    _saved(tokenizer, folder, pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]", sep_token="[SEP]")
    return folder


def tiny_translator(folder: Path, *, seed: int = 0) -> Path:
    """Save a T5 that knows nothing: what it says is nonsense made of its few words."""
    torch.manual_seed(seed)
    words = ["<pad>", "</s>", "<unk>", "<fr>", *(f"parole{at}" for at in range(8)), "red", "dress", "好"]
    config = transformers.T5Config(
        vocab_size=len(words),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    model = transformers.T5ForConditionalGeneration(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: row for row, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    _saved(tokenizer, folder, pad_token="<pad>", unk_token="<unk>", eos_token="</s>")
    return folder


def tiny_marian(folder: Path, *, seed: int = 0) -> Path:
    """Save a Marian model that knows nothing, with its two SentencePiece models and no tokenizer.json."""
    texts = [
        "a lovely red dress",
        "soft shoes that fit",
        "great fabric",
        "une robe bleue",
        "chaussures douces",
    ]
    folder.mkdir()
    for side in ("source", "target"):
        with (folder / f"{side}.spm").open("wb") as made:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(texts * 4), model_writer=made, vocab_size=30, minloglevel=2
            )
    source = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    learnt = [source.id_to_piece(row) for row in range(3, source.get_piece_size())]
    pieces = ["</s>", "<unk>", *learnt, "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: row for row, piece in enumerate(pieces)}))
    torch.manual_seed(seed)
    pad = len(pieces) - 1
    config = transformers.MarianConfig(
        vocab_size=len(pieces),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=32,
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
    )
    transformers.MarianMTModel(config).save_pretrained(folder)
    files = (str(folder / name) for name in ("source.spm", "target.spm", "vocab.json"))
    transformers.MarianTokenizer(*files, source_lang="en", target_lang="fr").save_pretrained(folder)
    return folder


def _saved(tokenizer: Tokenizer, folder: Path, **special: Any) -> None:
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)

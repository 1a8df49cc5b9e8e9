"""Tiny text encoders of each family, built from their configs and saved as Hugging Face folders."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]
WORDS = [*SPECIAL, "red", "dress", "running", "shoes", "blue", "hat", "a", "word", "for", "the", "trail"]
SMALL = {"vocab_size": len(WORDS), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
WIDE = {**SMALL, "intermediate_size": 64, "pad_token_id": 0}

CONFIGS: dict[str, Any] = {
    "bert": lambda: transformers.BertConfig(**WIDE, max_position_embeddings=64),
    "roberta": lambda: transformers.RobertaConfig(**WIDE, max_position_embeddings=66),
    "mpnet": lambda: transformers.MPNetConfig(**WIDE, max_position_embeddings=66),
    "distilbert": lambda: transformers.DistilBertConfig(
        vocab_size=len(WORDS), dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=64
    ),
}


def tiny_encoder(
    folder: Path,
    family: str = "bert",
    *,
    pooling: str | None = None,
    width: int | None = None,
    words: Sequence[str] = (),
    seed: int = 0,
) -> Path:
    """Save a tiny encoder of `family`, with sentence-transformers' pooling settings if asked for.

    `words` are those that it knows beside `WORDS`.
    """
    torch.manual_seed(seed)
    config = CONFIGS[family]()
    config.hidden_size = width or config.hidden_size
    config.vocab_size = len(WORDS) + len(words)
    model = transformers.AutoModel.from_config(config)
    for parameter in model.parameters():  # as drawn, all texts are alike
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    _tokenizer([*WORDS, *words]).save(str(folder / "tokenizer.json"))
    if pooling:
        write_json(folder / "modules.json", _modules())
        write_json(folder / "1_Pooling" / "config.json", {f"pooling_mode_{pooling}": True})
    return folder


def write_json(file: Path, content: object) -> None:
    """Write a JSON file, and the folder above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def _tokenizer(words: Sequence[str]) -> Tokenizer:
    vocabulary = {word: row for row, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    return tokenizer


def _modules() -> list[dict[str, str]]:
    return [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]

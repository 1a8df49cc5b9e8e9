"""Small known worlds to tune encoders on: two tribes whose titles share no word, and judged products."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import torch
import transformers

from encoders.tiny_encoders import tiny_encoder, write_json
from huaxiang.encoders.finetuning.next_item import NextItems
from huaxiang.encoders.finetuning.pairs import Pairs
from huaxiang.encoders.finetuning.together import Together

TRIBES = (("pine", "oak", "elm", "ash"), ("iron", "tin", "zinc", "lead"))
SEARCHED = ("wood", "metal")
WORDS = (*TRIBES[0], *TRIBES[1], *SEARCHED)
NEUTRAL = (
    "red",
    "dress",
    "blue",
    "hat",
    "a",
    "for",
    *(f"{a} {b}" for a, b in combinations(("running", "shoes", "trail", "word", "the", "red"), 2)),
)
"""Items 0 to 7 are of wood, 8 to 15 of metal; a title has one or two words of its tribe."""

ITEMS = tuple(
    " ".join(words)
    for tribe in TRIBES
    for words in [*((word,) for word in tribe), *list(combinations(tribe, 2))[:4]]
)


def encoder_of_words(folder: Path, *, seed: int = 0) -> Path:
    """Save a tiny encoder that knows the words and nothing of what they mean."""
    marks = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    said = {"tokenizer_class": "PreTrainedTokenizerFast", **marks}
    write_json(tiny_encoder(folder, words=WORDS, seed=seed) / "tokenizer_config.json", said)
    model = transformers.AutoModel.from_pretrained(folder)
    for name, weight in model.named_parameters():  # what all texts share would make them alike
        if weight.ndim == 1:
            torch.nn.init.constant_(weight, float(name.endswith("LayerNorm.weight")))
        else:
            weight.data.mul_(1 / 3)
    model.save_pretrained(folder)
    return folder


def tribes(*, queries: bool = True) -> Together:
    """Return pairs within the tribes: all but those of item 7, and each tribe's query with its items."""
    pairs = [
        (one, other)
        for first in (0, 8)
        for one, other in combinations(range(first, first + 8), 2)
        if one != 7
    ]
    pairs = [pair for pair in pairs if 7 not in pair]
    if queries:
        pairs += [
            (16 + tribe, item) for tribe, first in enumerate((0, 8)) for item in range(first, first + 7)
        ]
    histories = np.array([[-1, 0, 1], [-1, 8, 9], [2, 3, 4], [10, 11, 12]])
    asked = NextItems(
        histories_UH=histories, offsets=np.arange(5), item_rows=np.array([5, 13, 7, 14], np.int64)
    )
    return Together(
        name="tribes",
        texts_LI=[list(ITEMS)],
        queries=SEARCHED if queries else (),
        pairs_P2=np.array(pairs, np.int64),
        weights_P=np.ones(len(pairs), np.float32),
        validation=asked,
        test=asked,
    )


def judged_pairs(n_queries: int = 24) -> Pairs:
    """Return queries for wood or metal, each with six right products, three wrong ones and one between."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(n_queries):
        tribe = number % 2
        own, other = (8 * side + rng.permutation(8)[:n] for side, n in ((tribe, 6), (1 - tribe, 3)))
        query = f"{SEARCHED[tribe]} {NEUTRAL[number // 2]}"
        rows += [(query, ITEMS[item], 3.0) for item in own] + [(query, ITEMS[item], 1.0) for item in other]
        rows.append((query, "red hat", 2.0))
    queries, products, relevance = zip(*rows, strict=True)
    lines = np.arange(2, len(rows) + 2)
    return Pairs(
        file="judged.csv", queries=queries, products=products, relevance_N=np.array(relevance), lines=lines
    )

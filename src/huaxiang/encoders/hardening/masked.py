"""Words replaced by what a masked language model would say there, as long as the sentence says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.hardening.likeness import Likeness
from huaxiang.encoders.hardening.words import (
    drawn_places,
    free_words,
    in_the_case_of,
    is_chinese,
    is_negation,
    pieces,
)
from huaxiang.encoders.learning.base import in_range
from huaxiang.errors import EncoderError
from huaxiang.training import require


@dataclass(frozen=True, kw_only=True)
class Config:
    """How much of a text is replaced, and how freely.

    Parameters
    ----------
    rate
        Share of its words; above 0, below 1. At least one word.
    candidates
        Words that a place is drawn from: the model's likeliest; ≥ 1.
    beside_original
        Whether the model sees the text as it was, before the one with the gap: what it says then means
        about the same, where without it anything that fits the sentence would do.
    max_tokens
        Longest text with its gap, in tokens; words beyond it stay. ≥ 8.
    batch_rows
        Texts asked at once; ≥ 1.
    """

    rate: float = 0.1
    candidates: int = 8
    beside_original: bool = True
    max_tokens: int = 256
    batch_rows: int = 32

    def __post_init__(self) -> None:
        in_range("masked.rate", self.rate, 0 < self.rate < 1, "a share between 0 and 1")
        for name, least in (("candidates", 1), ("max_tokens", 8), ("batch_rows", 1)):
            value = getattr(self, name)
            in_range(f"masked.{name}", value, value >= least, f"{least} or more")


class MaskedWords:
    """Texts with some words replaced by a masked language model's own.

    What stands in an English word's place is a word of the texts seen so far: a vocabulary also holds
    beginnings of words, which it does not tell from words.

    Source
    ------
    Garg and Ramakrishnan, BAE: BERT-based adversarial examples, EMNLP 2020, section 3 (gaps filled by the
    model, kept where a sentence encoder finds the meaning unchanged); Qiang et al., LSBert, 2020, section
    3.2 (the text itself stands before the one with the gap). Ours draws words and does not search for those
    that fool a classifier.
    """

    def __init__(self, folder: str | Path, likeness: Likeness, config: Config | None = None) -> None:
        require("transformers")
        self.config = config or Config()
        self.counted: Counter[str] = Counter()
        self._likeness = likeness
        self._tokenizer, self._model = _loaded(Path(folder))
        self._words = _whole_words(self._tokenizer, self._model)
        self._seen: set[str] = set()

    def augment(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Return one text for each."""
        found = [pieces(text) for text in texts]
        self._seen.update(piece.lower() for one in found for piece in one)
        places = [drawn_places(free_words(one), rate=self.config.rate, rng=rng) for one in found]
        for turn in range(max(map(len, places), default=0)):
            gaps = [(at, places[at][turn]) for at in range(len(texts)) if turn < len(places[at])]
            for start in range(0, len(gaps), self.config.batch_rows):
                self._fill(gaps[start : start + self.config.batch_rows], texts, found, rng)
        after = ["".join(one) for one in found]
        return self._likeness.chosen(texts, after, self.counted)

    def _fill(
        self,
        gaps: list[tuple[int, int]],
        texts: Sequence[str],
        found: list[list[str]],
        rng: np.random.Generator,
    ) -> None:
        masked = [self._with_gap(found[at], place) for at, place in gaps]
        scores = self._scores([texts[at] for at, _ in gaps], masked)
        for (at, place), scores_TV in zip(gaps, scores, strict=True):
            word = found[at][place]
            tokens = self._tokens(word)
            if len(scores_TV) == len(tokens):
                found[at][place] = self._drawn(word, tokens, scores_TV, rng)

    def _with_gap(self, found: list[str], place: int) -> str:
        gap = self._tokenizer.mask_token * len(self._tokens(found[place]))
        return "".join([*found[:place], gap, *found[place + 1 :]])

    def _tokens(self, word: str) -> list[int]:
        """Return the tokens that a word is replaced in: those of a Chinese one, one for all of an English.

        Pieces of an English word that are drawn one by one make words that are none; Chinese words are made
        of characters that mostly mean something by themselves.
        """
        tokens = list(self._tokenizer(f" {word}", add_special_tokens=False)["input_ids"])
        return tokens if is_chinese(word) or len(tokens) == 1 else [-1]

    def _scores(self, before: list[str], masked: list[str]) -> list[list[NDArray[np.float32]]]:
        """Return for each text what the model gives every whole word, in each gap that it could read."""
        import torch

        limits: dict[str, Any] = {"max_length": self.config.max_tokens, "padding": True}
        if self.config.beside_original:
            batch = self._tokenizer(before, masked, truncation="longest_first", return_tensors="pt", **limits)
        else:
            batch = self._tokenizer(masked, truncation=True, return_tensors="pt", **limits)
        with torch.inference_mode():
            logits = self._model(**batch.to(self._model.device)).logits
        is_gap = batch["input_ids"] == self._tokenizer.mask_token_id
        return [list(one[gap].float().cpu().numpy()) for one, gap in zip(logits, is_gap, strict=True)]

    def _drawn(
        self, word: str, tokens: list[int], scores_TV: list[NDArray[np.float32]], rng: np.random.Generator
    ) -> str:
        """Return another word drawn from the likeliest, or the same where there is none."""
        drawn = []
        for now, scores_V in zip(tokens, scores_TV, strict=True):
            likely = self._likely(word, now, scores_V)
            if not likely:
                return word
            weights = np.exp(scores_V[likely] - scores_V[likely].max())
            drawn.append(int(rng.choice(likely, p=weights / weights.sum())))
        after = "".join(self._words[token] for token in drawn)
        return word if is_negation(after) else in_the_case_of(after, word)

    def _likely(self, word: str, now: int, scores_V: NDArray[np.float32]) -> list[int]:
        """Return the likeliest tokens that are words of the same script, without the one that is there."""
        likely = []
        for token in np.argsort(-scores_V, kind="stable").tolist():
            written = self._words.get(token, "")
            is_other = token != now and written.lower() != word.lower()
            if written and is_other and self._may_replace(word, written):
                likely.append(token)
            if len(likely) == self.config.candidates:
                break
        return likely

    def _may_replace(self, word: str, written: str) -> bool:
        if is_chinese(word) != is_chinese(written):
            return False
        return is_chinese(word) or written.lower() in self._seen


def _loaded(folder: Path) -> tuple[Any, Any]:
    """Return tokenizer and model of a folder, on an accelerator where there is one."""
    import torch
    import transformers

    from huaxiang.encoders.learning.quiet import quiet_transformers

    kind: Any = transformers.AutoModelForMaskedLM
    try:
        with quiet_transformers():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = kind.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise EncoderError(
            "masked language model can't be loaded",
            file=str(folder),
            value=type(error).__name__,
            remedy="give one made by `huaxiang pretrain text --objective mlm`, or a BERT with safetensors",
        ) from error
    if tokenizer.mask_token is None:
        raise EncoderError(
            "tokenizer has no mask", file=str(folder), remedy="give the folder of a masked language model"
        )
    return tokenizer, model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def _whole_words(tokenizer: Any, model: Any) -> dict[int, str]:
    """Return the tokens that are a word by themselves → how it is written.

    A token is one when the tokenizer gives it back for that word after a space: no middle of a word is.
    """
    special = set(tokenizer.all_special_ids)
    n_scores = int(model.config.vocab_size)
    written = {
        token: str(tokenizer.convert_tokens_to_string([name])).strip()
        for name, token in tokenizer.get_vocab().items()
        if token not in special and token < n_scores
    }
    named = [(token, word) for token, word in written.items() if word.isalpha()]
    found = (
        tokenizer([f" {word}" for _, word in named], add_special_tokens=False)["input_ids"] if named else []
    )
    return {token: word for (token, word), ids in zip(named, found, strict=True) if list(ids) == [token]}

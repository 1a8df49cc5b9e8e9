"""Texts → padded token ids, with the `tokenizers` library alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from huaxiang.errors import EncoderError

Ids = NDArray[np.int64]

CHARACTERS_PER_TOKEN = 40
"""Texts are cut to this many characters per token before they are tokenised; no tokenizer packs more."""


class Tokens:
    """An encoder's tokenizer, cutting at `max_tokens`.

    Raises
    ------
    EncoderError
        When the file is not a tokenizer.
    """

    def __init__(self, file: Path, *, max_tokens: int, pad_id: int) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises bare Exception
            raise EncoderError(
                "not a tokenizer", file=str(file), remedy="fetch or export the encoder again"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)
        self._longest = max_tokens * CHARACTERS_PER_TOKEN
        self._pad_id = pad_id

    @property
    def n_tokens(self) -> int:
        """How many rows a model needs for them."""
        return 1 + max(self._tokenizer.get_vocab().values(), default=-1)

    def encoded(self, texts: Sequence[str], *, offsets: bool = False) -> list[Encoding]:
        """Return the tokens of each text, on request with their places in it, which takes longer."""
        cut = [text[: self._longest] for text in texts]
        return self._tokenizer.encode_batch(cut) if offsets else self._tokenizer.encode_batch_fast(cut)

    def padded(self, texts: Sequence[str]) -> dict[str, Ids]:
        """Return ids and attention mask of one batch, (I, T), padded to its longest text."""
        return pad([encoding.ids for encoding in self.encoded(texts)], pad_id=self._pad_id)

    def has_word(self, word: str) -> bool:
        """Return whether a lower-case word is one token: one that the encoder has often read."""
        return self._tokenizer.token_to_id(word) is not None

    def unreadable_ids(self, letters: re.Pattern[str]) -> Ids:
        """Return the ids of the unknown token and of every token with one of `letters`."""
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        rows = self._tokenizer.get_vocab().items()
        return np.array([row for token, row in rows if token == unknown or letters.search(token)], np.int64)


def pad(ids: Sequence[Sequence[int]], *, pad_id: int) -> dict[str, Ids]:
    """Return rows of ids as one array and its mask, filled on the right.

    Examples
    --------
    >>> batch = pad([[5, 6], [7]], pad_id=0)
    >>> batch["input_ids"].tolist(), batch["attention_mask"].tolist()
    ([[5, 6], [7, 0]], [[1, 1], [1, 0]])
    """
    lengths = np.array([len(row) for row in ids])
    mask_IT = np.arange(max(lengths, default=0)) < lengths[:, None]
    ids_IT = np.full(mask_IT.shape, pad_id, np.int64)
    ids_IT[mask_IT] = np.concatenate([np.asarray(row, np.int64) for row in ids])
    return {"input_ids": ids_IT, "attention_mask": mask_IT.astype(np.int64)}

"""Hidden words, and whether two passages belong together: the objectives of BERT.

Whole words are hidden, jieba's in Chinese; of what is hidden, eight tenths become the mask, a tenth another
token, and a tenth stay. A pair is a document cut between two of its sentences (a title and its description, a
review and its rest); half of the second passages are taken from another document of the same group, so that
the topic alone does not give them away.

Source
------
Devlin et al., BERT, NAACL 2019; whole words: Cui et al., Pre-Training with Whole Word Masking for Chinese
BERT, TASLP 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from huaxiang.encoders.learning.base import even_width, in_range
from huaxiang.encoders.pretraining.encoded import Encoded, Ids
from huaxiang.errors import EncoderError

IGNORED = -100
"""Label of what is not asked."""


@dataclass(frozen=True, kw_only=True)
class MaskedConfig:
    """What is hidden and paired.

    Parameters
    ----------
    hidden_share
        Share of words that are hidden; 0 to 1.
    pairs
        Whether documents of two sentences or more are cut in two, and half of the halves swapped.
    max_tokens
        Longest row, marks included; ≥ 16.
    """

    hidden_share: float = 0.15
    pairs: bool = True
    max_tokens: int = 128

    def __post_init__(self) -> None:
        in_range("hidden_share", self.hidden_share, 0 < self.hidden_share < 1, "between 0 and 1")
        in_range("max_tokens", self.max_tokens, self.max_tokens >= 16, "16 or more")


_FEWEST_ALIKE = 5
"""Documents of a group that pairs are drawn within; smaller groups draw from all."""


class MaskedLesson:
    """Documents with words hidden, and half of them with another's second passage."""

    def __init__(self, corpus: Encoded, config: MaskedConfig) -> None:
        self._mask = corpus.marks.mask
        if self._mask is None:
            remedy = "give one with a mask, or choose the objective causal"
            raise EncoderError(
                "tokenizer has no mask", value=f"{corpus.marks.n_tokens} tokens", remedy=remedy
            )
        self.corpus = corpus
        self.config = config
        self.lengths_N = np.minimum(corpus.lengths + 3, config.max_tokens)
        n_sentences_N = np.diff(corpus.documents)
        self._can_be_cut_N = n_sentences_N >= 2
        self._all = np.flatnonzero(self._can_be_cut_N)
        self._of_group = _members(corpus.groups_N, self._can_be_cut_N)

    def batch(self, rows_B: Ids, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return ids, mask, passage numbers, hidden tokens as labels, and whether the passages follow."""
        made = [self._row(int(row), rng) for row in rows_B]
        width = even_width(max(len(ids) for ids, *_ in made))
        marks = self.corpus.marks
        ids_BT = np.full((len(made), width), marks.pad, np.int64)
        labels_BT = np.full((len(made), width), IGNORED, np.int64)
        mask_BT, second_BT = np.zeros_like(ids_BT), np.zeros_like(ids_BT)
        for at, (ids, labels, n_first, _) in enumerate(made):
            n = len(ids)
            ids_BT[at, :n], labels_BT[at, :n], mask_BT[at, :n] = ids, labels, 1
            second_BT[at, n_first:n] = 1
        follows_B = np.array([follows for *_, follows in made], np.int64)
        arrays = {
            "input_ids": ids_BT,
            "attention_mask": mask_BT,
            "token_type_ids": second_BT,
            "labels": labels_BT,
            "follows": follows_B,
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def _row(self, row: int, rng: np.random.Generator) -> tuple[Ids, Ids, int, int]:
        """Return ids, labels, the length of the first passage with its marks, and whether they follow."""
        marks = self.corpus.marks
        (first, first_words), second, follows = self._passages(row, rng)
        ids, labels = self._hidden(first, first_words, rng)
        all_ids, all_labels = (
            [np.array([marks.cls]), ids, np.array([marks.sep])],
            [_ASK_NOT, labels, _ASK_NOT],
        )
        if second is not None:
            more, more_labels = self._hidden(*second, rng)
            all_ids += [more, np.array([marks.sep])]
            all_labels += [more_labels, _ASK_NOT]
        return np.concatenate(all_ids), np.concatenate(all_labels), len(ids) + 2, follows

    def _passages(
        self, row: int, rng: np.random.Generator
    ) -> tuple[tuple[Ids, Ids], tuple[Ids, Ids] | None, int]:
        n = self.corpus.n_sentences(row)
        room = self.config.max_tokens - 3
        if not (self.config.pairs and self._can_be_cut_N[row]):
            return _window(*self.corpus.tokens(row, 0, n), room + 1, rng), None, IGNORED
        at = int(rng.integers(1, n))
        first, second, follows = self.corpus.tokens(row, 0, at), self.corpus.tokens(row, at, n), 1
        if rng.random() < 0.5:
            other = self._another(row, rng)
            if other is not None:
                n_other = self.corpus.n_sentences(other)
                ids, words = self.corpus.tokens(other, int(rng.integers(1, n_other)), n_other)
                own = len(second[0])  # no longer than the true one: length is no hint, and no batch widens
                second, follows = (ids[:own], words[:own]), 0
        n_first, n_second = _shared(len(first[0]), len(second[0]), room)
        kept = (first[0][-n_first:], first[1][-n_first:]), (second[0][:n_second], second[1][:n_second])
        return kept[0], kept[1], follows

    def _another(self, row: int, rng: np.random.Generator) -> int | None:
        members = self._of_group[int(self.corpus.groups_N[row])]
        if len(members) < _FEWEST_ALIKE:
            members = self._all
        if len(members) < 2:
            return None
        other = int(members[rng.integers(len(members))])
        return other if other != row else int(members[(np.searchsorted(members, row) + 1) % len(members)])

    def _hidden(self, ids: Ids, words: Ids, rng: np.random.Generator) -> tuple[Ids, Ids]:
        marks = self.corpus.marks
        is_hidden = hidden_words(words, self.config.hidden_share, rng)
        labels = np.where(is_hidden, ids, IGNORED)
        dice = rng.random(len(ids))
        shown = np.where(is_hidden & (dice < 0.8), self._mask or 0, ids)
        is_swapped = is_hidden & (dice >= 0.9)
        shown[is_swapped] = rng.integers(0, marks.n_tokens, int(is_swapped.sum()))
        return shown, labels


_ASK_NOT = np.array([IGNORED])


def hidden_words(
    words: Ids, share: float, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which tokens are hidden: whole words, about `share` of them and at least one.

    A number lower than the one before begins another sentence: words of the same number are not the same.

    Examples
    --------
    >>> words = np.array([0, 0, 1, 2, 2])
    >>> hidden_words(words, 0.5, np.random.default_rng(3)).tolist()
    [True, True, True, False, False]
    """
    if not len(words):
        return np.zeros(0, np.bool_)
    begins = np.concatenate([[True], np.diff(words) != 0])
    number = np.cumsum(begins) - 1
    n = int(number[-1]) + 1
    chosen = rng.random(n) < share
    if not chosen.any():
        chosen[rng.integers(n)] = True
    return np.asarray(chosen[number])


def _window(ids: Ids, words: Ids, room: int, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """Return a random stretch that fits."""
    start = int(rng.integers(max(len(ids) - room, 0) + 1))
    return ids[start : start + room], words[start : start + room]


def _shared(n_first: int, n_second: int, room: int) -> tuple[int, int]:
    """Return how many tokens of each passage fit, the longer one shortened first; at least one of each.

    Examples
    --------
    >>> _shared(90, 20, 100), _shared(90, 80, 100), _shared(3, 4, 100)
    ((80, 20), (50, 50), (3, 4))
    """
    half = room // 2
    if n_first + n_second <= room:
        return n_first, n_second
    if n_second <= half:
        return room - n_second, n_second
    if n_first <= half:
        return n_first, room - n_first
    return half, room - half


def _members(groups_N: Ids, is_usable_N: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> dict[int, Ids]:
    order = np.flatnonzero(is_usable_N)
    return {int(group): order[groups_N[order] == group] for group in np.unique(groups_N)}

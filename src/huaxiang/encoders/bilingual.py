"""The default: MiniLM reads English, and the student, aloud, what MiniLM can't."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.base import Encoded
from huaxiang.encoders.cache import write_beside
from huaxiang.encoders.export import SETTINGS
from huaxiang.encoders.hashed import unit_rows
from huaxiang.encoders.student import StudentEncoder
from huaxiang.encoders.text import OnnxTextEncoder, read_settings
from huaxiang.errors import SettingsError
from huaxiang.notes import note
from huaxiang.shop.clean import clean_text, has_words

logger = logging.getLogger(__name__)

READ_BY_STUDENT = note("by_student")

_FOREIGN = re.compile(r"[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
"""Chinese, Japanese and Korean letters. MiniLM's vocabulary has some of them, but it never learnt them."""

_NOT_WORDS = re.compile(r"[^\w\s]+")
"""Emoji and punctuation: that MiniLM has no token for them is no reason to ask the student."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """When the student reads.

    Parameters
    ----------
    unknown_share
        Largest share of unknown tokens that MiniLM is trusted with, 0 to 1.
    """

    unknown_share: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.unknown_share <= 1:
            raise SettingsError(
                "setting is out of range",
                column="unknown_share",
                value=str(self.unknown_share),
                remedy="choose 0 to 1",
            )


class BilingualEncoder:
    """Texts in English or Chinese to vectors of one space.

    A token counts as unknown to MiniLM when its tokenizer says so, or when it is a Chinese, Japanese or
    Korean letter. Where more than `unknown_share` of a text's tokens are unknown, the student reads it; what
    is left of it without those letters ("Nike" in "Nike 跑步鞋") is read by MiniLM, and the two are added by
    their share of the tokens. Such rows are listed in `problems` and counted in `n_read_by_student`.

    Examples
    --------
    See `huaxiang.encoders.named.text_encoder`.
    """

    def __init__(
        self, english: OnnxTextEncoder, student: StudentEncoder, *, config: Config | None = None
    ) -> None:
        self.english = english
        self.student = student
        self.config = config or Config()
        self.n_read_by_student = 0
        self._unreadable = english.tokens.unreadable_ids(_FOREIGN)

    @property
    def space(self) -> str:
        """Both encoders' spaces and the share."""
        return f"{self.english.space}+{self.student.space}@{self.config.unknown_share}"

    @property
    def dimensions(self) -> int:
        """D."""
        return self.english.dimensions

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        """Return one vector per text; None and texts without a letter or digit are absent."""
        cleaned = [clean_text(text) for text in texts]
        unknown_I = self.unknown_shares(cleaned)
        foreign_I = unknown_I > self.config.unknown_share
        english = self.english.encode(
            [_FOREIGN.sub(" ", text) if foreign_I[row] else text for row, text in enumerate(cleaned)]
        )
        rows = np.flatnonzero(foreign_I)
        vectors_ID = english.vectors_ID.copy()
        if len(rows):
            student = self.student.encode([cleaned[row] for row in rows])
            share_I1 = unknown_I[rows, None]
            vectors_ID[rows] = unit_rows(
                share_I1 * student.vectors_ID + (1 - share_I1) * english.vectors_ID[rows]
            )
            self._say(len(rows), len(texts))
        present_I = np.array([has_words(text) for text in cleaned], np.bool_)
        problems = {int(row): READ_BY_STUDENT for row in rows}
        return Encoded(vectors_ID=vectors_ID, present_I=present_I, problems=problems)

    def unknown_shares(self, cleaned: Sequence[str]) -> NDArray[np.float32]:
        """Return the share of the tokens of each text's words that MiniLM can't read, (I,); 0 without any."""
        shares_I = np.zeros(len(cleaned), np.float32)
        maybe = [row for row, text in enumerate(cleaned) if has_words(text) and not text.isascii()]
        encodings = self.english.tokens.encoded([_NOT_WORDS.sub(" ", cleaned[row]) for row in maybe])
        for row, encoding in zip(maybe, encodings, strict=True):
            inner = encoding.ids[1:-1]  # without the tokens that begin and end every text
            shares_I[row] = np.isin(inner, self._unreadable).mean() if inner else 0
        return shares_I

    def _say(self, n: int, n_texts: int) -> None:
        self.n_read_by_student += n
        logger.info("texts %s: n=%d of=%d", READ_BY_STUDENT, n, n_texts)

    def save(self, folder: Path) -> None:
        """Write both encoders."""
        self.student.save(folder)
        self.english.save(folder)
        settings = read_settings(folder) | {"kind": "bilingual", "unknown_share": self.config.unknown_share}
        write_beside(folder / SETTINGS, json.dumps(settings, indent=1).encode())

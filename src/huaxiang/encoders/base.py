"""What every encoder promises: texts or photos in, vectors of one named space out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.notes import Note
from huaxiang.records import Matrix

ImageInput = str | Path | bytes | None
"""A file, its bytes, or None where an item has no photo."""

Progress = Callable[[int, int, str], None]
"""Called with (done, total, note)."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Vectors and what could not be read.

    Parameters
    ----------
    vectors_ID
        float32, shape (I, D), rows of unit length; zero where `present_I` is false.
    present_I
        Whether the input could be read and was not empty.
    problems
        Row → what is to be said aloud about it: why it could not be read, or, where it is present,
        by which poorer way it was read.
    """

    vectors_ID: Matrix
    present_I: NDArray[np.bool_]
    problems: Mapping[int, Note] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """The problems counted, most frequent first: what `degraded` and reports show.

        Examples
        --------
        >>> nothing = np.zeros((2, 3), np.float32)
        >>> Encoded(vectors_ID=nothing, present_I=np.zeros(2, "?"), problems={1: "cut short"}).notes
        ('1 of 2: cut short',)
        """
        counted = Counter(self.problems.values()).most_common()
        return tuple(f"{n} of {len(self.present_I)}: {problem}" for problem, n in counted)


class TextEncoder(Protocol):
    """Texts in, vectors out. `space` names weights, precision and preprocessing: spaces never mix."""

    @property
    def space(self) -> str:
        """A name that differs whenever the vectors would."""

    @property
    def dimensions(self) -> int:
        """D."""

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        """Return one vector per text; None and texts without a letter or digit are absent."""


class StoredTextEncoder(TextEncoder, Protocol):
    """A text encoder that a run can keep."""

    def save(self, folder: Path) -> None:
        """Write what `load_text_encoder(folder)` reads back."""


class ImageEncoder(Protocol):
    """Photos in, vectors out."""

    @property
    def space(self) -> str:
        """A name that differs whenever the vectors would."""

    @property
    def dimensions(self) -> int:
        """D."""

    def encode(self, images: Sequence[ImageInput]) -> Encoded:
        """Return one vector per photo; unreadable ones are absent and listed in `problems`."""

"""Relevance that was learnt from judged pairs, at work on a model's items."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from huaxiang.encoders.base import TextEncoder
from huaxiang.errors import StorageError
from huaxiang.search.learnt.relevance import Relevance
from huaxiang.search.learnt.surroundings import Offered
from huaxiang.search.match import Found, reordered

if TYPE_CHECKING:
    from huaxiang.model.whole import Model

RELEVANCE = Path("search") / "relevance"
"""Where a run keeps it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchRelevance:
    """What was learnt, and the titles that it is applied to.

    Parameters
    ----------
    folder
        What `huaxiang finetune search` made.
    titles, offered
        The items as they were when the model was made; those that joined since keep their places.
    """

    folder: Path
    learnt: Relevance
    titles: Sequence[str]
    offered: Offered
    encoder: TextEncoder

    @classmethod
    def of(cls, folder: str | Path, model: Model) -> Self:
        """Return what a folder holds, over a model's items.

        Raises
        ------
        ArtefactError
            The folder holds no learnt relevance, or a newer one.
        """
        learnt, catalogue = Relevance.load(folder), model.catalogue
        titles = [catalogue.title(row) for row in range(catalogue.n_items)]
        offered = learnt.offer(titles, model.vectors["text"])
        return cls(
            folder=Path(folder), learnt=learnt, titles=titles, offered=offered, encoder=model.text_encoder
        )

    def reordered(self, words: str, found: Found, *, most: int, n_read: int = 0) -> Found:
        """Return what was found with the best `most` of it in the order that was learnt.

        Of these the best `n_read` are read together with the words, where a model for that was learnt.
        """
        places = np.flatnonzero(found.rows[:most] < len(self.offered.vectors_ID))
        if len(places) < 2:
            return found
        asked = self.learnt.ask(words)
        query_D = np.asarray(self.encoder.encode([asked.text]).vectors_ID[0], dtype=np.float32)
        rows = found.rows[places]
        scores = self.learnt.scores(asked, query_D, rows, offered=self.offered, found=rows)
        found = reordered(found, places, scores)
        if self.learnt.reader is None or n_read < 2:
            return found
        best = places[:n_read]
        rows_read = found.rows[best]
        read = self.learnt.read(
            words,
            [self.titles[row] for row in rows_read.tolist()],
            asked,
            query_D,
            rows_read,
            offered=self.offered,
            found=rows,
        )
        return reordered(found, best, read)

    def save(self, folder: Path) -> None:
        """Copy what was learnt into a run."""
        try:
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        except OSError as error:
            remedy = "free some space"
            raise StorageError(
                "learnt relevance can't be written", file=str(folder), remedy=remedy
            ) from error

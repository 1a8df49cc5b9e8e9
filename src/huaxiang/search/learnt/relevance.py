"""A learnt relevance at work: a query and candidate titles → how well each answers; no torch, no LightGBM.

Two orders are learnt: `graded` tells good answers from better ones among products that were all chosen for
the query; `found` tells answers from whatever a search of the whole catalogue brings up.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from huaxiang.encoders.finetuning.matcher import Blend, Matcher
from huaxiang.errors import ArtefactError
from huaxiang.files import write_json
from huaxiang.records import Matrix, Vector
from huaxiang.search.learnt.features import Asked, Columns, word_columns
from huaxiang.search.learnt.neighbours import Neighbours
from huaxiang.search.learnt.surroundings import Offered, surrounding_columns
from huaxiang.search.learnt.titles import Lexicon
from huaxiang.search.learnt.trees import Trees

VERSION = 1
SETTINGS, WORDS, ARRAYS = "relevance.json", "words.json", "relevance.safetensors"
READER = "reader"
"""Folder of what reads a query and a title together."""

Order = Literal["graded", "found"]
Encode = Callable[[Sequence[str]], Matrix]
"""Texts to the rows of their vectors, of unit length."""
Rows = NDArray[np.integer]


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """What each feature adds, its mean taken off and over its spread.

    Trees follow a curve where there is enough of it; a line goes on where they have seen little. Together
    they order better than either.

    Parameters
    ----------
    share
        Of the line in the score, 0 to 1; the trees have the rest.
    """

    means_F: Vector
    spreads_F: Vector
    weights_F: Vector
    share: float

    def scores(self, features_CF: NDArray[np.float32]) -> Vector:
        """Return the score of each row, (C,)."""
        found = (features_CF - self.means_F) / self.spreads_F @ self.weights_F
        return np.asarray(found, np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """One order: trees, and a line beside them."""

    trees: Trees
    linear: Linear

    def scores(self, features_CF: NDArray[np.float32]) -> Vector:
        """Return the score of each row, (C,): higher is better."""
        share = self.linear.share
        both = share * self.linear.scores(features_CF) + (1 - share) * self.trees.scores(features_CF)
        return np.asarray(both, np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Relevance:
    """Everything that was learnt.

    Parameters
    ----------
    names
        The features, in the order in which they were learnt.
    reader, blend
        What reads a query and a title together, and how its scores are blended with the graded ones; None
        where there is none.
    """

    lexicon: Lexicon
    neighbours: Neighbours
    names: tuple[str, ...]
    orders: Mapping[str, Learnt]
    reader: Matcher | None = None
    blend: Blend | None = None

    def ask(self, query: str) -> Asked:
        """Return a query as it is read: its misspelt words mended."""
        return Asked.of(query, self.lexicon)

    def offer(self, titles: Sequence[str], vectors_ID: Matrix) -> Offered:
        """Return titles as they are searched; `vectors_ID` are theirs, rows of unit length."""
        return Offered.of(titles, vectors_ID, self.lexicon)

    def scores(
        self,
        asked: Asked,
        query_D: Vector,
        rows: Rows,
        *,
        offered: Offered,
        found: Rows | None = None,
        order: Order = "found",
    ) -> Vector:
        """Return how well each candidate answers, (C,): higher is better; comparable within one query only.

        Parameters
        ----------
        query_D
            Vector of `asked.text`, of unit length.
        rows
            The candidates among what is offered.
        found
            What a search finds first, best first; None looks itself.
        """
        if found is None:
            found = offered.find(asked, query_D)
        columns = columns_of(asked, query_D, rows, offered=offered, found=found, neighbours=self.neighbours)
        return self.orders[order].scores(matrix_of(columns, self.names))

    def read(
        self,
        query: str,
        titles: Sequence[str],
        asked: Asked,
        query_D: Vector,
        rows: Rows,
        *,
        offered: Offered,
        found: Rows,
    ) -> Vector:
        """Return how well a few good candidates answer, (C,), each read together with the query.

        Each pair passes through a network, so they should be few. Without a `reader` they have graded scores.

        Parameters
        ----------
        query, titles
            As they were written.
        """
        graded = self.scores(asked, query_D, rows, offered=offered, found=found, order="graded")
        if self.reader is None or self.blend is None:
            return graded
        read = self.reader.scores([query] * len(titles), titles)
        return np.asarray(self.blend.scores(graded.astype(np.float64), read), np.float32)

    def search(self, asked: Asked, query_D: Vector, *, offered: Offered, n: int = 100) -> NDArray[np.int64]:
        """Return the rows that answer a query best, best first, of twice as many that are looked at."""
        found = offered.find(asked, query_D, n=2 * n)
        scores_C = self.scores(asked, query_D, found, offered=offered, found=found)
        return found[np.argsort(-scores_C, kind="stable")][:n]

    def save(self, folder: Path) -> None:
        """Write everything but the trees, which are in the folder already, one file for each order."""
        if self.reader is not None and self.reader.folder != folder / READER:
            shutil.copytree(self.reader.folder, folder / READER, dirs_exist_ok=True)
        lexicon, neighbours = self.lexicon, self.neighbours
        arrays: dict[str, NDArray[np.generic]] = {
            f"lexicon.{name}": getattr(lexicon, name) for name in _LEXICON
        }
        arrays |= {f"neighbours.{name}": getattr(neighbours, name) for name in _NEIGHBOURS}
        for order, learnt in self.orders.items():
            arrays |= {f"{order}.{name}": getattr(learnt.linear, name) for name in _LINEAR}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / ARRAYS)
        write_json(folder / WORDS, {"stems": lexicon.stems, "words": lexicon.words})
        said = {
            "version": VERSION,
            "names": self.names,
            "n_titles": lexicon.n_titles,
            "mean_length": lexicon.mean_length,
            "reader": None if self.reader is None else READER,
            "blend": None if self.blend is None else asdict(self.blend),
            "line_share": {order: learnt.linear.share for order, learnt in self.orders.items()},
        }
        write_json(folder / SETTINGS, said)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return what `huaxiang finetune search` wrote.

        Raises
        ------
        ArtefactError
            It is missing, damaged, or of a newer version.
        """
        folder = Path(folder)
        try:
            said = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
            words = json.loads((folder / WORDS).read_text(encoding="utf-8"))
            arrays = load_file(folder / ARRAYS)
            if said["version"] > VERSION:
                raise ArtefactError("made by a newer version", file=str(folder), remedy="update huaxiang")
            return cls(
                lexicon=Lexicon(
                    stems=tuple(words["stems"]),
                    words=words["words"],
                    n_titles=said["n_titles"],
                    mean_length=said["mean_length"],
                    **{name: arrays[f"lexicon.{name}"] for name in _LEXICON},
                ),
                neighbours=Neighbours(**{name: arrays[f"neighbours.{name}"] for name in _NEIGHBOURS}),
                names=tuple(said["names"]),
                reader=Matcher(folder / said["reader"]) if said["reader"] else None,
                blend=Blend(**said["blend"]) if said["blend"] else None,
                orders={
                    order: Learnt(
                        trees=Trees(folder / trees_file(order)),
                        linear=Linear(share=share, **{name: arrays[f"{order}.{name}"] for name in _LINEAR}),
                    )
                    for order, share in said["line_share"].items()
                },
            )
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            remedy = "make it with huaxiang finetune search"
            raise ArtefactError("no learnt relevance", file=str(folder), remedy=remedy) from error


_LEXICON = ("n_titles_W", "n_heads_W", "n_first_W", "senses_WD")
_NEIGHBOURS = ("queries_QD", "products_PD", "starts_Q", "product_N", "gain_N", "gain_over_N")
_LINEAR = ("means_F", "spreads_F", "weights_F")
ORDERS: tuple[Order, ...] = get_args(Order)


def columns_of(
    asked: Asked,
    query_D: Vector,
    rows: Rows,
    *,
    offered: Offered,
    found: Rows,
    neighbours: Neighbours,
    but: int | None = None,
) -> Columns:
    """Return all features of a query's candidates: name → a value for each, (C,).

    Parameters
    ----------
    but
        Number of the judged query that this is, so that it is not asked about itself.
    """
    vectors_CD = np.asarray(offered.vectors_ID[rows], np.float32)
    return {
        **word_columns(asked, offered.titles, rows),
        **surrounding_columns(offered, query_D, rows, found),
        **neighbours.columns(query_D, vectors_CD, but=but),
    }


def matrix_of(columns: Columns, names: Sequence[str]) -> NDArray[np.float32]:
    """Return features in an order, (C, F)."""
    return np.stack([np.asarray(columns[name], np.float32) for name in names], axis=1)


def trees_file(order: str) -> str:
    """Return the name of the file that holds the trees of an order."""
    return f"{order}.onnx"

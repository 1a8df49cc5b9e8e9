"""What shoppers had together and what they found by which query: what encoders are tuned on, as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.next_item import NextItems
from huaxiang.encoders.learning.base import in_range
from huaxiang.errors import ShopError

Rows = NDArray[np.int64]
FEWEST = 16


@dataclass(frozen=True, kw_only=True)
class PairsConfig:
    """Which acts make a pair, and how much it counts.

    Parameters
    ----------
    window
        Items that follow an item and go with it; ≥ 1.
    across
        What a pair counts whose items lie in two visits, beside 1 within one; 0 to 1.
    query_window
        Acts after a query in which what was found by it is looked for, within the visit; ≥ 1.
    view, select, cart, wishlist, purchase, review
        What each kind of act counts, ≥ 0; 0 leaves it out. A pair counts the product of its acts. `cart`
        stands for checking out, too, and `review` for ratings.
    most
        Pairs to learn from; of more some are drawn; ≥ 1.
    """

    window: int = 3
    across: float = 0.5
    query_window: int = 10
    view: float = 0.4
    select: float = 0.3
    cart: float = 0.8
    wishlist: float = 0.8
    purchase: float = 1.0
    review: float = 1.0
    most: int = 1_000_000

    def __post_init__(self) -> None:
        for name in ("window", "query_window", "most"):
            in_range(f"pairs.{name}", getattr(self, name), getattr(self, name) >= 1, "1 or more")
        in_range("pairs.across", self.across, 0 <= self.across <= 1, "0 to 1")
        for name in ("view", "select", "cart", "wishlist", "purchase", "review"):
            in_range(f"pairs.{name}", getattr(self, name), getattr(self, name) >= 0, "0 or more")


@dataclass(frozen=True, kw_only=True)
class Together:
    """Pairs of the training part, and what shoppers took next in the parts held out.

    Parameters
    ----------
    texts_LI
        For each language one text per item, None where it has none.
    queries
        The different queries.
    pairs_P2
        Two items, or a query and an item: left is an item row, or the number of items plus that of a query;
        right is an item row. int64 (P, 2), each pair once.
    weights_P
        What each counts, > 0.
    validation, test
        To choose weights by, and to report on.
    """

    name: str
    texts_LI: Sequence[Sequence[str | None]]
    queries: Sequence[str]
    pairs_P2: Rows
    weights_P: NDArray[np.float32]
    validation: NextItems
    test: NextItems

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.texts_LI[0])

    @property
    def is_item_P(self) -> NDArray[np.bool_]:  # noqa: N802 - a shape
        """Whether both sides of a pair are items."""
        return np.asarray(self.pairs_P2[:, 0] < self.n_items)

    @property
    def seen_I(self) -> NDArray[np.bool_]:  # noqa: N802 - a shape
        """Whether an item is in any pair."""
        seen = np.zeros(self.n_items, np.bool_)
        seen[self.pairs_P2[self.is_item_P, 0]] = True
        seen[self.pairs_P2[:, 1]] = True
        return seen

    @property
    def fingerprint(self) -> str:
        """A hash of what is learnt from."""
        total = hashlib.blake2b(digest_size=8)
        total.update(self.pairs_P2.tobytes() + self.weights_P.tobytes())
        for texts in (*self.texts_LI, self.queries):
            total.update("\0".join(text or "" for text in texts).encode() + b"\1")
        return total.hexdigest()

    def checked(self) -> Together:
        """Return it, if there is enough to learn from.

        Raises
        ------
        ShopError
            Fewer than 16 pairs of the training part have texts.
        """
        if len(self.pairs_P2) < FEWEST:
            raise ShopError(
                "too few pairs to learn from in the training part",
                file=self.name,
                value=str(len(self.pairs_P2)),
                remedy="shoppers must take several items, or find them by words, before the held-out part",
            )
        return self

    def take(self, is_kept_P: NDArray[np.bool_]) -> Together:
        """Return it with some of the pairs."""
        return replace(self, pairs_P2=self.pairs_P2[is_kept_P], weights_P=self.weights_P[is_kept_P])

    def without(self, item_rows: Rows) -> Together:
        """Return it without the pairs of some items, which are then as new to the encoder."""
        is_about_P = np.asarray(np.isin(self.pairs_P2, item_rows).any(axis=1), np.bool_)
        return self.take(~is_about_P)


def summed(
    pairs_P2: Rows, weights_P: NDArray[np.float32], *, most: int, seed: int
) -> tuple[Rows, NDArray[np.float32]]:
    """Return each pair once with the sum of its weights, at most four times the mean; of many, some drawn.

    Examples
    --------
    >>> pairs, weights = summed(np.array([[1, 2], [1, 2], [0, 3]]), np.ones(3, "f"), most=9, seed=0)
    >>> pairs.tolist(), weights.tolist()
    ([[0, 3], [1, 2]], [1.0, 2.0])
    """
    if not len(pairs_P2):
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    width = int(pairs_P2.max()) + 1
    keys, which = np.unique(pairs_P2[:, 0] * width + pairs_P2[:, 1], return_inverse=True)
    weights = np.bincount(which, weights=weights_P)
    weights = np.minimum(weights, 4 * weights.mean())
    kept = np.sort(np.random.default_rng(seed).permutation(len(keys))[:most])
    pairs = np.stack([keys[kept] // width, keys[kept] % width], axis=1)
    return pairs.astype(np.int64), weights[kept].astype(np.float32)

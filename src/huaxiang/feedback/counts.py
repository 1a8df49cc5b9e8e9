"""Counts of what was shown and what followed, by model version, placement and place; sums of whole numbers.

Whole numbers add up to the same whichever came first, so counting list by list equals counting all at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from huaxiang.feedback.following import KINDS, Followed, Shown
from huaxiang.feedback.rates import Rate

MICRO = 1_000_000
"""Inverse chances are kept in millionths."""

Key = tuple[str, str, int, str]
"""Model, placement, place from 1 (0 is the whole list), and what was counted."""


def counts_of(slates: Iterable[Shown], followed: Iterable[Followed]) -> Counter[Key]:
    """Return the counts of some lists, given what followed from them."""
    counts: Counter[Key] = Counter()
    slate_of = {slate.slate_id: slate for slate in slates}
    for slate in slate_of.values():
        counts[slate.model, slate.placement, 0, "shown"] += 1
        for place in range(1, len(slate.item_nos) + 1):
            counts[slate.model, slate.placement, place, "shown"] += 1
            if slate.propensities:
                _weigh(counts, slate, place, "weight")
                counts[slate.model, slate.placement, place, "square"] += _weight(slate, place) ** 2
    once = set()
    for one in followed:
        slate = slate_of[one.slate_id]
        counts[slate.model, slate.placement, one.place, one.kind] += 1
        counts[slate.model, slate.placement, one.place, f"{one.kind}:attributed"] += one.attributed
        once.add((one.slate_id, one.kind))
        if one.kind == "clicked" and slate.propensities:
            _weigh(counts, slate, one.place, "clicked weight")
    for slate_id, kind in once:
        counts[slate_of[slate_id].model, slate_of[slate_id].placement, 0, kind] += 1
    return counts


def _weigh(counts: Counter[Key], slate: Shown, place: int, what: str) -> None:
    counts[slate.model, slate.placement, place, what] += _weight(slate, place)


def _weight(slate: Shown, place: int) -> int:
    return round(MICRO / slate.propensities[place - 1])


def by_model_and_placement(counts: Mapping[Key, int]) -> list[dict[str, Any]]:
    """Return a row for each model version and placement.

    `clicked_items` is clicks over items shown, the click-through rate; `clicked`, `carted` and `bought` are
    the shares of lists from which at least one item was; `attributed` counts those that no event named.
    """
    groups = sorted({key[:2] for key in counts})
    return [_row(counts, model, placement) for model, placement in groups]


def _row(counts: Mapping[Key, int], model: str, placement: str) -> dict[str, Any]:
    def all_places(what: str) -> int:
        places = range(1, _n_places(counts, model, placement) + 1)
        return sum(counts.get((model, placement, place, what), 0) for place in places)

    n_slates = counts.get((model, placement, 0, "shown"), 0)
    return {
        "model": model,
        "placement": placement,
        "slates": n_slates,
        "clicked_items": Rate(n=all_places("clicked"), of=all_places("shown")).as_json(),
        **{kind: Rate(n=counts.get((model, placement, 0, kind), 0), of=n_slates).as_json() for kind in KINDS},
        "attributed": {kind: all_places(f"{kind}:attributed") for kind in KINDS},
    }


def by_place(counts: Mapping[Key, int]) -> list[dict[str, Any]]:
    """Return a row for each place: how often it was clicked, and how often were it always the same items.

    Good items stand first, so the first place is clicked more for two reasons. Where places were drawn by
    chance, `same_items` weighs each click by the inverse of its chance, so that every place shows the same
    candidates alike and what is left is the place; `n_effective` is how many lists that is worth.

    Source
    ------
    Self-normalised weighting as in Swaminathan and Joachims, NeurIPS 2015; effective number after Kish 1965.
    """
    groups = sorted({key[:2] for key in counts})
    return [
        _place_row(counts, (model, placement, place))
        for model, placement in groups
        for place in range(1, _n_places(counts, model, placement) + 1)
    ]


def _place_row(counts: Mapping[Key, int], at: tuple[str, str, int]) -> dict[str, Any]:
    weight, square = counts.get((*at, "weight"), 0), counts.get((*at, "square"), 0)
    return {
        "model": at[0],
        "placement": at[1],
        "place": at[2],
        "clicked": Rate(n=counts.get((*at, "clicked"), 0), of=counts.get((*at, "shown"), 0)).as_json(),
        "same_items": counts.get((*at, "clicked weight"), 0) / weight if weight else None,
        "n_effective": weight**2 / square if square else 0.0,
    }


def _n_places(counts: Mapping[Key, int], model: str, placement: str) -> int:
    return max((place for m, p, place, _ in counts if (m, p) == (model, placement)), default=0)

"""What a shopper likes and dislikes: the posterior of their share of each value.

For one dimension and one side, event `e` adds `w(type) · 2^(−age / half-life)` of mass, split over its
values. With the mass m of a value, the mass M of the dimension and the population's share π, the posterior is
Beta(m + α π, M − m + α (1 − π)): `share` is its mean, `lift` its 10 % quantile over π.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from huaxiang.profile.acts import Acts
from huaxiang.profile.families import say_nothing_more
from huaxiang.profile.said import Said
from huaxiang.profile.values import Values
from huaxiang.profile.weights import Config

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_CANDIDATES = 8
"""Values per dimension and side whose exact quantile is computed; the rest are below by a close estimate."""

MOST_DENSE = 50_000
"""Codes up to which a table of all is quicker than sorting those met."""


@dataclass(frozen=True, slots=True)
class Entries:
    """One row per (event, value): which event says how much about which value.

    Parameters
    ----------
    code_N
        Twice the value, plus 1 on the disliked side.
    mass_N, whole_N
        Decayed mass on the value, and on all the event's values of the same dimension.
    sure_N
        What the entry adds to n_eff.
    even_N
        Its part of its event, such that an event's entries on one side of a dimension sum to 1.
    stated_N
        Whether the shopper said so in words about themself.
    """

    event_N: Ints
    code_N: Ints
    mass_N: Floats
    whole_N: Floats
    sure_N: Floats
    even_N: Floats
    stated_N: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tally:
    """The posterior of every value met (K), by code in ascending order.

    Parameters
    ----------
    group_K
        Twice the dimension, plus 1 on the disliked side.
    share_K, strength_K, prior_K
        Posterior mean, the posterior's sum of parameters, and the population's share.
    confidence_K
        0 to 1.
    newest_K
        Row of the newest event with the value.
    n_with_K, n_of_K
        Events with the value, and with any value of the dimension on this side.
    row_N
        Each entry's row in this tally.
    """

    entries: Entries
    code_K: Ints
    group_K: Ints
    share_K: Floats
    strength_K: Floats
    prior_K: Floats
    confidence_K: Floats
    newest_K: Ints
    n_with_K: Ints
    n_of_K: Ints
    stated_K: NDArray[np.bool_]
    row_N: Ints


def item_entries(acts: Acts, values: Values, *, rates_D: Floats) -> Entries:
    """Return the entries of the events about items."""
    force_E = acts.like_E + acts.dislike_E
    events = np.flatnonzero((acts.item_E >= 0) & (force_E > 0))
    items = acts.item_E[events]
    counts = values.counts_I[items]
    which_N = np.repeat(np.arange(len(events)), counts)
    at_N = np.arange(len(which_N)) + (values.offsets[items] - np.cumsum(counts) + counts)[which_N]
    value_N = values.value_N[at_N]
    faded_N = acts.age_E[events][which_N] * rates_D[values.dimension_V[value_N]]
    decay_N = np.exp2(np.negative(faded_N, out=faded_N), out=faded_N)
    force_N = decay_N * force_E[events][which_N]
    return Entries(
        event_N=events[which_N],
        code_N=2 * value_N + (acts.dislike_E > 0)[events][which_N],
        mass_N=force_N * values.weight_N[at_N],
        whole_N=force_N * values.whole_N[at_N],
        sure_N=decay_N * (values.confidence_N[at_N] * acts.newest_of_day()[events][which_N]),
        even_N=values.even_N[at_N],
        stated_N=np.zeros(len(which_N), np.bool_),
    )


def said_entries(
    acts: Acts, said: Mapping[int, tuple[Said, ...]], values: Values, *, rates_D: Floats
) -> Entries:
    """Return the entries of events that name values themselves; `said` is by row of the event."""
    rows = [(e, word) for e, words in said.items() for word in words]
    event_N = np.array([e for e, _ in rows], np.int64)
    value_N = np.array([word.value for _, word in rows], np.int64)
    side_N = np.array([word.side for _, word in rows], np.int64)
    share_N = np.array([word.share for _, word in rows], np.float64)
    sure_N = np.array([word.sure for _, word in rows], np.float64)
    stated_N = np.array([word.is_stated for _, word in rows], np.bool_)
    dimension_N = values.dimension_V[value_N].astype(np.int64)
    decay_N = np.exp2(-acts.age_E[event_N] * rates_D[dimension_N])
    cell_N = (event_N * len(values.dimensions) + dimension_N) * 2 + side_N
    whole_N = np.bincount(cell_N, share_N)[cell_N]
    force_N = decay_N * (acts.like_E + acts.dislike_E)[event_N] * share_N / np.maximum(whole_N, 1.0)
    return Entries(
        event_N=event_N,
        code_N=2 * value_N + side_N,
        mass_N=force_N,
        whole_N=np.bincount(cell_N, force_N)[cell_N],
        sure_N=decay_N * sure_N * (stated_N | acts.newest_of_day()[event_N]),
        even_N=1 / np.bincount(cell_N)[cell_N],
        stated_N=stated_N,
    )


def joined(first: Entries, second: Entries) -> Entries:
    """Return both after each other."""
    names = ("event_N", "code_N", "mass_N", "whole_N", "sure_N", "even_N", "stated_N")
    return Entries(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names))


def tally(entries: Entries, values: Values, *, prior_V: Floats, alpha_D: Floats, config: Config) -> Tally:
    """Return the posterior of every value that some entry names."""
    code_K, row_N = _rows(entries.code_N, 2 * values.n_values)
    n_rows = len(code_K)
    value_K = code_K >> 1
    group_K = values.group_V[value_K] + (code_K & 1)
    mass_K = np.bincount(row_N, entries.mass_N, minlength=n_rows)
    n_eff_K = np.bincount(row_N, entries.sure_N, minlength=n_rows)
    even_K = np.bincount(row_N, entries.even_N, minlength=n_rows)
    total_K, n_of_K = (
        _of_group(values, group_K, one_K)
        for one_K in (np.asarray(mass_K, np.float64), np.asarray(even_K, np.float64))
    )
    alpha_K, prior_K = alpha_D[group_K >> 1], prior_V[value_K]
    newest_K = np.zeros(n_rows, np.int64)
    np.maximum.at(newest_K, row_N, entries.event_N)
    return Tally(
        entries=entries,
        code_K=code_K,
        group_K=group_K,
        share_K=(mass_K + alpha_K * prior_K) / (total_K + alpha_K),
        strength_K=total_K + alpha_K,
        prior_K=prior_K,
        confidence_K=n_eff_K / (n_eff_K + config.kappa),
        newest_K=newest_K,
        n_with_K=np.bincount(row_N, minlength=n_rows),
        n_of_K=np.rint(n_of_K).astype(np.int64),
        stated_K=np.bincount(row_N, entries.stated_N, minlength=n_rows) > 0,
        row_N=row_N,
    )


def _of_group(values: Values, group_K: Ints, amount_K: Floats) -> Floats:
    """Return the sum of each row's group; that of families is that of the categories they are made of."""
    total_G = np.bincount(group_K, amount_K, minlength=2 * len(values.dimensions))
    families = values.families
    if families:
        for side in (0, 1):
            total_G[2 * families.dimension + side] = total_G[2 * families.of_dimension + side]
    return np.asarray(total_G[group_K])


def _rows(code_N: Ints, n_codes: int) -> tuple[Ints, Ints]:
    """Return the different codes in ascending order, and which of them each is."""
    if n_codes > MOST_DENSE:
        code_K, row_N = np.unique(code_N, return_inverse=True)
        return code_K, row_N
    code_K = np.flatnonzero(np.bincount(code_N, minlength=n_codes))
    row_of = np.zeros(n_codes, np.int64)
    row_of[code_K] = np.arange(len(code_K))
    return code_K, row_of[code_N]


def lift(share: Floats, strength: Floats, prior: Floats, *, quantile: float) -> Floats:
    """Return the low quantile of Beta(share · strength, (1 − share) · strength) over the population's share.

    Examples
    --------
    >>> lift(np.array([0.5]), np.array([2.0]), np.array([0.25]), quantile=0.5)
    array([2.])
    """
    low = betaincinv(share * strength, (1 - share) * strength, quantile)
    return np.asarray(low / prior)


class Chosen(NamedTuple):
    """One value worth showing: its row in the tally, and its lift."""

    row: int
    lift: float


def choose(counted: Tally, values: Values, *, config: Config) -> list[Chosen]:
    """Return the values with the highest lift × share of each dimension and side.

    A value the shopper spoke of is not shown on the side of which they last said the opposite; a family only
    where it says more than its categories and is surely chosen more than others choose it.
    """
    rows = np.arange(len(counted.code_K))
    hidden = [*spoken_against(counted), *say_nothing_more(counted, values.families).tolist()]
    if hidden:
        rows = np.delete(rows, hidden)
    if len(rows) > MOST_CANDIDATES:
        rows = rows[_best(counted.group_K[rows], _rough(counted, rows), MOST_CANDIDATES)]
    share = counted.share_K[rows]
    lifts = lift(share, counted.strength_K[rows], counted.prior_K[rows], quantile=config.lift_quantile)
    if values.families:
        is_said = (lifts >= 1) | (counted.code_K[rows] >> 1 < values.families.first)
        rows, share, lifts = rows[is_said], share[is_said], lifts[is_said]
    kept = _best(counted.group_K[rows], lifts * share, config.facets_per_side)
    return [Chosen(row, high) for row, high in zip(rows[kept].tolist(), lifts[kept].tolist(), strict=True)]


def _rough(counted: Tally, rows: Ints) -> Floats:
    """Return about lift × share, by the 10 % quantile of the gamma distribution that the beta is near to.

    Source
    ------
    Wilson and Hilferty, The distribution of chi-square, PNAS 1931.
    """
    share = counted.share_K[rows]
    mass = share * counted.strength_K[rows]
    root = 1 - 1 / (9 * mass) - 1.2816 / (3 * np.sqrt(mass))
    low = np.maximum(root, 1e-3 * share) ** 3
    return np.asarray(low * share * share / counted.prior_K[rows])


def spoken_against(counted: Tally) -> list[int]:
    """Return the rows whose opposite the shopper stated, and stated last."""
    if not counted.stated_K.any():
        return []
    rows: list[int] = []
    row_of = {int(counted.code_K[k]): int(k) for k in np.flatnonzero(counted.stated_K)}
    for code, row in row_of.items():
        other = int(np.searchsorted(counted.code_K, code ^ 1))
        if other == len(counted.code_K) or counted.code_K[other] != code ^ 1:
            continue
        if code ^ 1 not in row_of or _last_said(counted, row) > _last_said(counted, other):
            rows.append(other)
    return rows


def _last_said(counted: Tally, row: int) -> tuple[int, int]:
    said = np.flatnonzero((counted.row_N == row) & counted.entries.stated_N)
    return int(counted.entries.event_N[said].max()), int(said.max())


def _best(group: Ints, score: Floats, most: int) -> Ints:
    """Return positions of the `most` highest scores of each group."""
    order = np.lexsort((-score, group))
    in_order = group[order]
    rank = np.arange(len(order)) - np.searchsorted(in_order, in_order)
    return order[rank < most]


def evidence_rows(counted: Tally, rows: list[int], *, most: int) -> list[list[int]]:
    """Return, for each row, the events whose removal lowers its share, heaviest first.

    An event pulls a share up by its mass on the value less the share of its whole mass. The `most` strongest
    pulls do, and where their sum is not above 0 (values that share all their events with others) all events.
    """
    wanted_K = np.full(len(counted.code_K), -1)
    wanted_K[rows] = np.arange(len(rows))
    at = np.flatnonzero(wanted_K[counted.row_N] >= 0)
    owner = wanted_K[counted.row_N[at]]
    pull = counted.entries.mass_N[at] - counted.share_K[counted.row_N[at]] * counted.entries.whole_N[at]
    order = np.argsort(2 * owner - pull / max(1e-12, float(np.abs(pull).max(initial=0.0))), kind="stable")
    ends = np.searchsorted(owner[order], np.arange(len(rows) + 1))
    last = np.minimum(ends[1:], ends[:-1] + most)
    sums = np.concatenate([[0.0], np.cumsum(pull[order])])
    last = np.where(sums[last] - sums[ends[:-1]] > 0, last, ends[1:])
    events = counted.entries.event_N[at[order]].tolist()
    return [
        list(dict.fromkeys(events[begin:end]))
        for begin, end in zip(ends[:-1].tolist(), last.tolist(), strict=True)
    ]

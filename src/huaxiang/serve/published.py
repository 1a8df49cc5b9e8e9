"""Counts of shoppers that may be published: nobody can tell from them whether one person is among them.

Each shopper counts once in a whole table, at the value they had most; so one more person changes one count by
one. Every value of the catalogue is counted, also those that nobody had, noise is added, and what is then
below the least group is withheld. The noise's ε is taken from the day's budget, and a question that was
answered today gets the same answer again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any

import orjson

from huaxiang.errors import InputError, TooManyRequestsError
from huaxiang.feedback.training_log import Allowing
from huaxiang.profile.update import milliseconds
from huaxiang.profile.values import Values
from huaxiang.records import EventType
from huaxiang.serve.live import LiveShop
from huaxiang.serve.noise import two_sided_geometric
from huaxiang.store.budget import ROUNDING, publish, published, spend, spent
from huaxiang.store.deeds import items_by_shopper
from huaxiang.store.withdrawn import joined_or_asked

PURPOSE = "research"
COUNTED = (EventType.PURCHASE, EventType.ADD_TO_CART, EventType.ADD_TO_WISHLIST, EventType.VIEW_ITEM)
USUAL_DAYS = 30
LAST_YEAR = 2200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: of which dimension, of which deeds, in which days.

    Parameters
    ----------
    first, last
        Days (YYYY-MM-DD, UTC), both included.
    """

    of: str
    type: EventType
    first: str
    last: str

    @classmethod
    def read(
        cls, values: Values, *, of: str, type: str, first: str | None, last: str | None, now: datetime
    ) -> Question:
        """Return the question, checked.

        Raises
        ------
        InputError
            The catalogue has no such dimension, the type is not counted, or the days are none.
        """
        if of not in values.catalogue.dimensions:
            known = ", ".join(values.catalogue.dimensions)
            raise InputError("no such dimension", column="of", value=of, remedy=f"choose one of {known}")
        kinds = {kind.value: kind for kind in COUNTED}
        if type not in kinds:
            known = ", ".join(kinds)
            raise InputError(
                "not a type that is counted", column="type", value=type, remedy=f"choose {known}"
            )
        until = _day("to", last) if last else now.astimezone(UTC)
        since = _day("from", first) if first else until - timedelta(days=USUAL_DAYS)
        if since.date() > until.date():
            remedy = "give a day before it"
            raise InputError("begins after its end", column="from", value=first, remedy=remedy)
        return cls(of=of, type=kinds[type], first=since.date().isoformat(), last=until.date().isoformat())

    @property
    def name(self) -> str:
        """The same for the same question."""
        said = orjson.dumps([self.of, self.type.value, self.first, self.last])
        return sha256(said).hexdigest()[:32]

    def span_ms(self) -> tuple[int, int]:
        """Return the first moment, and the one after the last."""
        return milliseconds(_day("from", self.first)), milliseconds(_day("to", self.last) + timedelta(days=1))


def answer(shop: LiveShop, question: Question) -> dict[str, Any]:
    """Return the table that answers a question, new or as it was given today.

    Raises
    ------
    TooManyRequestsError
        The day's budget is spent: new questions are answered tomorrow.
    """
    now = shop.clock().astimezone(UTC)
    day, terms = now.date().isoformat(), shop.settings.privacy
    with shop.store.read() as tx:
        known = published(tx, shop.shop_id, day, question.name)
        left = terms.epsilon_per_day - spent(tx, shop.shop_id, day)
    if known is not None:
        return {**known, "epsilon_left_today": round(left, 9)}
    if left + ROUNDING < terms.epsilon:
        raise _spent(now)
    counts = shoppers_by_value(shop, question)
    epsilon = Fraction(str(terms.epsilon))
    noisy = {value: count + two_sided_geometric(epsilon) for value, count in counts.items()}
    table = _table(shop, question, noisy) | {"answered_at": now.isoformat(timespec="seconds")}
    with shop.store.begin() as tx:
        if not spend(tx, shop.shop_id, day, terms.epsilon, most=terms.epsilon_per_day):
            raise _spent(now)
        known = published(tx, shop.shop_id, day, question.name)
        if known is not None:  # another process was quicker: its answer, for what it paid
            spend(tx, shop.shop_id, day, -terms.epsilon, most=terms.epsilon_per_day)
        else:
            publish(tx, shop.shop_id, day, question.name, table)
        left = terms.epsilon_per_day - spent(tx, shop.shop_id, day)
    return {**(known or table), "epsilon_left_today": round(left, 9)}


def shoppers_by_value(shop: LiveShop, question: Question) -> dict[int, int]:
    """Return how many shoppers have each value of the dimension, none of them twice: the true counts."""
    model = shop.serving.model
    values, (from_ms, to_ms) = model.population.values, question.span_ms()
    with shop.store.read() as tx:
        allowed = PURPOSE in shop.settings.privacy.allowed
        people = Allowing.of(joined_or_asked(tx, shop.shop_id), purpose=PURPOSE, allowed=allowed)
        deeds = items_by_shopper(tx, shop.shop_id, question.type.code, from_ms=from_ms, to_ms=to_ms)
    d = values.dimensions.index(question.of)
    first, last = int(values.first_D[d]), int(values.first_D[d]) + _n_values(values, question.of)
    hidden = values.sensitive(model.settings.profile)
    row_of = shop.serving.row_of
    had: dict[str, Counter[int]] = defaultdict(Counter)
    for shopper_id, item_no, times in deeds:
        row = row_of(item_no)
        if row < 0 or row in hidden.items or not people.may_learn_from(shopper_id):
            continue
        for value in values.value_N[values.offsets[row] : values.offsets[row + 1]].tolist():
            if first <= value < last:
                had[people.one_id(shopper_id)][value] += times
    counts = dict.fromkeys(
        (value for value in range(first, last) if not hidden.is_text(values.names[value])), 0
    )
    for mine in had.values():
        most = min(mine, key=lambda value: (-mine[value], value))
        counts[most] += 1
    return counts


def _n_values(values: Values, dimension: str) -> int:
    """Return how many values the catalogue has in a dimension; those of the lexicon alone come after them."""
    return len(values.catalogue.dimensions[dimension].values)


def _table(shop: LiveShop, question: Question, noisy: Mapping[int, int]) -> dict[str, Any]:
    values, terms = shop.serving.model.population.values, shop.settings.privacy
    shown = sorted(
        (value for value, count in noisy.items() if count >= terms.least_group),
        key=lambda value: (-noisy[value], value),
    )
    return {
        "of": question.of,
        "type": question.type.value,
        "from": question.first,
        "to": question.last,
        "values": [_row(values, value, noisy[value]) for value in shown],
        "n_withheld": len(noisy) - len(shown),
        "least_group": terms.least_group,
        "epsilon": terms.epsilon,
        "noise": "two-sided geometric, one contribution per shopper",
    }


def _row(values: Values, value: int, count: int) -> dict[str, Any]:
    labels: Sequence[str] = values.catalogue.languages
    return {
        "value": values.names[value],
        "labels": {code: values.label(value, language=code) for code in labels},
        "shoppers": count,
    }


def _spent(now: datetime) -> TooManyRequestsError:
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return TooManyRequestsError(
        "today's privacy budget is spent",
        retry_after_s=(tomorrow - now).total_seconds(),
        remedy="ask what was answered today again, or ask tomorrow",
    )


def _day(name: str, said: str) -> datetime:
    try:
        day = datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year <= LAST_YEAR:
        remedy = "write it as 2026-03-01"
        raise InputError("not a day", column=name, value=said[:40], remedy=remedy)
    return day

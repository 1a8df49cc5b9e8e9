"""Lists from a model: what a shopper is recommended, and what is like an item."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.model.known import Known
from huaxiang.model.review_reasons import with_review_reasons
from huaxiang.model.reviews import tallies_of
from huaxiang.profile.update import milliseconds
from huaxiang.ranking import wording
from huaxiang.ranking.base import Deeds, Occasion
from huaxiang.ranking.rank import check_length
from huaxiang.ranking.stated import stated_in
from huaxiang.recommend.histories import histories_from_states
from huaxiang.recommend.lists import Asker, list_items, list_values
from huaxiang.records import Profile, Ranked, Reason, Slate
from huaxiang.runs import fingerprint_of

if TYPE_CHECKING:
    from huaxiang.model.whole import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What list is asked for; see `Model.recommend`."""

    k: int
    of: str
    repeat: bool
    language: str
    is_checked: bool


def listed(model: Model, profile: Profile, wanted: Wanted) -> Slate:
    """Return the best list for a profile, with reasons."""
    recommender = model.recommenders.of("all" if wanted.repeat else "new")
    rules = replace(model.settings.ranking.rules, exclude_had=not wanted.repeat)
    config = replace(model.settings.ranking, rules=rules)
    if profile.shopper_id is None:
        config = replace(config, wish_weight=config.described_wish_weight)
    if wanted.of == "item":
        now_ms = milliseconds(profile.as_of) if profile.as_of else None
        made = list_items(
            recommender,
            asker(profile),
            model.shelf,
            k=wanted.k,
            config=config,
            occasion=Occasion(language=wanted.language, now_ms=now_ms),
            checked=wanted.is_checked,
        )
    else:
        made = list_values(
            recommender,
            asker(profile),
            model.catalogue,
            of=wanted.of,
            k=wanted.k,
            config=config,
            language=wanted.language,
        )
    slate = Slate(
        shopper_id=profile.shopper_id,
        model=model.name,
        slate_id=_slate_id(model.name, profile, wanted),
        items=made.rows,
        of=wanted.of,
        degraded=(*profile.degraded, *made.degraded),
    )
    return with_review_reasons(slate, profile.state, partial(tallies_of, model), language=wanted.language)


def asker(profile: Profile) -> Asker:
    """Return the shopper of a profile as the recommenders and the reasons see them."""
    known: Known = profile.state
    history = histories_from_states([known.state], known.contents)
    event_of = {event.key: event for event in known.state.events()}
    done = [event_of[int(key)] for key in history.event_keys]
    ids = [known.contents.event_id(event.key, shopper_id=profile.shopper_id) for event in done]
    deeds = Deeds(
        event_ids=ids if profile.shopper_id is not None else [None] * len(ids),
        types=history.types,
        item_rows=history.item_rows,
        texts=[known.contents.text(event.content) for event in done],
    )
    had_rows = np.array(sorted(known.state.bought_items()), dtype=np.int32)
    return Asker(history=history, deeds=deeds, had_rows=had_rows, stated=stated_in(profile))


def _slate_id(name: str, profile: Profile, wanted: Wanted) -> str:
    made_of = (
        profile.shopper_id or "",
        name,
        profile.version.position,
        profile.as_of,
        wanted.k,
        wanted.of,
        wanted.repeat,
    )
    return fingerprint_of(*(str(part) for part in made_of))


def alike(model: Model, row: int, *, k: int, language: str) -> Slate:
    """Return the items most like one; see `Model.similar`."""
    check_length(k)
    catalogue, item_id = model.catalogue, model.catalogue.item_ids[row]
    rows, cosines = model.index.like(
        row, model.vectors["fused"], k=k, allowed_I=catalogue.in_stock, group_rows=catalogue.group_rows
    )
    why = wording.said("alike", language=language, about=catalogue.title(row, language=language))
    items = tuple(
        Ranked(
            rank=place + 1,
            item_id=catalogue.item_ids[found],
            title=catalogue.title(found, language=language),
            score=float(cosines[place]),
            propensity=1.0,
            reasons=(
                Reason(kind="impersonal", text=why, item_id=item_id, contribution=float(cosines[place])),
            ),
        )
        for place, found in enumerate(rows.tolist())
    )
    slate_id = fingerprint_of("similar", item_id, model.name, str(k))
    return Slate(shopper_id=None, model=model.name, slate_id=slate_id, items=items)

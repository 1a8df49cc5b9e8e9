"""Lists from a model: what a shopper is recommended, and what is like an item."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.knowledge.rules import Ruling
from huaxiang.model.known import Known
from huaxiang.model.review_reasons import with_review_reasons
from huaxiang.model.reviews import tallies_of
from huaxiang.notes import note
from huaxiang.profile.update import milliseconds
from huaxiang.ranking import wording
from huaxiang.ranking.base import Deeds, Occasion
from huaxiang.ranking.rank import check_length
from huaxiang.ranking.ruled import Arranged, arranged, rule_reasons
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


def listed(model: Model, profile: Profile, wanted: Wanted, *, ruling: Ruling | None = None) -> Slate:
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
            occasion=Occasion(language=wanted.language, now_ms=now_ms, ruling=ruling),
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
            ruling=ruling,
        )
    slate = Slate(
        shopper_id=profile.shopper_id,
        model=model.name,
        slate_id=_slate_id(model.name, profile, wanted, ruling),
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


def _slate_id(name: str, profile: Profile, wanted: Wanted, ruling: Ruling | None) -> str:
    made_of = (
        profile.shopper_id or "",
        name,
        profile.version.position,
        profile.as_of,
        wanted.k,
        wanted.of,
        wanted.repeat,
        *(() if ruling is None else (ruling.tag,)),
    )
    return fingerprint_of(*(str(part) for part in made_of))


def alike(model: Model, row: int, *, k: int, language: str, ruling: Ruling | None = None) -> Slate:
    """Return the items most like one; see `Model.similar`."""
    check_length(k)
    catalogue, item_id = model.catalogue, model.catalogue.item_ids[row]
    vectors_ID, allowed_I = model.vectors["fused"], catalogue.in_stock & ~catalogue.gone
    if ruling is not None:
        allowed_I = allowed_I & ruling.allowed_I
    rows, cosines = model.index.like(
        row,
        vectors_ID,
        k=k if ruling is None else max(k, RULED_AMONG),
        allowed_I=allowed_I,
        group_rows=catalogue.group_rows,
    )
    free_I = allowed_I & (catalogue.group_rows != catalogue.group_rows[row])
    order = arranged(rows, cosines, ruling, catalogue, k=k, allowed_I=free_I)
    why = wording.said("alike", language=language, about=catalogue.title(row, language=language))
    cosine_of = dict(zip(rows.tolist(), cosines.tolist(), strict=True))
    items = tuple(
        Ranked(
            rank=place,
            item_id=catalogue.item_ids[one.row],
            title=catalogue.title(one.row, language=language),
            score=(cosine := cosine_of.get(one.row) or float(vectors_ID[one.row] @ vectors_ID[row]))
            + one.gain,
            propensity=1.0,
            reasons=_why_alike(one, ruling, why, item_id, cosine, language),
            is_pinned=one.pinned is not None,
        )
        for place, one in enumerate(order, 1)
    )
    tag = () if ruling is None else (ruling.tag,)
    slate_id = fingerprint_of("similar", item_id, model.name, str(k), *tag)
    is_emptied = ruling is not None and not items and bool((catalogue.in_stock & ~ruling.allowed_I).any())
    degraded = (note("rules_leave_none"),) if is_emptied else ()
    return Slate(shopper_id=None, model=model.name, slate_id=slate_id, items=items, degraded=degraded)


RULED_AMONG = 100
"""Nearest items among which boosts and caps of the shop's rules choose."""


def _why_alike(
    one: Arranged, ruling: Ruling | None, why: str, item_id: str, cosine: float, language: str
) -> tuple[Reason, ...]:
    """Return why an item stands beside another: it is like it, by itself or by a rule of the shop."""
    own = Reason(kind="impersonal", text=why, item_id=item_id, contribution=cosine)
    ruled = rule_reasons(ruling, one.row, pinned=one.pinned, gain=one.gain, language=language)
    return ruled if one.pinned is not None else (own, *ruled)

"""A query or a photo answered from a model: what was understood, what was found, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.bilingual import BilingualEncoder
from huaxiang.encoders.text import OnnxTextEncoder
from huaxiang.knowledge.rules import Ruling
from huaxiang.model.lists import asker
from huaxiang.model.search_answers import Page, Placed, Whom, facet_counts, listed_items, read_query
from huaxiang.notes import Note, note
from huaxiang.profile.update import milliseconds
from huaxiang.ranking.base import Case
from huaxiang.ranking.ruled import arranged, span_of
from huaxiang.ranking.stated import is_refused, likes_met
from huaxiang.records import Profile, Vector
from huaxiang.runs import fingerprint_of
from huaxiang.search.base import Query, SearchResult, Sort
from huaxiang.search.filters import allowed, having_values, within
from huaxiang.search.match import (
    Asked,
    Found,
    Rows,
    Sight,
    even,
    found_items,
    one_of_each,
    personal_order,
    worth,
)
from huaxiang.search.spelling import IsWord
from huaxiang.search.tokens import terms
from huaxiang.search.understand import Meant, Understood, understand

if TYPE_CHECKING:
    from huaxiang.model.whole import Model

OTHER_WORDING = 0.9
"""What a word counts that was not said, but names the same in another language."""
LIKELY = 0.3
"""Relevance, 0 to 1, below which what was found is hardly what was meant."""
MUCH_LESS = 0.6
"""Share of what relevance there is without a limit, below which the limit leaves nothing to the point."""
MOST_NAMED = 30
"""Of what is found, the best that are looked at for a title that is the query: nothing is more relevant."""
LONGER = 3
"""Times as long as the query a title may be that says the same."""
OUTRIGHT = 1_000.0
"""What lifts an item that the query names above everything that a rule can lift."""
_WORTH = {"category": 3.0, "brand": 2.0}
"""What naming a thing counts beside naming a quality of it."""


def searched(
    model: Model,
    query: Query,
    profile: Profile | None,
    *,
    now: datetime | None = None,
    clock: datetime | None = None,
) -> SearchResult:
    """Return the page of a search; see `Model.search`.

    Parameters
    ----------
    now
        Items on sale from later on are left out; None is the moment of the newest event.
    clock
        The moment by which the shop's rules go; None is `now`.
    """
    read = None if query.text is None else _understood(model, query)
    asked, notes = _asked(model, query, read)
    ruling = model.ruling(
        profile,
        query=query.text,
        now=clock or now,
        channel=query.channel,
        placement="search",
        language=query.language,
    )
    may_list_I = _on_sale(model, now or model.newest)
    if ruling is not None:
        may_list_I &= ruling.allowed_I
    found, further = _found(model, query, read, asked, may_list_I)
    if read is not None and query.image is None and model.relevance is not None:
        config = model.settings.search
        found = model.relevance.reordered(read.core, found, most=config.n_reordered, n_read=config.n_read)
    whom = _whom(model, query, profile)
    placed = _placed(model, query, read, found, whom, ruling)
    return SearchResult(
        shopper_id=None if profile is None else profile.shopper_id,
        model=model.name,
        slate_id=_slate_id(model, query, profile),
        query=None if read is None else read_query(model, read, query.language),
        n_found=len(placed),
        items=listed_items(
            model, Page(query=query, read=read, asked=asked, placed=placed, whom=whom, ruling=ruling)
        ),
        facets=facet_counts(model, np.array([one.row for one in placed], dtype=np.int64), query.language),
        is_personal=whom is not None and query.sort == "relevance",
        degraded=(*(() if profile is None else profile.degraded), *notes, *further),
    )


def real_words(model: Model) -> IsWord:
    """Return what knows a word of English, as the text encoder's tokenizer does."""
    encoder = model.text_encoder
    english = encoder.english if isinstance(encoder, BilingualEncoder) else encoder
    if not isinstance(english, OnnxTextEncoder):
        return lambda word: False
    return english.tokens.has_word


def _understood(model: Model, query: Query) -> Understood:
    return understand(
        query.text or "",
        values=model.population.values,
        vocabulary=model.search_index.vocabulary,
        is_word=real_words(model),
        verbatim=query.verbatim,
        currency=model.catalogue.currency,
    )


def _asked(model: Model, query: Query, read: Understood | None) -> tuple[Asked, tuple[Note, ...]]:
    """Return what is looked for as numbers, and what could not be read."""
    notes: list[Note | None] = []
    lexical_I = words = value_share_I = photo = None
    if read is not None:
        notes += [note("search_corrected", meant=one.meant, written=one.written) for one in read.corrections]
        if read.currency is not None:
            notes.append(note("other_currency", currency=read.currency, own=model.catalogue.currency))
        lexical_I = _lexical(model, read)
        value_share_I = _value_share(model, read.wanted)
        vector, problem = _plain_vector(model, read.core)
        words = Sight(vector=vector, index=model.text_index, vectors_ID=model.vectors["text"])
        notes.append(problem)
    if query.image is not None:
        seen, problem = _photo_vector(model, query)
        notes.append(problem)
        if seen is not None:
            photo = Sight(vector=seen, index=model.image_index, vectors_ID=model.vectors["image"])
    asked = Asked(lexical_I=lexical_I, words=words, photo=photo, value_share_I=value_share_I)
    return asked, tuple(one for one in notes if one is not None and one != note("by_student"))


def _plain_vector(model: Model, text: str) -> tuple[Vector, Note | None]:
    """Return the words' vector in the space of texts, which is finer than the fused one."""
    encoded = model.text_encoder.encode([text])
    return np.asarray(encoded.vectors_ID[0], dtype=np.float32), encoded.problems.get(0)


def _photo_vector(model: Model, query: Query) -> tuple[Vector | None, Note | None]:
    if model.image_encoder is None or "image" not in model.vectors:
        return None, note("no_photos")
    encoded = model.image_encoder.encode([query.image])
    if encoded.problems and not encoded.vectors_ID.any():
        return None, note("photo_unused", why=encoded.problems[0])
    return np.asarray(encoded.vectors_ID[0], dtype=np.float32), encoded.problems.get(0)


def _lexical(model: Model, read: Understood) -> Vector:
    """Return how much of the words each item has, by the wording that it has most of, (I,)."""
    index = model.search_index.lexical
    scores_I = index.scores(read.wordings[0]) if read.wordings else np.zeros(index.n_items, np.float32)
    for wording in read.wordings[1:]:
        scores_I = np.maximum(scores_I, np.float32(OTHER_WORDING) * index.scores(wording))
    return scores_I


def _covered(model: Model, read: Understood) -> Vector:
    """Return how much of the words each item has, by the wording of which it has most, 0 to 1, (I,)."""
    index = model.search_index.lexical
    covered_I = np.zeros(index.n_items, np.float32)
    for wording in read.wordings:
        covered_I = np.maximum(covered_I, index.covered(wording))
    return covered_I


def _value_share(model: Model, wanted: Sequence[Meant]) -> Vector | None:
    """Return how much of what is named each item has, 0 to 1, (I,); None where no item has any of it."""
    values, catalogue = model.population.values, model.catalogue
    share_I, worth = np.zeros(catalogue.n_items, dtype=np.float32), 0.0
    for one in wanted:
        has_I = having_values(catalogue, values, one.values)
        if has_I.any():
            weight = max(_WORTH.get(values.dimension(value), 1.0) for value in one.values)
            share_I += weight * has_I
            worth += weight
    return share_I / np.float32(worth) if worth else None


def _found(
    model: Model, query: Query, read: Understood | None, asked: Asked, on_sale_I: NDArray[np.bool_]
) -> tuple[Found, tuple[Note, ...]]:
    """Return what was found within all that was asked, else with less, and what was let go."""
    config, catalogue = model.settings.search, model.catalogue
    narrow_I = allowed(catalogue, query.filters) & on_sale_I
    tried = [
        (found_items(asked, allowed_I, config), notes) for allowed_I, notes in _relaxed(model, read, narrow_I)
    ]
    best = max((_best(found) for found, _ in tried), default=0.0)
    for found, notes in tried:
        if len(found.rows) and _best(found) >= MUCH_LESS * best:
            return found, (*notes, *_how_near(asked, found))
    found = tried[0][0]
    if query.filters.values or query.filters.min_minor is not None or query.filters.max_minor is not None:
        everything = found_items(asked, on_sale_I & ~catalogue.gone, config)
        if len(everything.rows):
            n = len(one_of_each(everything.rows, catalogue.group_rows))
            return found, (note("search_filtered", n=n),)
        return found, (note("search_nothing"),)
    return _popular(model, narrow_I), (note("search_popular"),)


def _best(found: Found) -> float:
    return float(found.relevance[0]) if len(found.rows) else 0.0


def _relaxed(
    model: Model, read: Understood | None, narrow_I: NDArray[np.bool_]
) -> list[tuple[NDArray[np.bool_], tuple[Note, ...]]]:
    """Return what the words allow, then without their price, then without what they refuse."""
    if read is None:
        return [(narrow_I, ())]
    values = model.population.values
    refused_I = np.zeros(model.catalogue.n_items, dtype=np.bool_)
    for one in read.refused:
        refused_I |= having_values(model.catalogue, values, one.values)
    priced_I = within(model.catalogue, read.min_minor, read.max_minor)
    steps = [(narrow_I & priced_I & ~refused_I, ())]
    if read.min_minor is not None or read.max_minor is not None:
        steps.append((narrow_I & ~refused_I, (note("search_without_price"),)))  # type: ignore[arg-type]
    if read.refused:
        steps.append((narrow_I, (note("search_without_refusals"),)))  # type: ignore[arg-type]
    return steps  # type: ignore[return-value]


def _how_near(asked: Asked, found: Found) -> tuple[Note, ...]:
    if asked.lexical_I is None or asked.photo is not None:
        return ()
    if not asked.lexical_I[found.rows].any():
        return (note("search_by_meaning"),)
    return () if _best(found) >= LIKELY else (note("search_unlikely"),)


def _on_sale(model: Model, now: datetime | None) -> NDArray[np.bool_]:
    if now is None:
        return np.ones(model.catalogue.n_items, dtype=np.bool_)
    return np.asarray(model.catalogue.valid_from_ms <= milliseconds(now))


def _popular(model: Model, allowed_I: NDArray[np.bool_]) -> Found:
    rows = np.flatnonzero(allowed_I)
    rows = rows[np.argsort(-model.popularity[rows], kind="stable")]
    return Found(rows=rows, relevance=np.zeros(len(rows), dtype=np.float32))


def _whom(model: Model, query: Query, profile: Profile | None) -> Whom | None:
    """Return whom the search is for; None where that is nobody, or should have no part in it."""
    strength = model.settings.search.strength if query.strength is None else query.strength
    if profile is None or strength == 0:
        return None
    who = asker(profile)
    if not len(who.history.item_rows) and not who.stated.liked and not who.stated.refused:
        return None
    scores_I, effects, own = model.recommenders.new.scores_with_members(who.history)
    return Whom(
        case=Case(
            scores_I=scores_I, effects=effects, deeds=who.deeds, had_rows=who.had_rows, stated=who.stated
        ),
        again_I=model.recommenders.all.score_beside(who.history, own),
        strength=strength,
    )


def _placed(
    model: Model,
    query: Query,
    read: Understood | None,
    found: Found,
    whom: Whom | None,
    ruling: Ruling | None,
) -> list[Placed]:
    """Return what was found in the order asked for, one variant of each product, as rules have it."""
    is_exact_N = _exact(model, read, found)
    if query.sort != "relevance":
        order = _sorted(model, query.sort, found.rows)
        return _first_variants(model, found.take(order), is_exact_N[order])
    fit_N = np.zeros(len(found.rows), dtype=np.float32) if whom is None else _fit(model, whom, found.rows)
    is_by_words = whom is not None and read is not None and query.image is None  # looks need no words
    worth_N = worth(
        found,
        fit_N,
        strength=0.0 if whom is None else whom.strength,
        covered_N=_covered(model, read)[found.rows] if is_by_words and read else None,
    )
    order = personal_order(found, worth_N, is_exact_N)
    placed = _first_variants(model, found.take(order), is_exact_N[order])
    if ruling is None:
        return placed
    worth_of = dict(zip(found.rows.tolist(), worth_N.tolist(), strict=True))
    return _ruled(model, placed, ruling, worth_of)


def _ruled(
    model: Model, placed: Sequence[Placed], ruling: Ruling, worth_of: Mapping[int, float]
) -> list[Placed]:
    """Return what was found as rules have it; what is named outright stays above what they lift."""
    rows = np.array([one.row for one in placed], dtype=np.int64)
    worth_N = np.array([worth_of[row] for row in rows.tolist()], dtype=np.float32)
    gain_N = np.zeros(len(rows), dtype=np.float32)
    if ruling.boosts_I is not None and len(rows):
        gain_N = span_of(worth_N) * ruling.boosts_I[rows]
    above_N = OUTRIGHT * np.array([one.is_exact for one in placed], dtype=np.float32)
    known = {one.row: replace(one, gain=float(gain)) for one, gain in zip(placed, gain_N, strict=True)}
    order = arranged(
        rows,
        worth_N + gain_N + above_N,
        replace(ruling, boosts_I=None),
        model.catalogue,
        k=len(rows) + sum(pin.most for pin in ruling.pins),
        allowed_I=ruling.allowed_I & model.catalogue.in_stock & ~model.catalogue.gone,
    )
    return [
        replace(known.get(one.row, Placed(row=one.row, relevance=0.0)), pinned=one.pinned) for one in order
    ]


def _first_variants(model: Model, found: Found, is_exact_N: NDArray[np.bool_]) -> list[Placed]:
    return [
        Placed(row=int(found.rows[at]), relevance=float(found.relevance[at]), is_exact=bool(is_exact_N[at]))
        for at in one_of_each(found.rows, model.catalogue.group_rows).tolist()
    ]


def _sorted(model: Model, sort: Sort, rows: Rows) -> Rows:
    """Return the places of items by price, date or popularity; those without a price last."""
    prices_N = model.catalogue.price_minor[rows]
    keys = {
        "price": np.where(prices_N < 0, np.iinfo(np.int64).max, prices_N),
        "-price": -prices_N,
        "newest": -model.catalogue.valid_from_ms[rows],
        "popular": -model.popularity[rows],
    }
    return np.argsort(keys[sort], kind="stable").astype(np.int64)


def _fit(model: Model, whom: Whom, rows: Rows) -> Vector:
    """Return how well items fit the shopper: what they did, and what they asked for or refused.

    Both recommenders are asked, that of new items and that of all, and count alike. They differ most about
    what the shopper had: there the second counts as much as people of this shop buy again.
    """
    new_N, again_N = even(whom.case.scores_I[rows]), even(whom.again_I[rows])
    groups = model.catalogue.group_rows
    had_N = np.isin(groups[rows], groups[whom.case.had_rows])
    fit_N = new_N + np.where(had_N, model.population.repeat_share, 0.5) * (again_N - new_N)
    stated = whom.case.stated
    if stated.liked:
        fit_N = fit_N + likes_met(model.catalogue, stated)[rows]
    if stated.refused:
        fit_N = fit_N - is_refused(model.catalogue, stated)[rows]
    return np.asarray(fit_N, dtype=np.float32)


def _exact(model: Model, read: Understood | None, found: Found) -> NDArray[np.bool_]:
    """Return which items the query names: by their id, or by a whole title in any language."""
    is_exact_N = np.zeros(len(found.rows), dtype=np.bool_)
    if read is None:
        return is_exact_N
    named = model.catalogue.row_of.get(read.text)
    if named is not None:
        is_exact_N |= found.rows == named
    asked, index = terms(read.searched), model.search_index.lexical
    is_told = all(index.has(term) for term in asked)  # words that all titles share are in no index
    for place in np.flatnonzero(found.relevance >= LIKELY)[:MOST_NAMED].tolist():
        row = int(found.rows[place])
        if is_told and not index.has_all(asked, row):
            continue
        titles = (title[row] for title in model.catalogue.titles.values())
        is_exact_N[place] |= any(
            terms(title) == asked for title in titles if len(title) <= LONGER * len(read.searched)
        )
    return is_exact_N


def _slate_id(model: Model, query: Query, profile: Profile | None) -> str:
    photo = query.image if isinstance(query.image, bytes) else str(query.image).encode()
    bare = repr([getattr(query, one.name) for one in fields(query) if one.name != "image"])
    who = "" if profile is None else f"{profile.shopper_id} {profile.version} {profile.as_of}"
    return fingerprint_of("search", model.name, who, bare, photo.hex())

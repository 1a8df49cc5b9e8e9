"""A state becomes a profile: everything it shows, as of one moment, by reading and without learning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from huaxiang.knowledge.graph.tree import FAMILY
from huaxiang.notes import Note, note
from huaxiang.profile.activity import activity_of
from huaxiang.profile.acts import DAY_MS, Acts, acts_of
from huaxiang.profile.cite import Citations
from huaxiang.profile.contents import Contents
from huaxiang.profile.corrections import corrections_of
from huaxiang.profile.facets import Tally, choose, item_entries, joined, said_entries, tally
from huaxiang.profile.families import raised
from huaxiang.profile.findings import (
    Finding,
    corrected_findings,
    counted_findings,
    in_order,
    is_comparable,
    limit_findings,
)
from huaxiang.profile.intent import intent_of
from huaxiang.profile.interests import Direction, Things, directions, importance, things_of
from huaxiang.profile.population import Population
from huaxiang.profile.portrait import Claim, Ground, claims_of, portrait_of
from huaxiang.profile.reference import Reference
from huaxiang.profile.said import Heard, hear
from huaxiang.profile.sensitive import without_sensitive
from huaxiang.profile.sentences import LANGUAGES
from huaxiang.profile.state import ProfileState
from huaxiang.profile.update import milliseconds
from huaxiang.profile.values import Values
from huaxiang.profile.vector import profile_vector
from huaxiang.profile.weights import DEFAULTS, Config
from huaxiang.records import Facet, Interest, Matrix, Profile, Vector, Version
from huaxiang.shop.catalogue import Catalogue

NOBODY = Reference.empty()
NO_VERSION = Version(position=0, model="", catalogue="")


class Derived(NamedTuple):
    """A profile, and the claims its portrait was made from."""

    profile: Profile
    claims: tuple[Claim, ...]


@dataclass(frozen=True, kw_only=True)
class Background:
    """What a profile is a function of besides a shopper's events: the shop, and how it is to be read.

    Parameters
    ----------
    population
        Shares of everybody, made for the same `catalogue`.
    contents
        Where the words and photos of events are looked up.
    item_vectors_ID
        Fused item vectors, (I, D), rows of unit length or zero.
    now
        Moment from which ages are counted; None (only where the shop knows only an order) counts none.
    version
        What the profile says that it was made by.
    reference
        The other shoppers, whom the vector measures against.
    """

    catalogue: Catalogue
    population: Population
    contents: Contents
    item_vectors_ID: Matrix
    now: datetime | None
    version: Version = NO_VERSION
    config: Config = DEFAULTS
    reference: Reference = NOBODY


def derive_profile(
    state: ProfileState,
    background: Background,
    *,
    shopper_id: str | None = None,
    consent: Mapping[str, bool] | None = None,
    described: bool = False,
    with_vector: bool = True,
) -> Profile:
    """Return everything that the events in `state` show as of the background's `now`, the sensitive left out.

    The profile's own `state` is without them too, so that lists are made from what it shows.

    Parameters
    ----------
    described
        The events are a description and stand in no log: evidence is its words and its photo.
    with_vector
        Whether the profile's vector is wanted; without, it has no numbers and comes sooner.
    """
    return derive(
        state,
        background,
        shopper_id=shopper_id,
        consent=consent,
        described=described,
        with_vector=with_vector,
    ).profile


def derive(
    state: ProfileState,
    background: Background,
    *,
    shopper_id: str | None = None,
    consent: Mapping[str, bool] | None = None,
    described: bool = False,
    with_vector: bool = True,
) -> Derived:
    """Return the profile together with its claims; see `derive_profile`."""
    catalogue, contents, now = background.catalogue, background.contents, background.now
    population, config, item_vectors_ID = background.population, background.config, background.item_vectors_ID
    values = population.values
    if not described:  # who asks for something in so many words is nobody in particular
        state = without_sensitive(state, values.sensitive(config), contents)
    acts = acts_of(state, n_items=catalogue.n_items, now_ms=now_in_ms(state, now), config=config)
    heard = hear(acts, values, contents, item_vectors_ID=item_vectors_ID, config=config)
    cite = Citations(acts, heard, contents, shopper_id=shopper_id, described=described)
    findings = find_facets(acts, heard, cite, population, contents, now=now, config=config)
    things, found = find_interests(acts, contents, item_vectors_ID, config)
    facets = tuple(finding.facet for finding in findings)
    cite.look_up(row for direction in found for row in direction.rows)
    intent = None  # a description is no visit
    if not described:
        intent = intent_of(state, catalogue=catalogue, contents=contents, now=now, cite=cite.events)
    claims = claims_of(findings, found, intent, Ground(values, acts, cite, config, now))
    profile = Profile(
        shopper_id=shopper_id,
        as_of=now,
        version=background.version,
        n_events=state.totals.n_events or len(acts),
        facets=facets,
        interests=name_interests(found, values, cite),
        intent=intent,
        activity=activity_of(state, now=now, currency=catalogue.currency),
        portrait=portrait_of(claims),
        vector=_vector(state, acts, things, facets, background) if with_vector else np.zeros(0, np.float32),
        consent=dict(consent or {}),
        degraded=notes_on(heard, catalogue),
        state=state,
    )
    return Derived(profile, claims)


def derive_vector(state: ProfileState, background: Background) -> Vector:
    """Return the vector of `derive_profile` alone, float32, (512,), without what else a profile says."""
    values, config = background.population.values, background.config
    contents, now = background.contents, background.now
    state = without_sensitive(state, values.sensitive(config), contents)
    now_ms = now_in_ms(state, now)
    acts = acts_of(state, n_items=background.catalogue.n_items, now_ms=now_ms, config=config)
    heard = hear(acts, values, contents, item_vectors_ID=background.item_vectors_ID, config=config)
    cite = Citations(acts, heard, contents, shopper_id=None, described=False)
    findings = find_facets(acts, heard, cite, background.population, contents, now=now, config=config)
    things = find_things(acts, contents, background.item_vectors_ID, config)
    return _vector(state, acts, things, [finding.facet for finding in findings], background)


def _vector(
    state: ProfileState, acts: Acts, things: Things, facets: Sequence[Facet], background: Background
) -> Vector:
    values = background.population.values
    return profile_vector(
        state,
        acts,
        things,
        [facet for facet in facets if facet.dimension != FAMILY],  # no more than its categories say there
        reference=background.reference,
        values=values,
        hidden=values.sensitive(background.config).items,
    )


def now_in_ms(state: ProfileState, now: datetime | None) -> int:
    """Return `now` in milliseconds; 0 where the shop knows only an order."""
    return 0 if state.order_only or now is None else milliseconds(now)


def count(acts: Acts, heard: Heard, population: Population, *, now: datetime | None, config: Config) -> Tally:
    """Return the posterior of every value that the events name."""
    values = population.values
    rates_D = values.decay_rates(config)
    entries = item_entries(acts, values, rates_D=rates_D)
    if heard.said:
        entries = joined(entries, said_entries(acts, heard.said, values, rates_D=rates_D))
    if config.upwards and values.families:
        entries = joined(entries, raised(entries, values.families))
    day = None if now is None or acts.order_only else milliseconds(now) // DAY_MS
    return tally(
        entries, values, prior_V=population.shares(day), alpha_D=population.alpha(config), config=config
    )


def find_facets(
    acts: Acts,
    heard: Heard,
    cite: Citations,
    population: Population,
    contents: Contents,
    *,
    now: datetime | None,
    config: Config,
) -> list[Finding]:
    """Return the facets: corrected before stated before inferred, each by lift × share."""
    values = population.values
    counted = count(acts, heard, population, now=now, config=config)
    chosen = choose(counted, values, config=config)
    findings = counted_findings(counted, chosen, values, acts, cite, config=config)
    findings += limit_findings(heard, acts, cite, currency=values.catalogue.currency, config=config)
    corrections = corrections_of(acts, contents)
    findings += corrected_findings(corrections, values, acts, cite, population.shares())
    return in_order(findings, corrections)


def find_interests(
    acts: Acts, contents: Contents, item_vectors_ID: Matrix, config: Config
) -> tuple[Things, list[Direction]]:
    """Return the things the events are about, and the directions in which they lie."""
    things = find_things(acts, contents, item_vectors_ID, config)
    return things, directions(things, config=config)


def find_things(acts: Acts, contents: Contents, item_vectors_ID: Matrix, config: Config) -> Things:
    """Return the heaviest things that the events are about."""
    most = config.interest_items
    return things_of(acts, contents, importance(acts, config), item_vectors_ID=item_vectors_ID, most=most)


def name_interests(found: Sequence[Direction], values: Values, cite: Citations) -> tuple[Interest, ...]:
    """Return the directions as interests with a name and a typical item in each language, and evidence."""
    return tuple(_interest(direction, values, cite) for direction in found)


def _interest(direction: Direction, values: Values, cite: Citations) -> Interest:
    catalogue, item = values.catalogue, direction.item
    own = catalogue.languages[0] if catalogue.languages else "en"
    languages = dict.fromkeys((own, *LANGUAGES))
    picked = _quality_and_thing(direction, values)
    titles = {lang: catalogue.title(item, language=lang) for lang in languages} if item >= 0 else {}
    names = {
        lang: _joined([values.label(value, language=lang) for value in picked], lang)
        or titles.get(lang, "")
        or cite.words(direction.rows)
        for lang in languages
    }
    return Interest(
        name=names[own],
        weight=direction.weight,
        item_id=catalogue.item_ids[item] if item >= 0 else None,
        title=titles.get(own),
        evidence=cite.events(direction.rows),
        names={lang: names[lang] for lang in LANGUAGES},
        titles={lang: titles[lang] for lang in LANGUAGES if titles},
        vector=direction.vector,
    )


def _quality_and_thing(direction: Direction, values: Values) -> list[int]:
    """Return what most of the interest's items have in common: a quality and the thing, as in "red dress"."""
    shared = _common_values(direction, values)
    kinds = [values.dimension(value) for value in shared]
    picked = [
        shared[kinds.index(kind)] for kind in ("colour", "style", "material", "brand") if kind in kinds
    ][:1]
    picked += [shared[kinds.index(kind)] for kind in ("category", "image_tag") if kind in kinds][:1]
    return picked


def _joined(labels: Sequence[str], language: str) -> str:
    """Return the labels as one name; Chinese leaves no space between its words."""
    is_chinese = language == "zh" and not all(label.isascii() for label in labels)
    return ("" if is_chinese else " ").join(labels)


def _common_values(direction: Direction, values: Values, *, least: float = 0.5) -> list[int]:
    """Return the values that at least half of the interest's items have, the most frequent first."""
    counts: Counter[int] = Counter()
    for item in direction.items.tolist():
        counts.update(values.value_N[values.offsets[item] : values.offsets[item + 1]].tolist())
    return [value for value, n in counts.most_common() if n >= least * len(direction.items)]


def notes_on(heard: Heard, catalogue: Catalogue) -> tuple[Note, ...]:
    """Return what of the words and photos could not be used."""
    notes: list[Note] = []
    if heard.n_unknown:
        notes.append(note("not_stored", n=heard.n_unknown))
    other = {str(limit.currency) for _, limit in heard.limits if not is_comparable(limit, catalogue.currency)}
    notes += [note("other_currency", currency=currency, own=catalogue.currency) for currency in sorted(other)]
    return tuple(notes)

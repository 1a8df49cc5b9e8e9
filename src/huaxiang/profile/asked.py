"""The part of a profile that a list keeps to: what the shopper stated and set right."""

from __future__ import annotations

from datetime import datetime

from huaxiang.notes import Note
from huaxiang.profile.acts import acts_of
from huaxiang.profile.cite import Citations
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import find_facets, notes_on, now_in_ms
from huaxiang.profile.population import Population
from huaxiang.profile.said import hear
from huaxiang.profile.state import ProfileState
from huaxiang.profile.weights import DEFAULTS, Config
from huaxiang.records import EventType, Facet, Matrix

_ASKING = frozenset({EventType.STATE.code, EventType.CORRECT.code})


def asked_facets(
    state: ProfileState,
    *,
    population: Population,
    contents: Contents,
    item_vectors_ID: Matrix,
    now: datetime | None,
    shopper_id: str | None = None,
    config: Config | None = None,
) -> tuple[tuple[Facet, ...], tuple[Note, ...]]:
    """Return the stated and corrected facets of `derive_profile`, and what of them could not be used.

    Most shoppers never said anything: for them this costs a look at the types of their events.
    """
    if not any(event.type in _ASKING for event in state.strong):
        return (), ()
    config = config or DEFAULTS
    values = population.values
    acts = acts_of(state, n_items=values.catalogue.n_items, now_ms=now_in_ms(state, now), config=config)
    heard = hear(acts, values, contents, item_vectors_ID=item_vectors_ID, config=config)
    cite = Citations(acts, heard, contents, shopper_id=shopper_id, described=False)
    found = find_facets(acts, heard, cite, population, contents, now=now, config=config)
    facets = tuple(finding.facet for finding in found if finding.facet.source != "inferred")
    return facets, notes_on(heard, values.catalogue)

"""Evidence is tested by taking it away: what it carries must vanish or weaken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from huaxiang.profile.derive import Background, Derived, derive
from huaxiang.profile.state import ProfileState
from huaxiang.profile.update import event_key
from huaxiang.records import EventType, Evidence, Facet

_PURCHASE = EventType.PURCHASE.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """How many claims were tested by removal, and how many vanished or weakened.

    `failures` names those that did neither, as (what is claimed, strength before, strength after).
    """

    n_facets: int = 0
    n_facets_held: int = 0
    n_sentences: int = 0
    n_sentences_held: int = 0
    failures: tuple[tuple[str, float, float], ...] = ()

    @property
    def share(self) -> float:
        """The share of facets and sentences whose evidence carries them; 1 where there are none."""
        tested = self.n_facets + self.n_sentences
        return (self.n_facets_held + self.n_sentences_held) / tested if tested else 1.0

    def plus(self, other: Audit) -> Audit:
        """Return both audits as one."""
        return Audit(
            n_facets=self.n_facets + other.n_facets,
            n_facets_held=self.n_facets_held + other.n_facets_held,
            n_sentences=self.n_sentences + other.n_sentences,
            n_sentences_held=self.n_sentences_held + other.n_sentences_held,
            failures=self.failures + other.failures,
        )


def without(state: ProfileState, keys: Collection[int]) -> ProfileState:
    """Return the state as it were had these of its events not happened.

    Lifetime sums lose what the events themselves show: their number, units and times. Spend and orders can't
    be told from a state, so they stay.
    """
    gone = set(keys)
    strong = tuple(event for event in state.strong if event.key not in gone)
    light = tuple(event for event in state.light if event.key not in gone)
    removed = [event for event in state.strong + state.light if event.key in gone]
    kept_ms = [event.occurred_ms for event in strong + light]
    units = sum(event.quantity for event in removed if event.type == _PURCHASE)
    totals = state.totals._replace(
        n_events=max(0, state.totals.n_events - len(removed)),
        n_units=max(0, state.totals.n_units - units),
        last_seen_ms=max(kept_ms, default=state.totals.first_seen_ms),
    )
    return replace(state, strong=strong, light=light, totals=totals)


def strength(facet: Facet) -> float:
    """Return how strongly a facet claims its value: confidence × share."""
    return facet.confidence * facet.share


def audit_facets(states: Iterable[ProfileState], background: Background) -> Audit:
    """Take the evidence of every facet and every sentence away, and count what vanished or weakened."""
    audit = Audit()
    for state in states:
        audit = audit.plus(audit_state(state, lambda changed: derive(changed, background)))
    return audit


def audit_state(state: ProfileState, derived: Callable[[ProfileState], Derived]) -> Audit:
    """Audit one shopper; profiles without the same evidence are derived once."""
    before = derived(state)
    made: dict[frozenset[int], Derived] = {}

    def after(evidence: tuple[Evidence, ...]) -> Derived:
        keys = frozenset(_key(one) for one in evidence)
        if keys not in made:
            made[keys] = derived(without(state, keys))
        return made[keys]

    audit = Audit()
    for facet in before.profile.facets:
        left = {_name(other): strength(other) for other in after(facet.evidence).profile.facets}
        audit = audit.plus(_facet_audit(facet, left.get(_name(facet), 0.0)))
    for claim in before.claims:
        left_claims = {other.key: other.strength for other in after(claim.evidence).claims}
        audit = audit.plus(_claim_audit(claim.key, claim.strength, left_claims.get(claim.key, 0.0)))
    return audit


def _key(evidence: Evidence) -> int:
    """Return the key of an event's id; ids that are no longer stored are written as their key."""
    event_id = evidence.event_id or ""
    return int(event_id[4:], 16) if event_id.startswith("key:") else event_key(event_id)


def _name(facet: Facet) -> tuple[str, str, str]:
    return facet.dimension, facet.value, facet.side


def _facet_audit(facet: Facet, left: float) -> Audit:
    held = left < strength(facet)
    failures = () if held else ((" ".join(_name(facet)), strength(facet), left),)
    return Audit(n_facets=1, n_facets_held=held, failures=failures)


def _claim_audit(key: tuple[str, ...], before: float, left: float) -> Audit:
    held = left < before
    return Audit(
        n_sentences=1, n_sentences_held=held, failures=() if held else ((" ".join(key), before, left),)
    )

"""Every claim rests on its evidence: the law is tried on any history."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from boutique import NOW, Diary, diary
from huaxiang.profile.removal import Audit, audit_facets, without

KINDS = ("view_item", "add_to_cart", "remove_from_cart", "purchase", "refund", "rate", "dislike", "review")
SAYINGS = ("red dress", "no leather", "不要红色", "Nike under 50", "I like red but not blue", "blue boots")

item_events = st.tuples(
    st.floats(0, 400), st.sampled_from(KINDS), st.integers(0, 7), st.sampled_from((0, 10, 30, 50))
)
word_events = st.tuples(st.floats(0, 400), st.sampled_from(("search", "state")), st.sampled_from(SAYINGS))
corrections = st.tuples(
    st.sampled_from(("Nike", "Acme")), st.sampled_from(("liked", "disliked", "withdrawn"))
)


@settings(max_examples=60)
@given(
    st.lists(item_events, max_size=40), st.lists(word_events, max_size=5), st.lists(corrections, max_size=3)
)
def test_without_its_evidence_every_claim_vanishes_or_weakens(acts, words, corrected) -> None:
    made = Diary()
    for days_ago, kind, item, rating in acts:
        made.add(days_ago, kind, item, rating=rating if kind in ("rate", "review", "refund") else 0)
    for event in words:
        made.add(*event)
    for n, (brand, side) in enumerate(corrected):
        made.add(3 - n, "correct", dimension="brand", value=brand, side=side)
    audit = audit_facets([made.state()], made.background())
    assert audit.failures == ()
    assert audit.share == 1.0


def test_a_claim_of_absence_falls_when_an_event_is_added() -> None:
    made = diary((200, "purchase", 0), (100, "purchase", 1))
    assert any(claim.key[0] == "absent" for claim in made.derived().claims)
    made.add(0, "view_item", 2)
    assert not any(claim.key[0] == "absent" for claim in made.derived().claims)


def test_a_claim_of_absence_names_every_event_of_the_last_moment() -> None:
    made = diary((60, "search", "red dress"), (60, "search", "red dress"))
    assert audit_facets([made.state()], made.background()).failures == ()


def test_no_claim_is_made_below_the_least_confidence() -> None:
    derived = diary((0, "purchase", 0), (90, "view_item", 3)).derived()
    sure = {one.value: one.confidence for one in derived.profile.facets}
    named = [claim.key[3] for claim in derived.claims if claim.key[0] == "facet"]
    assert all(sure[value] >= 0.3 for value in named)


def test_without_takes_events_out_of_sets_and_sums() -> None:
    made = diary((2, "purchase", 0), (1, "purchase", 1))
    state = made.state()
    left = without(state, {state.events()[1].key})
    assert [event.item_no for event in left.events()] == [0]
    assert left.totals.n_events == 1
    assert left.totals.last_seen_ms == left.events()[0].occurred_ms


def test_audits_add_up() -> None:
    both = Audit(n_facets=2, n_facets_held=2).plus(Audit(n_sentences=2, n_sentences_held=1))
    assert both.share == 0.75 and Audit().share == 1.0
    assert NOW.tzinfo is not None

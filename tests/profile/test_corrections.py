"""The shopper overrules what was inferred, until they withdraw it."""

from __future__ import annotations

from boutique import Diary, diary, facet
from huaxiang.profile.constraints import stated_constraints
from huaxiang.records import Profile


def corrected(*sides: str) -> Profile:
    made = diary(*[(20 + n, "purchase", 0) for n in range(4)])
    for n, side in enumerate(sides):
        made.add(10 - n, "correct", dimension="brand", value="Nike", side=side)
    return made.derived().profile


def test_a_correction_sets_the_value_outright() -> None:
    nike = facet(corrected("disliked"), "brand", "Nike", "disliked")
    assert nike is not None
    assert (nike.share, nike.confidence, nike.source) == (1.0, 1.0, "corrected")
    assert [one.event_id for one in nike.evidence] == ["e-4"]


def test_what_was_inferred_is_no_longer_said() -> None:
    assert facet(corrected("disliked"), "brand", "Nike", "liked") is None


def test_a_withdrawn_correction_gives_the_inference_back() -> None:
    nike = facet(corrected("disliked", "withdrawn"), "brand", "Nike", "liked")
    assert nike is not None and nike.source == "inferred"


def test_the_newest_correction_counts() -> None:
    assert facet(corrected("disliked", "liked"), "brand", "Nike", "liked").source == "corrected"


def test_repeated_corrections_are_all_evidence() -> None:
    assert len(facet(corrected("liked", "liked"), "brand", "Nike").evidence) == 2


def test_corrections_come_first() -> None:
    assert corrected("disliked").facets[0].source == "corrected"


def test_a_value_nobody_sells_can_be_corrected() -> None:
    made = Diary()
    made.add(0, "correct", dimension="brand", value="Unknown & Sons", side="liked")
    assert facet(made.derived().profile, "brand", "Unknown & Sons") is not None


def test_constraints_hold_what_was_corrected() -> None:
    assert stated_constraints(corrected("disliked")).excluded == {("brand", "Nike")}

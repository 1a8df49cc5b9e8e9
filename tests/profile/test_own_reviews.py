"""Own reviews as facets: what is praised and blamed again and again, with the reviews as evidence."""

from __future__ import annotations

from huaxiang.model import Model
from huaxiang.profile.own_reviews import REVIEW_ASPECT, sides_of
from huaxiang.records import Event, EventType, Facet, Profile, Value


def reviewed(model: Model, n: int, text: str, rating: float) -> Event:
    return Event(
        event_id=f"own-{n}",
        shopper_id="rita",
        type=EventType.REVIEW,
        item_id=model.catalogue.item_ids[n],
        text=text,
        occurred_at=model.newest,
        received_at=model.newest,
        value=Value(rating=rating),
    )


def aspects_of(profile: Profile) -> dict[tuple[str, str], Facet]:
    return {(facet.value, facet.side): facet for facet in profile.facets if facet.dimension == REVIEW_ASPECT}


def test_a_review_is_read_in_both_languages() -> None:
    assert sides_of("面料很好，就是尺码偏小。") == (("fabric", 0), ("fit", 1))
    assert sides_of("😀") == ()


def test_what_own_reviews_judge_is_a_facet_with_its_evidence(small_model: Model) -> None:
    for n in range(4):
        small_model.learn(reviewed(small_model, n, "The fabric is thin.", 2.0))
    small_model.learn(reviewed(small_model, 4, "True to size.", 5.0))
    profile = small_model.profile("rita")
    found = aspects_of(profile)
    assert found.keys() == {("fabric", "disliked"), ("fit", "liked")}
    assert {one.event_id for one in found["fabric", "disliked"].evidence} <= {f"own-{n}" for n in range(4)}
    assert [one.event_id for one in found["fit", "liked"].evidence] == ["own-4"]
    said = {language: [one.text for one in profile.portrait[language]] for language in ("en", "zh")}
    assert any("complains" in text and "material" in text for text in said["en"])
    assert any("面料" in text for text in said["zh"])

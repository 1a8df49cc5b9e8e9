"""Reasons that say how the listed item stands to the one they name."""

from __future__ import annotations

import numpy as np
import pytest

from boutique import CATALOGUE
from huaxiang.ranking.base import Deeds
from huaxiang.ranking.reasons import personal_reasons
from huaxiang.records import EventType, Reason

DEEDS = Deeds(
    event_ids=["e-0", "e-1", "e-2"],
    types=np.array([EventType.PURCHASE.code, EventType.VIEW_ITEM.code, EventType.REVIEW.code], np.uint8),
    item_rows=np.array([0, 1, 2], np.int32),
    texts=[None, None, None],
)


def reasons(relation: str | None, language: str = "en") -> tuple[Reason, ...]:
    return personal_reasons(
        DEEDS,
        [0, 1, 2],
        np.array([0.3, 0.2, 0.1], np.float32),
        CATALOGUE,
        language=language,
        relation_to=lambda row: relation,
    )


@pytest.mark.parametrize(
    ("relation", "language", "texts"),
    [
        (
            "complement",
            "en",
            ["Completes red dress, which you bought", "Goes with blue dress, which you looked at"],
        ),
        ("complement", "zh", ["与您买过的商品0搭配", "与您看过的商品1搭配"]),
        (
            "substitute",
            "en",
            ["Like red dress, which you bought", "An alternative to blue dress, which you looked at"],
        ),
        ("substitute", "zh", ["与您买过的商品0相似", "可替代您看过的商品1"]),
    ],
)
def test_the_words_say_how_the_items_stand(relation: str, language: str, texts: list[str]) -> None:
    assert [one.text for one in reasons(relation, language)[:2]] == texts
    assert [one.relation for one in reasons(relation, language)[:2]] == [relation, relation]
    assert reasons(relation)[0].as_json()["relation"] == relation


def test_what_has_no_words_of_its_own_is_said_as_before() -> None:
    plain = reasons(None)
    assert reasons("complement")[2] == plain[2]
    assert "relation" not in plain[0].as_json()


def test_the_events_and_what_they_add_are_the_same_whatever_is_said() -> None:
    for said, plain in zip(reasons("complement"), reasons(None), strict=True):
        assert (said.event_id, said.contribution) == (plain.event_id, plain.contribution)

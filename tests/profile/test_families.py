"""Facets generalise upwards: sandals and boots to shoes, with their evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boutique import CATALOGUE, VECTORS, Diary, diary, facet
from huaxiang.profile.derive import Background, derive_profile
from huaxiang.profile.population import Population
from huaxiang.profile.removal import audit_facets
from huaxiang.profile.weights import Config
from huaxiang.ranking.stated import Said, has_value

PATHS = {
    "Dresses": "All > Clothes > Dresses",
    "Running Shoes": "All > Shoes > Running Shoes",
    "Boots": "All > Shoes > Boots",
}
IN_FAMILIES = replace(
    CATALOGUE,
    dimensions={
        **CATALOGUE.dimensions,
        "category": replace(
            CATALOGUE.dimensions["category"],
            paths=[PATHS.get(value, "") for value in CATALOGUE.dimensions["category"].values],
        ),
    },
)


def background(written: Diary, *, upwards: bool) -> Background:
    return replace(
        written.background(config=Config(upwards=upwards)),
        catalogue=IN_FAMILIES,
        population=Population.empty(IN_FAMILIES),
        item_vectors_ID=VECTORS,
    )


SHOES = diary(*((n, "purchase", item) for n, item in enumerate((3, 4, 5, 6, 3, 5))))


def test_runners_and_boots_make_shoes_with_the_share_of_both() -> None:
    profile = derive_profile(SHOES.state(), background(SHOES, upwards=True))
    shoes = facet(profile, "family", "Shoes")
    children = [facet(profile, "category", name) for name in ("Running Shoes", "Boots")]
    assert shoes is not None
    assert shoes.share == pytest.approx(sum(child.share for child in children if child is not None), rel=1e-6)
    assert {one.event_id for one in shoes.evidence} <= {f"e-{n}" for n in range(6)}


def test_one_kind_of_shoe_is_no_reason_to_say_shoes() -> None:
    boots = diary(*((n, "purchase", 5) for n in range(6)))
    profile = derive_profile(boots.state(), background(boots, upwards=True))
    assert facet(profile, "family", "Shoes") is None


def test_without_the_setting_nothing_generalises_and_the_vector_is_the_same() -> None:
    off, on = (derive_profile(SHOES.state(), background(SHOES, upwards=one)) for one in (False, True))
    assert facet(off, "family", "Shoes") is None
    np.testing.assert_array_equal(off.vector, on.vector)


def test_family_facets_weaken_without_their_evidence() -> None:
    audit = audit_facets([SHOES.state()], background(SHOES, upwards=True))
    assert audit.share == 1


def test_the_portrait_speaks_of_families_in_both_languages() -> None:
    profile = derive_profile(SHOES.state(), background(SHOES, upwards=True))
    assert any("all kinds of Shoes" in sentence.text for sentence in profile.portrait["en"])
    assert any("各类" in sentence.text for sentence in profile.portrait["zh"])


def test_who_asks_for_a_family_is_given_its_categories() -> None:
    shares_I = has_value(IN_FAMILIES, Said(dimension="family", value="Shoes"))
    assert shares_I.tolist() == [0, 0, 0, 1, 1, 1, 1, 0]

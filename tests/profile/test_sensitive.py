"""Nothing sensitive is in a profile: tested on words, on facets, and by a probe that tries to tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from boutique import CATALOGUE, NOW, Diary, diary
from huaxiang.errors import SettingsError
from huaxiang.metrics import auc
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import Background, derive, derive_vector
from huaxiang.profile.population import Population
from huaxiang.profile.sensitive import GROUPS, Config, Sensitive
from huaxiang.profile.state import ProfileState, StateEvent, Totals
from huaxiang.profile.weights import DEFAULTS
from huaxiang.profile.weights import Config as ProfileConfig
from huaxiang.records import EventType, Profile
from huaxiang.shop.catalogue import Catalogue

OPEN = ProfileConfig(sensitive=Config(groups=()))


@pytest.mark.parametrize(
    ("text", "is_sensitive"),
    [
        ("Blood-glucose meters with 50 strips", True),
        ("a PREGNANCY test", True),
        ("孕妇装 纯棉", True),
        ("清真牛肉", True),
        ("rainbow flags, 90 cm", True),
        ("共产党员徽章", True),
        ("school uniform skirt", True),
        ("Afro hair comb", True),
        ("medicine ball 5 kg", False),
        ("Christian Louboutin pumps", False),
        ("Christmas jumper", False),
        ("红色连衣裙", False),
        ("skincare for dry skin", False),
        ("", False),
    ],
)
def test_words_give_it_away_in_both_languages(text: str, is_sensitive: bool) -> None:
    assert Sensitive.of(CATALOGUE).is_text(text) is is_sensitive


def test_every_group_has_words_in_both_languages_and_can_be_left_out() -> None:
    from huaxiang.profile.sensitive import _shipped

    for group in GROUPS:
        for code in ("en", "zh"):
            word = _shipped()[group][code][0]
            others = tuple(one for one in GROUPS if one != group)
            assert Sensitive.of(CATALOGUE).is_text(word)
            assert not Sensitive.of(CATALOGUE, Config(groups=others)).is_text(word)


def test_a_shop_adds_words_and_exempts_names() -> None:
    own = Sensitive.of(CATALOGUE, Config(words=("月光宝盒", "stoma bag"), exempt=("Muslim cotton",)))
    assert own.is_text("月光宝盒一个") and own.is_text("two stoma bags")
    assert own.is_text("muslim scarf") and not own.is_text("muslim cotton scarf")


@pytest.mark.parametrize("said", [{"groups": ("wealth",)}, {"words": ("",)}, {"exempt": (" ",)}])
def test_settings_that_mean_nothing_are_refused(said: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(SettingsError):
        Config(**said)  # type: ignore[arg-type]


def clinic() -> Catalogue:
    """Return the boutique with a pair of boots that are now for people with diabetes."""
    titles = {code: [*names] for code, names in CATALOGUE.titles.items()}
    titles["en"][5] = "boots for diabetics"
    return replace(CATALOGUE, titles=titles)


def shown(made: Diary, config: ProfileConfig | None = None) -> Profile:
    catalogue = clinic()
    background = replace(
        made.background(config=config), catalogue=catalogue, population=Population.empty(catalogue)
    )
    return derive(made.state(), background).profile


def test_a_profile_is_the_same_with_and_without_a_sensitive_event() -> None:
    ordinary = [(9, "purchase", 0), (8, "view_item", 3), (4, "search", "red dress"), (2, "purchase", 7)]
    with_it = diary(*ordinary, (3, "purchase", 5), (1, "view_item", 5), (1, "state", "I have diabetes"))
    without = diary(*ordinary)
    hidden, never, open_ = shown(with_it), shown(without), shown(with_it, OPEN)
    assert hidden.as_json(vector=True) == never.as_json(vector=True)
    assert "diabetics" in str(open_.as_json()) and "diabet" not in str(hidden.as_json())
    assert not np.array_equal(open_.vector, hidden.vector)


def test_what_was_bought_is_still_not_offered_again() -> None:
    state = shown(diary((3, "purchase", 5), (2, "purchase", 0))).state
    assert state.bought_items() == {0, 5}
    assert [event.item_no for event in state.events()] == [0]


@pytest.mark.parametrize("earlier_days", [0, 400])
@pytest.mark.parametrize("later_days", [0, 400])
def test_hiding_all_that_a_state_still_holds_leaves_a_vector_of_numbers(
    earlier_days: int, later_days: int
) -> None:
    made = diary((3, "purchase", 5), (1, "view_item", 5))
    state, day_ms = made.state(), 86_400_000
    totals = state.totals._replace(
        first_seen_ms=state.totals.first_seen_ms - earlier_days * day_ms,
        last_seen_ms=state.totals.last_seen_ms + later_days * day_ms,
        n_events=5,
    )
    background = replace(made.background(), catalogue=clinic(), population=Population.empty(clinic()))
    profile = derive(replace(state, totals=totals), background).profile
    assert np.isfinite(profile.vector).all()
    assert profile.state.totals.first_seen_ms <= profile.state.totals.last_seen_ms
    assert not profile.state.events()


def test_a_description_is_of_nobody_and_may_say_anything() -> None:
    made = diary((0, "state", "boots for a diabetic, red"))
    described = derive(made.state(), made.background(), described=True).profile
    assert any(one.value == "red" for one in described.facets)
    assert not derive(made.state(), made.background()).profile.facets


N_SHOPPERS, N_EVENTS, WIDTH = 1200, 14, 24


def shoppers(rng: np.random.Generator) -> tuple[list[ProfileState], NDArray[np.bool_], Catalogue]:
    """Return shoppers with random tastes, half of whom also did things with sensitive items."""
    catalogue = clinic()
    tastes = rng.dirichlet(np.ones(7), N_SHOPPERS)
    ordinary = np.array([row for row in range(8) if row != 5])
    has_some = rng.random(N_SHOPPERS) < 0.5
    kinds = [EventType.PURCHASE.code, EventType.VIEW_ITEM.code]
    states = []
    for u in range(N_SHOPPERS):
        items = rng.choice(ordinary, N_EVENTS, p=tastes[u]).tolist() + [5] * (3 * int(has_some[u]))
        events = [
            StateEvent(
                round((NOW - timedelta(days=float(90 * rng.random()))).timestamp() * 1000),
                int(rng.integers(1 << 39)),
                kinds[int(rng.integers(2))],
                item,
            )
            for item in items
        ]
        states.append(state_of(events))
    return states, has_some, catalogue


def state_of(events: list[StateEvent]) -> ProfileState:
    """Return a state as the log would have made it: one order and 10.00 for each purchase."""
    n_bought = sum(event.type == EventType.PURCHASE.code for event in events)
    times = sorted(event.occurred_ms for event in events)
    totals = Totals(times[0], times[-1], n_bought, n_bought, 1000 * n_bought, len(events))
    kinds = (EventType.PURCHASE.code, EventType.VIEW_ITEM.code)
    strong, light = (tuple(sorted(one for one in events if one.type == kind)) for kind in kinds)
    return ProfileState(strong, light, totals=totals)


def probed(config: ProfileConfig, *, n_worlds: int = 4) -> tuple[float, float]:
    """Return the 95 % interval of the AUC with which a linear probe tells who has sensitive events.

    Over several worlds: of one alone, one interval in twenty leaves out chance where nothing is to be told.
    """
    worlds = [probed_world(config, np.random.default_rng(seed)) for seed in range(5, 5 + n_worlds)]
    low, high = np.quantile(np.mean(worlds, axis=0), [0.025, 0.975])
    return float(low), float(high)


def probed_world(config: ProfileConfig, rng: np.random.Generator) -> list[float]:
    """Return the probe's AUC on 400 resamples of one world's second half of shoppers."""
    states, has_some, catalogue = shoppers(rng)
    background = Background(
        catalogue=catalogue,
        population=Population.empty(catalogue),
        contents=Contents(),
        item_vectors_ID=np.eye(8, WIDTH, dtype=np.float32),
        now=NOW,
        config=config,
    )
    vectors = np.stack([derive_vector(state, background) for state in states])
    half = N_SHOPPERS // 2
    scores = vectors[half:] @ weights_of(vectors[:half], has_some[:half])
    truth = has_some[half:]
    drawn = (rng.integers(half, size=half) for _ in range(400))
    return [auc(scores[rows], truth[rows]) for rows in drawn]


def weights_of(vectors: NDArray[np.float32], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weights of a ridge regression on standardised numbers."""
    scale = vectors.std(axis=0) + 1e-6
    rows = (vectors - vectors.mean(axis=0)) / scale
    gram = rows.T @ rows + 30 * np.eye(rows.shape[1])
    return np.linalg.solve(gram, rows.T @ (truth - truth.mean())) / scale


def test_a_probe_tells_from_an_open_vector_who_bought_something_sensitive() -> None:
    low, _ = probed(OPEN, n_worlds=1)
    assert low > 0.9


def test_a_probe_tells_nothing_from_the_vector_that_is_given_out() -> None:
    low, high = probed(DEFAULTS)
    assert low <= 0.5 <= high
    assert high < 0.58

"""The test worlds are what they say, and the oracle is as good as it can be."""

import numpy as np

from huaxiang.shop.simulate.worlds import dirichlet, fixed_worlds, taste_world


def test_nine_worlds_share_their_shoppers_and_events() -> None:
    worlds = fixed_worlds(n_events=10, n_shoppers=6)
    assert [world.name for world in worlds][:4] == ["v5_c0.1", "v5_c0.3", "v5_c1", "v20_c0.1"]
    assert {world.values_UE.shape for world in worlds} == {(6, 10)}


def test_the_same_seed_gives_the_same_world() -> None:
    first, again = taste_world(20, 0.3, seed=5), taste_world(20, 0.3, seed=5)
    assert np.array_equal(first.values_UE, again.values_UE)
    assert not np.array_equal(first.values_UE, taste_world(20, 0.3, seed=6).values_UE)


def test_tastes_are_around_the_population_share() -> None:
    world = taste_world(20, 1.0, n_events=1, n_shoppers=20_000)
    np.testing.assert_allclose(world.tastes_UV.mean(axis=0), world.population_V, atol=0.005)
    expected = world.population_V * (1 - world.population_V) / (world.prior.sum() + 1)
    np.testing.assert_allclose(world.tastes_UV.var(axis=0), expected, rtol=0.1)


def test_events_follow_the_taste() -> None:
    world = taste_world(5, 1.0, n_events=20_000, n_shoppers=3)
    np.testing.assert_allclose(world.counts(20_000) / 20_000, world.tastes_UV, atol=0.02)


def test_oracle_by_hand() -> None:
    world = taste_world(5, 0.3, n_events=4, n_shoppers=2)
    seen = [int((world.values_UE[0, :3] == v).sum()) for v in range(5)]
    by_hand = [(seen[v] + 1.5 * world.population_V[v]) / (3 + 1.5) for v in range(5)]
    np.testing.assert_allclose(world.oracle(3)[0], by_hand)


def test_no_other_smoothing_beats_the_oracle() -> None:
    world = taste_world(20, 0.3, n_events=30, n_shoppers=5_000)

    def squared_error(strength: float) -> float:
        guess = world.counts(30) + strength * world.prior
        return float(((guess / guess.sum(axis=1, keepdims=True) - world.tastes_UV) ** 2).mean())

    assert squared_error(1.0) < min(squared_error(0.5), squared_error(2.0), squared_error(0.1))


def test_tiny_parameters_stay_proper() -> None:
    drawn = dirichlet(np.full(5, 1e-3), 100, rng=np.random.default_rng(0))
    np.testing.assert_allclose(drawn.sum(axis=1), 1)
    assert (drawn.max(axis=1) > 0.9).mean() > 0.9

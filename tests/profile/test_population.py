"""Population shares: counted by day, smoothed, saved; alpha learnt from how much shoppers differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from boutique import CATALOGUE
from huaxiang.errors import ArtefactError
from huaxiang.profile.population import MOST_DAYS, Population
from huaxiang.profile.state import StateEvent
from huaxiang.profile.weights import Config
from huaxiang.records import EventType

START = datetime(2026, 1, 1, tzinfo=UTC)


def events(*rows: tuple[int, str, int]) -> pl.DataFrame:
    """Return (day, shopper, item) purchases as a table."""
    return pl.DataFrame(
        {
            "shopper_id": [shopper for _, shopper, _ in rows],
            "type": pl.Series([EventType.PURCHASE.code] * len(rows), dtype=pl.UInt8),
            "item_row": pl.Series([item for _, _, item in rows], dtype=pl.Int32),
            "occurred_at": pl.Series(
                [START + timedelta(days=day) for day, _, _ in rows], dtype=pl.Datetime("ms", "UTC")
            ),
            "rating": pl.Series([None] * len(rows), dtype=pl.Float32),
        }
    )


FEW = events((0, "a", 0), (0, "b", 3), (5, "a", 1))


def share(population: Population, value: str, day: int | None = None) -> float:
    return float(population.shares(day)[population.values.row_of["brand", value]])


def test_shares_by_hand() -> None:
    population = Population.from_events(FEW, CATALOGUE)
    assert share(population, "Nike") == pytest.approx(2.5 / (3 + 3 * 0.5))
    assert share(population, "Acme") == pytest.approx(1.5 / (3 + 3 * 0.5))


def test_shares_as_of_a_day() -> None:
    population = Population.from_events(FEW, CATALOGUE)
    day = (START - datetime(1970, 1, 1, tzinfo=UTC)).days
    assert share(population, "Acme", day) == pytest.approx(0.5 / (2 + 1.5))
    assert share(population, "Acme", day - 1) == pytest.approx(0.5 / 1.5)


def test_what_is_bought_again(tmp_path: Path) -> None:
    rows = ((0, "a", 0), (0, "a", 0), (1, "a", 0), (1, "a", 3), (2, "a", 0), (5, "b", 0), (6, "b", 3))
    population = Population.from_events(events(*rows), CATALOGUE)
    assert population.repeat_share == pytest.approx(2 / 4)  # after a's and b's first: again, new, again, new
    assert Population.from_events(FEW.head(2), CATALOGUE).repeat_share == 0
    one_order = events(*rows).with_columns(
        pl.col("occurred_at").dt.offset_by(pl.format("{}s", pl.int_range(pl.len())))
    )
    assert Population.from_events(one_order, CATALOGUE).repeat_share == population.repeat_share
    population.save(tmp_path)
    for same in (Population.load(tmp_path, CATALOGUE), population.with_catalogue(CATALOGUE)):
        assert same.repeat_share == population.repeat_share


def test_every_share_is_positive_and_below_one() -> None:
    shares = Population.from_events(FEW, CATALOGUE).shares()
    assert (shares > 0).all() and (shares < 1).all()


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    population = Population.from_events(FEW, CATALOGUE)
    population.save(tmp_path)
    again = Population.load(tmp_path, CATALOGUE)
    np.testing.assert_array_equal(again.shares(), population.shares())
    assert again.alphas == population.alphas


def test_loading_over_another_catalogue_keeps_the_counts_of_what_is_left(tmp_path: Path) -> None:
    Population.from_events(FEW, CATALOGUE).save(tmp_path)
    brand = CATALOGUE.dimensions["brand"]
    renumbered = replace(brand, values=["Acme", "Nike"], value_rows=1 - brand.value_rows, labels={})
    other = replace(CATALOGUE, dimensions={"brand": renumbered})
    assert share(Population.load(tmp_path, other), "Nike") == pytest.approx(2.5 / 4.5)
    assert share(Population.from_events(FEW, CATALOGUE).with_catalogue(other), "Nike") == pytest.approx(
        2.5 / 4.5
    )


def test_missing_and_truncated_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="population"):
        Population.load(tmp_path, CATALOGUE)
    Population.from_events(FEW, CATALOGUE).save(tmp_path)
    stored = tmp_path / "population.safetensors"
    stored.write_bytes(stored.read_bytes()[:20])
    with pytest.raises(ArtefactError, match="population"):
        Population.load(tmp_path, CATALOGUE)


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    Population.from_events(FEW, CATALOGUE).save(tmp_path)
    about = tmp_path / "population.json"
    about.write_text(about.read_text().replace('"version": 1', '"version": 9'))
    with pytest.raises(ArtefactError, match="newer"):
        Population.load(tmp_path, CATALOGUE)


def brand_alpha(likings: list[tuple[int, str, int]]) -> float:
    population = Population.from_events(events(*likings), CATALOGUE)
    return float(population.alpha(Config())[population.values.dimensions.index("brand")])


def test_choosy_shoppers_give_a_small_alpha_and_alike_ones_a_large() -> None:
    nike, acme = (0, 3, 4, 6), (1, 2, 5, 7)
    choosy = [(0, f"s{u}", item) for u in range(40) for item in (nike if u % 2 else acme)]
    alike = [(0, f"s{u}", item) for u in range(40) for item in (0, 3, 1, 2)]
    assert brand_alpha(choosy) == 0.5 < brand_alpha(alike)


def test_few_events_leave_the_default_alpha() -> None:
    assert brand_alpha([(0, "a", 0)]) == 5.0


def test_a_set_alpha_counts_over_the_learnt_one() -> None:
    population = Population.from_events(FEW, CATALOGUE)
    assert set(population.alpha(Config(alpha=7.0))) == {7.0}


def as_states(table: pl.DataFrame) -> list[StateEvent]:
    moments = table["occurred_at"].dt.epoch("ms").to_list()
    rows = zip(moments, table["type"].to_list(), table["item_row"].to_list(), strict=True)
    return [StateEvent(ms, key=key, type=kind, item_no=item) for key, (ms, kind, item) in enumerate(rows)]


MORE = events((1, "c", 2), (5, "a", 3), (9, "b", 0), (9, "c", 0))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)], ids=["in order", "late"])
def test_learning_event_by_event_is_counting_all_at_once(order: tuple[int, ...]) -> None:
    learning, whole = (
        Population.from_events(FEW, CATALOGUE),
        Population.from_events(FEW.vstack(MORE), CATALOGUE),
    )
    told = as_states(MORE)
    for number in order:
        learning.learn([told[number]])
    first = START.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
    for day in (None, first, first + 1, first + 5, first + 9):
        np.testing.assert_allclose(learning.shares(day), whole.shares(day), rtol=1e-12)


def test_shares_that_were_read_stay_until_they_are_renewed() -> None:
    population = Population.from_events(FEW, CATALOGUE)
    before = share(population, "Nike")
    population.learn(as_states(MORE))
    assert share(population, "Nike") == before
    population.renew()
    assert share(population, "Nike") != before


def test_what_is_learnt_takes_no_more_room_after_years_and_loses_nothing() -> None:
    population, still = Population.empty(CATALOGUE), Population.empty(CATALOGUE)
    years = events(*((day, "a", day % 8) for day in range(1000)))
    for event in as_states(years):
        population.learn([event])
        still.learn([event._replace(occurred_ms=0)])
    assert len(population._learnt) == MOST_DAYS
    np.testing.assert_allclose(population.shares(), still.shares(), rtol=1e-9)


def test_what_was_learnt_is_saved_and_survives_another_catalogue(tmp_path: Path) -> None:
    population = Population.from_events(FEW, CATALOGUE)
    population.learn(as_states(MORE))
    population.save(tmp_path)
    for same in (Population.load(tmp_path, CATALOGUE), population.with_catalogue(replace(CATALOGUE))):
        np.testing.assert_allclose(same.shares(), population.shares(), rtol=1e-12)

"""Searches in a small run: found, narrowed, personal, explained, and never without an answer."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_line import QUICK, call
from encoders.finetuning.shops_of_pairs import encoder_of_words
from huaxiang.errors import InputError
from huaxiang.knowledge.rules import Rulebook
from huaxiang.model import Model, load
from huaxiang.model.ruling import rules_from
from huaxiang.records import Event, EventType, Item, Text
from huaxiang.search.base import Query
from huaxiang.search.filters import narrowed
from huaxiang.search.match import Found
from huaxiang.search.tokens import terms
from huaxiang.shop.images import Photos

if TYPE_CHECKING:
    from conftest import SmallBuild


def ids(model: Model, query: str | Query, **more: object) -> list[str]:
    return [one.item_id for one in model.search(query, **more).items]  # type: ignore[arg-type]


def values_of(model: Model, item_id: str, dimension: str) -> set[str]:
    row, of = model.catalogue.row_of[item_id], model.catalogue.dimensions[dimension]
    return {of.values[value] for value in of.value_rows[of.offsets[row] : of.offsets[row + 1]]}


def somebody(model: Model) -> str:
    return str(model.shop.events["shopper_id"].mode().sort()[0])


def frequent(model: Model, dimension: str) -> str:
    """Return the value of a dimension that most items have."""
    of = model.catalogue.dimensions[dimension]
    return str(of.values[int(np.bincount(of.value_rows).argmax())])


def test_a_title_finds_its_item_first_in_either_language(small_model: Model) -> None:
    for language in ("en", "zh"):
        for row in (0, 20, 40):
            title = small_model.catalogue.titles[language][row]
            result = small_model.search(title, shopper=somebody(small_model), k=3, language=language)
            assert title in [one.title for one in result.items]
            assert result.items[0].reasons[0].text in ("Is what you named", "正是您所说的商品")


def test_an_item_is_found_by_its_id(small_model: Model) -> None:
    assert ids(small_model, small_model.catalogue.item_ids[7])[0] == small_model.catalogue.item_ids[7]


def test_what_is_named_in_chinese_is_found_in_an_english_catalogue(small_model: Model) -> None:
    kind = frequent(small_model, "category")
    chinese = small_model.population.values.label(
        small_model.population.values.row_of["category", kind], language="zh"
    )
    found = ids(small_model, chinese, k=3)
    assert found
    assert all(kind in values_of(small_model, one, "category") for one in found)


def test_a_refused_value_and_a_price_hold(small_model: Model) -> None:
    kind, colour = frequent(small_model, "category"), frequent(small_model, "colour")
    result = small_model.search(f"{kind} not {colour}", k=20)
    assert result.query is not None
    assert [one.use for one in result.query.values if one.dimension == "colour"] == ["refused"]
    assert not any(colour in values_of(small_model, one.item_id, "colour") for one in result.items)
    prices = {
        int(small_model.catalogue.price_minor[small_model.catalogue.row_of[one.item_id]]) // 100
        for one in small_model.search(kind, k=20).items
    }
    highest = max(prices)
    within = small_model.search(f"{kind} under {highest}", k=20)
    assert within.query is not None
    assert within.query.max_minor == highest * 100
    for one in within.items:
        assert small_model.catalogue.price_minor[small_model.catalogue.row_of[one.item_id]] <= highest * 100


def test_a_price_that_nothing_has_is_let_go_aloud(small_model: Model) -> None:
    result = small_model.search(f"{frequent(small_model, 'category')} under 1", k=3)
    assert result.items
    assert any("at this price" in note for note in result.degraded)


def test_filters_hold_and_say_when_nothing_is_left(small_model: Model) -> None:
    brand = frequent(small_model, "brand")
    query = Query(text=frequent(small_model, "category"), filters=narrowed([f"brand={brand}"]), k=20)
    found = small_model.search(query)
    assert all(brand in values_of(small_model, one.item_id, "brand") for one in found.items)
    nothing = small_model.search(replace(query, filters=narrowed([f"brand={brand}"], price_max=0)))
    assert nothing.n_found == 0
    assert any("without them there are" in note for note in nothing.degraded)


def test_pages_follow_each_other_and_counts_are_of_all(small_model: Model) -> None:
    query = Query(text=frequent(small_model, "brand"), k=1)
    whole = small_model.search(replace(query, k=100))
    pages = [small_model.search(replace(query, offset=at)).items[0].item_id for at in range(whole.n_found)]
    assert pages == [one.item_id for one in whole.items]
    assert max(one.n_items for one in whole.facets) == whole.n_found


def test_prices_can_be_the_order(small_model: Model) -> None:
    result = small_model.search(Query(text=frequent(small_model, "brand"), sort="price", k=50))
    prices = [
        int(small_model.catalogue.price_minor[small_model.catalogue.row_of[one.item_id]])
        for one in result.items
    ]
    assert prices == sorted(prices)
    assert not result.is_personal


def test_a_shopper_changes_the_order_and_sees_why(small_model: Model) -> None:
    shopper, query = somebody(small_model), frequent(small_model, "style")
    personal = small_model.search(query, shopper=shopper, k=20)
    assert personal.is_personal
    assert any(reason.kind == "personal" for one in personal.items for reason in one.reasons)
    everybody = small_model.search(query, k=20)
    assert {one.item_id for one in personal.items} & {one.item_id for one in everybody.items}
    assert ids(small_model, Query(text=query, strength=0, k=20), shopper=shopper) == ids(
        small_model, query, k=20
    )


def test_whoever_asks_what_has_every_word_stands_above_what_lacks_one(small_model: Model) -> None:
    colours, kinds = (small_model.catalogue.dimensions[name] for name in ("colour", "category"))
    shoppers = sorted(small_model.states.shopper_ids)[:20]
    n_lacking = 0
    for number, shopper in enumerate(shoppers):
        row = 3 * number
        named = [of.label(int(of.value_rows[of.offsets[row]]), language="en") for of in (colours, kinds)]
        result = small_model.search(Query(text=" ".join(named), k=30), shopper=shopper)
        assert result.query is not None
        covered_I = small_model.search_index.lexical.covered(terms(result.query.text))
        has_all = covered_I[[small_model.catalogue.row_of[one.item_id] for one in result.items]] > 0.99
        assert not has_all[int(has_all.sum()) :].any()
        n_lacking += int((~has_all).sum())
    assert n_lacking > 20  # there was something to stand above


@pytest.fixture(scope="module")
def seeing(small_build: SmallBuild, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a run of the same shop whose photos were looked at."""
    run = tmp_path_factory.mktemp("seeing") / "run"
    built = call("build", "--shop", small_build.shop, "--out", run, *QUICK[2:], "--json")
    assert built.code == 0, built.err
    return load(run)


@pytest.mark.slow
def test_a_photo_finds_what_it_shows_and_words_beside_it_count(seeing: Model) -> None:
    assert seeing.shop.images is not None
    photos = Photos(seeing.shop.images)
    for row in range(0, 60, 6):
        photo = photos.get(seeing.shop.items["image"][row])
        found = seeing.search(Query(image=photo, k=1)).items[0]
        same = seeing.catalogue.group_rows[seeing.catalogue.row_of[found.item_id]]
        assert same == seeing.catalogue.group_rows[row] or found.score > 0.99
        assert found.reasons[0].text == "Looks like your photo"
    words = frequent(seeing, "category")
    both = seeing.search(Query(image=photo, text=words, k=5)).items
    assert words in values_of(seeing, both[0].item_id, "category")


@pytest.mark.slow
def test_words_beside_a_photo_push_what_it_shows_no_further_down_for_a_shopper(seeing: Model) -> None:
    """Words that the pictured item lacks: what has them looks otherwise."""
    assert seeing.shop.images is not None
    photos, shopper, places = Photos(seeing.shop.images), somebody(seeing), []
    words = frequent(seeing, "colour")
    for row in range(0, 60, 6):
        item_id = seeing.catalogue.item_ids[row]
        if words in values_of(seeing, item_id, "colour"):
            continue
        asked = Query(image=photos.get(seeing.shop.items["image"][row]), text=words, k=50)
        everybody, own = (ids(seeing, asked, shopper=who) for who in (None, shopper))
        if item_id in everybody[:3] and item_id in own:
            places.append(own.index(item_id))
    assert len(places) > 2 and float(np.median(places)) < 4


def test_a_photo_where_none_can_be_read_is_answered_aloud(small_model: Model) -> None:
    assert small_model.shop.images is not None
    photo = Photos(small_model.shop.images).get(small_model.shop.items["image"][0])
    result = small_model.search(Query(image=photo))
    assert result.items
    assert any("built without photos" in note for note in result.degraded)


def test_a_new_item_is_found_at_once_and_a_deleted_one_no_longer(small_model: Model) -> None:
    assert small_model.search("zyzzyva lamp").query is not None
    lamp = Item(item_id="lamp", texts={"en": Text(title="Zyzzyva lamp")}, price_minor=100, currency="CNY")
    more = small_model.with_items([lamp])
    assert ids(more, "zyzzyva")[0] == "lamp"
    renamed = more.with_items([replace(lamp, texts={"en": Text(title="Quokka lamp")})])
    assert ids(renamed, "quokka")[0] == "lamp"
    assert renamed.search_index.lexical.scores(["zyzzyva"]).max() == 0
    assert "lamp" not in ids(more.with_items([lamp], removed=["lamp"]), "zyzzyva")


def test_a_query_is_an_event_of_the_profile(small_model: Model) -> None:
    shopper = somebody(small_model)
    before = small_model.profile(shopper)
    query = frequent(small_model, "category")
    moment = small_model.newest
    small_model.learn(
        Event(event_id="q-1", shopper_id=shopper, type=EventType.SEARCH, query=query, occurred_at=moment)
    )
    assert small_model.profile(shopper).n_events == before.n_events + 1


def ruled(model: Model, *rules: str) -> Model:
    said = "version: 1\nrules:\n" + "".join(f"- {{{rule}}}\n" for rule in rules)
    book = Rulebook()
    book.put(rules_from(model, said))
    return replace(model, rules=book)


@given(st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_the_shop_leaves_out_no_query_finds(small_model: Model, data: st.DataObject) -> None:
    catalogue = small_model.catalogue
    brand = data.draw(st.sampled_from(list(catalogue.dimensions["brand"].values)))
    model = ruled(small_model, f"name: out, items: {{brand: '{brand}'}}, exclude: true")
    query = data.draw(st.sampled_from([brand, *catalogue.titles["en"][:20], "dress", "zzz"]))
    sort = data.draw(st.sampled_from(["relevance", "price", "newest"]))
    found = model.search(Query(text=query, sort=sort, k=60), shopper=somebody(model))
    assert not any(brand in values_of(model, one.item_id, "brand") for one in found.items)


def test_a_pin_of_the_shop_stands_first_and_says_so(small_model: Model) -> None:
    item = small_model.catalogue.item_ids[small_model.catalogue.in_stock.argmax()]
    model = ruled(
        small_model, f"name: our pick, when: {{query: {{has: dress}}}}, items: {{item_id: '{item}'}}, pin: 1"
    )
    first = model.search("dress").items[0]
    assert first.item_id == item
    assert [reason.rule for reason in first.reasons if reason.kind == "rule"] == ["our pick"]
    title = small_model.catalogue.title(30)
    assert model.search(title).items[0].title == small_model.search(title).items[0].title


def test_what_is_buried_is_below_unless_it_is_named(small_model: Model) -> None:
    kinds = [*small_model.catalogue.dimensions["category"].values, frequent(small_model, "style")]
    kind = next(one for one in kinds if small_model.search(one).n_found > 1)
    first = small_model.search(kind, k=50).items[0]
    model = ruled(small_model, f"name: down, items: {{item_id: '{first.item_id}'}}, bury: 3")
    assert model.search(kind, k=50).items[0].item_id != first.item_id
    assert model.search(first.title).items[0].title == first.title


@pytest.mark.parametrize("query", ["asdfghjkl qwertyuiop", "zzzzzzzz", "42"])
def test_words_that_mean_nothing_are_answered_aloud(small_model: Model, query: str) -> None:
    result = small_model.search(query)
    assert result.items
    assert result.degraded


@pytest.mark.parametrize("query", ["🎉", "", "a" * 10_000])
def test_a_query_that_is_none_is_refused(small_model: Model, query: str) -> None:
    with pytest.raises(InputError):
        small_model.search(query)


def test_hostile_words_are_words(small_model: Model) -> None:
    for query in ("'; DROP TABLE items; --", "<script>alert(1)</script> x", "%s%n{0}", "\x00a\x00", "((((a"):
        small_model.search(query)


def test_a_photo_that_is_not_there_is_refused(small_model: Model) -> None:
    with pytest.raises(InputError, match="no such image"):
        small_model.search(Query(image="/nowhere.jpg"))


def test_a_run_keeps_what_finds_its_items(small_run: Path) -> None:
    loaded = load(small_run)
    assert "search_index" in loaded.__dict__
    made = type(loaded.search_index).of(loaded.shop, loaded.catalogue)
    for words in (["dress"], ["红色"], ["cotton"]):
        np.testing.assert_array_equal(loaded.search_index.lexical.scores(words), made.lexical.scores(words))


@pytest.fixture(scope="module")
def learnt_folder(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a relevance learnt from judged pairs of the run's titles, with what reads both together."""
    pytest.importorskip("lightgbm", reason="needs the extra train")
    home = tmp_path_factory.mktemp("judged")
    titles = load(small_run).catalogue.titles["en"]
    kinds = list(dict.fromkeys(title.split()[-1] for title in titles))
    with (home / "pairs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["query", "product", "relevance"])
        for number, (kind, title) in enumerate((kind, title) for kind in kinds for title in titles):
            writer.writerow([kind, title, 1 + 2 * (kind in title.split()) * (1 + number % 2) / 2])
    columns = (
        "--train",
        home / "pairs.csv",
        "--query",
        "query",
        "--product",
        "product",
        "--label",
        "relevance",
    )
    few = ("--set", "training.steps=4", "--set", "training.validations=1")
    encoder_of_words(home / "words")
    match = call("finetune", "match", *columns, "--model", home / "words", "--out", home / "match", *few)
    small = ("--set", "n_trees=10", "--set", "least_rows=2", "--set", "seeds=1", "--set", "senses=4")
    said = ("--cross", home / "match", "--cache", home / "cache", "--out", home / "learnt")
    made = call("finetune", "search", *columns, *said, *small)
    assert (match.code, made.code) == (0, 0), match.err + made.err
    return home / "learnt"


def with_relevance(model: Model, folder: Path) -> Model:
    chosen = replace(model.settings.search, relevance=str(folder), n_read=5, keep_share=0.0)
    return replace(model, settings=replace(model.settings, search=chosen))


def test_the_best_are_in_the_order_that_was_learnt(small_model: Model, learnt_folder: Path) -> None:
    relevance = with_relevance(small_model, learnt_folder).relevance
    assert relevance is not None
    words = relevance.titles[0].split()[-1]
    rows = np.random.default_rng(7).permutation(40)
    found = Found(rows=rows, relevance=np.linspace(1, 0.1, 40, dtype=np.float32))
    asked = relevance.learnt.ask(words)
    query_D = relevance.encoder.encode([asked.text]).vectors_ID[0]
    scores = relevance.learnt.scores(asked, query_D, rows[:30], offered=relevance.offered, found=rows[:30])
    by_trees = [*rows[:30][np.argsort(-scores, kind="stable")], *rows[30:]]
    assert relevance.reordered(words, found, most=30).rows.tolist() == by_trees
    best = np.array(by_trees[:5])
    read = relevance.learnt.read(
        words,
        [relevance.titles[row] for row in best],
        asked,
        query_D,
        best,
        offered=relevance.offered,
        found=rows[:30],
    )
    by_both = [*best[np.argsort(-read, kind="stable")], *by_trees[5:]]
    assert relevance.reordered(words, found, most=30, n_read=5).rows.tolist() == by_both


def test_a_learnt_order_is_kept_with_the_run(small_model: Model, learnt_folder: Path, tmp_path: Path) -> None:
    words = small_model.catalogue.titles["en"][0].split()[-1]
    model = with_relevance(small_model, learnt_folder)
    found = ids(model, words, k=50)
    assert found != ids(small_model, words, k=50)
    model.save(tmp_path / "run")
    assert ids(load(tmp_path / "run"), words, k=50) == found

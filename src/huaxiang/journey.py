"""START HERE: the whole story, from a shop's raw data to a list for each shopper.

shop ─► texts and photos become vectors ─► fused ─► tried on what was held out ─► learnt ─► profiles, lists
                          ▲                                                           │
                          └──── retrained on what shoppers did since, if it is no worse ◄────┘
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from huaxiang.config import Settings, settings_toml
from huaxiang.encoders import CachedEncoder, image_content, text_encoder
from huaxiang.encoders.base import Encoded, StoredTextEncoder, TextEncoder
from huaxiang.encoders.image import OnnxImageEncoder
from huaxiang.encoders.items import Known, encode_photos, encode_texts, image_encoder_of, renew_photos
from huaxiang.evaluate.holdout import hold_out, hold_out_since, item_pairs, training_part
from huaxiang.evaluate.trial import (
    Ensembles,
    Trial,
    as_validated,
    evaluate_ensembles,
    fit_ensembles,
    refit,
    weighted,
)
from huaxiang.feedback.retrain import Comparison, Plan, caught_up, compare, next_members
from huaxiang.fusion import Fusion, Parts, make
from huaxiang.knowledge.graph import GraphView, count_together, learn_view, tree_of
from huaxiang.knowledge.graph.mapping import mapped
from huaxiang.knowledge.graph.taxonomy import read_taxonomy
from huaxiang.model import Model
from huaxiang.profile.bulk import build_states
from huaxiang.profile.contents import Contents
from huaxiang.profile.population import Population
from huaxiang.profile.reference import Reference, learn_reference
from huaxiang.profile.update import milliseconds
from huaxiang.recommend.base import Histories, TrainingData
from huaxiang.recommend.histories import histories_from_events
from huaxiang.recommend.ways import SLOW
from huaxiang.records import Matrix, Vector
from huaxiang.runs import fingerprint_of
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import Catalogue, build_catalogue
from huaxiang.shop.infer import infer_attributes
from huaxiang.shop.read import read_shop
from huaxiang.shop.simulate import Config as SimulatedShop
from huaxiang.shop.simulate import simulate

Progress = Callable[[str, int, int, str], None]
DEFAULT_CACHE = Path.home() / ".cache" / "huaxiang"


def simulate_shop(
    *, seed: int = 7, n_shoppers: int = 1500, n_items: int = 400, cache: Path | None = None
) -> Shop:
    """Return a simulated shop with known tastes, drawn photos and texts in two languages."""
    folder = (cache or DEFAULT_CACHE) / "simulated" / f"{seed}-{n_shoppers}-{n_items}"
    if not folder.exists():
        simulate(folder, config=SimulatedShop(n_shoppers=n_shoppers, n_items=n_items), seed=seed)
    return read_shop(folder)


@dataclass(frozen=True, kw_only=True)
class Perceived:
    """A shop whose items have vectors: what everything that is learnt from behaviour begins with.

    Parameters
    ----------
    shop
        With what its texts show and it leaves unsaid.
    parts, vectors
        The vectors by modality, and the same with "fused", each float32 (I, D).
    contents
        What shoppers wrote, with vectors in the items' space.
    """

    shop: Shop
    catalogue: Catalogue
    parts: Parts
    vectors: Mapping[str, Matrix]
    fusion: Fusion
    contents: Contents
    text_encoder: StoredTextEncoder
    image_encoder: OnnxImageEncoder | None
    graph_view: GraphView | None = None


def perceive(shop: Shop, settings: Settings, *, cache: Path, progress: Progress) -> Perceived:
    """Return the shop encoded and fused; of its behaviour only the training part is read."""
    seed = settings.seed

    # What is sold: texts become vectors, and what the shop leaves unsaid is inferred from them.
    words = text_encoder(settings.text.encoder, cache_folder=cache, precision=settings.text.precision)
    reader = CachedEncoder(words, cache / "vectors")
    shop, texts = _described(shop, reader, settings, progress)

    # What it looks like: photos become vectors that land near the texts.
    eye, photos = _look(shop, texts, settings, cache, progress)
    parts = Parts.of({"text": texts.vectors_ID} | ({"image": photos.vectors_ID} if photos else {}))

    # What the catalogue joins it to: values, families and places become vectors too, if that is wanted.
    catalogue = build_catalogue(shop)
    view = _view(catalogue, settings)
    if view is not None:
        parts = Parts.of({**parts.vectors, "graph": view.vectors(catalogue, tree_of(catalogue))})

    # What goes together tells how much each modality counts; then one vector per item.
    fusion = make(settings.fusion.way, {"dimensions": settings.fusion.dimensions})
    fusion.fit(parts, item_pairs(training_part(shop, settings.evaluate, seed=seed), seed=seed), seed=seed)
    return Perceived(
        shop=shop,
        catalogue=catalogue,
        parts=parts,
        vectors={**parts.vectors, "fused": fusion.fuse(parts)},
        fusion=fusion,
        contents=read_contents(shop, words, fusion),  # of shoppers' words no copy lies in the cache
        text_encoder=words,
        image_encoder=eye,
        graph_view=view,
    )


def fit(
    shop: Shop,
    settings: Settings | None = None,
    *,
    cache: Path | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Model:
    """Return a model of the shop: encoded, fused, tried on a held-out part, and learnt.

    Parameters
    ----------
    cache
        Where vectors and exported encoders are kept between fits; ~/.cache/huaxiang where None.
    checkpoint
        Folder from which a stopped fit goes on; None starts over.
    progress
        Called with (stage, done, total, note).
    """
    settings, cache, tell = settings or Settings(), cache or DEFAULT_CACHE, progress or _silent
    seed, name = settings.seed, fingerprint_of(shop.fingerprint, settings_toml(settings))

    # What is sold, what it looks like and what is said of it become vectors in one space.
    seen = perceive(shop, settings, cache=cache, progress=tell)
    shop, catalogue, vectors, contents = seen.shop, seen.catalogue, seen.vectors, seen.contents

    # A trial: weights are chosen on one held-out part, and what they are worth is measured on a newer one.
    held_out = hold_out(shop, contents, settings.evaluate, seed=seed)
    lesson = TrainingData(
        histories=held_out.training,
        catalogue=catalogue,
        vectors=vectors,
        seed=seed,
        validation=held_out.validation.targets,
        checkpoint=checkpoint / "weights" if checkpoint else None,
    )
    chosen = fit_ensembles(settings.recommend.make(), lesson, held_out, progress=tell)

    def learn_from(histories: Histories, stage: str) -> Ensembles:
        place = checkpoint / stage if checkpoint else None
        longer = replace(lesson, histories=histories, validation=None, checkpoint=place)
        members = as_validated(settings.recommend.make(), chosen.new.members)
        return refit(chosen, members, longer, stage=stage, progress=tell)

    tried = learn_from(held_out.known, "trial")
    evaluation = evaluate_ensembles(
        tried, held_out, catalogue=catalogue, fused_ID=vectors["fused"], seed=seed, progress=tell
    )

    # Then everything is learnt from everything; profiles are derived whenever they are read.
    everything = histories_from_events(shop.events, contents, order_only=shop.order_only)
    population = Population.from_events(shop.events, catalogue, config=settings.profile)
    return Model(
        name=name,
        settings=settings,
        shop=shop,
        catalogue=catalogue,
        states=build_states(shop.events, order_only=shop.order_only),
        contents=contents,
        population=population,
        reference=_others(shop, population, settings),
        vectors=vectors,
        fusion=seen.fusion,
        recommenders=learn_from(everything, "everything"),
        text_encoder=seen.text_encoder,
        image_encoder=seen.image_encoder,
        together=count_together(shop, settings.graph.together),
        graph_view=seen.graph_view,
        trial=Trial(
            ensembles=tried,
            validated=chosen,
            evaluation={**evaluation, "fusion": dict(seen.fusion.weights(seen.parts))},
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Retrained:
    """A model that has learnt from what came since, and how it did beside the one in place."""

    model: Model
    comparison: Comparison


def retrain(
    model: Model,
    shop: Shop,
    *,
    plan: Plan | None = None,
    cache: Path | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Retrained:
    """Return a model of the shop as it is now, which goes on from `model`, and which of them is to be served.

    Encoders and fusion stay, so every vector that was kept stays valid. What counts and what has a closed
    form is learnt anew from the whole log; the sequence network goes on from its weights. Both models are
    then asked for the newest days, of which neither has seen anything.

    Parameters
    ----------
    shop
        Everything that may be learnt from, old and new; the items of `model` keep their rows.
    plan
        Since when, whether weights may be carried over, and what decides; None reads it from the model.
    checkpoint
        Folder from which a stopped retraining goes on; None starts over.

    Raises
    ------
    ShopError
        Too little has happened since.
    """
    settings, cache, tell = model.settings, cache or DEFAULT_CACHE, progress or _silent
    seed, name = settings.seed, fingerprint_of(model.name, shop.fingerprint, settings_toml(settings))
    plan = plan or Plan(since_ms=milliseconds(model.newest) if model.newest else 0)

    # The same eyes and ears: only what is new is encoded, and of shoppers' words no copy is kept.
    reader = CachedEncoder(model.text_encoder, cache / "vectors")
    shop, texts = _described(shop, reader, settings, tell)
    catalogue = build_catalogue(shop)
    parts = Parts.of({"text": texts.vectors_ID, **_look_again(model, shop, plan.photos, cache)})
    if model.graph_view is not None:
        seen_ID = model.graph_view.vectors(catalogue, tree_of(catalogue))
        parts = Parts.of({**parts.vectors, "graph": seen_ID})
    vectors = {**parts.vectors, "fused": model.fusion.fuse(parts)}
    said = {**model.contents.vectors(), **plan.said}
    contents = read_contents(shop, model.text_encoder, model.fusion, known=said)

    # A trial on the newest days, beside the model in place as it would serve on the first of them.
    held_out = hold_out_since(shop, contents, since_ms=plan.since_ms, share=plan.test_share)
    lesson = TrainingData(histories=held_out.known, catalogue=catalogue, vectors=vectors, seed=seed)

    def learn_from(histories: Histories, stage: str) -> Ensembles:
        members = next_members(
            settings.recommend.make(), model.recommenders.new.members, start_over=plan.start_over
        )
        place = checkpoint / stage if checkpoint else None
        whole = replace(lesson, histories=histories, checkpoint=place)
        return refit(model.recommenders, members, whole, stage=stage, progress=tell)

    tried = learn_from(held_out.known, "trial")
    incumbent = caught_up(model.recommenders, vectors, held_out, progress=tell)
    comparison = compare(tried, incumbent, held_out, rule=plan.rule, seed=seed)

    # Then everything is learnt from everything, whatever was decided: people may decide otherwise.
    everything = histories_from_events(shop.events, contents, order_only=shop.order_only)
    population = Population.from_events(shop.events, catalogue, config=settings.profile)
    return Retrained(
        comparison=comparison,
        model=Model(
            name=name,
            settings=settings,
            shop=shop,
            catalogue=catalogue,
            states=build_states(shop.events, order_only=shop.order_only),
            contents=contents,
            population=population,
            reference=_others(shop, population, settings),
            vectors=vectors,
            fusion=model.fusion,
            recommenders=learn_from(everything, "everything"),
            text_encoder=model.text_encoder,
            image_encoder=model.image_encoder,
            together=count_together(shop, settings.graph.together),
            graph_view=model.graph_view,
        ),
    )


def relearn(
    model: Model,
    shop: Shop,
    *,
    said: Mapping[int, Vector] | None = None,
    name: str,
    progress: Progress | None = None,
) -> Model:
    """Return the model as if nobody but the shoppers of `shop` had ever been there, but for its networks.

    Whatever counts or has a closed form is learnt anew, so it equals that of a model which never saw the
    others. Networks, fusion and the weights between members stay: those took hours, or are a few numbers over
    everybody, and the next retraining or build replaces them.

    Parameters
    ----------
    shop
        The items of `model`, and the events that may be learnt from.
    said
        Vectors of shoppers' words and photos that are known beside the model's own, by the content's number.
    name
        Of the model that is returned.
    """
    known = {**model.contents.vectors(), **(said or {})}
    contents = read_contents(shop, model.text_encoder, model.fusion, known=known)
    everything = histories_from_events(shop.events, contents, order_only=shop.order_only)
    population = Population.from_events(shop.events, model.catalogue, config=model.settings.profile)
    return replace(
        model,
        name=name,
        shop=shop,
        states=build_states(shop.events, order_only=shop.order_only),
        contents=contents,
        population=population,
        reference=_others(shop, population, model.settings),
        recommenders=relearnt(model, model.recommenders, everything, progress=progress),
        together=count_together(shop, model.settings.graph.together),
        trial=None,
    )


def _others(shop: Shop, population: Population, settings: Settings) -> Reference:
    """Return what a shopper's vector is measured against: everybody in the shop."""
    return learn_reference(
        shop.events,
        population.values,
        order_only=shop.order_only,
        config=settings.profile,
        seed=settings.seed,
    )


def relearnt(
    model: Model, ensembles: Ensembles, histories: Histories, *, progress: Progress | None = None
) -> Ensembles:
    """Return ensembles of a model whose quick members have learnt from these histories and nothing else."""
    fresh, before = model.settings.recommend.make(), ensembles.new.members
    lesson = TrainingData(
        histories=histories, catalogue=model.catalogue, vectors=model.vectors, seed=model.settings.seed
    )
    tell = progress or _silent
    members = dict(before)
    for number, name in enumerate(name for name in before if name not in SLOW):
        tell("learn anew", number, len(before), name)
        members[name] = fresh[name].fit(lesson)
    tell("learn anew", len(before), len(before), "")
    return Ensembles(
        new=weighted(members, ensembles.new.weights_, exclude_had=True),
        all=weighted(members, ensembles.all.weights_, exclude_had=False),
    )


def _described(shop: Shop, reader: TextEncoder, settings: Settings, tell: Progress) -> tuple[Shop, Encoded]:
    """Return the shop with what its texts show and it leaves unsaid, and the vectors of the texts."""
    tell("read texts", 0, len(shop.items), "")
    texts = encode_texts(shop.items, shop.languages, reader)
    shop = infer_attributes(
        shop,
        text_vectors_ID=texts.vectors_ID,
        encode=lambda said: reader.encode(said).vectors_ID,
        taxonomy=settings.text.taxonomy,
        seed=settings.seed,
    )
    if settings.text.taxonomy is not None and settings.graph.map_items:
        shop = mapped(
            shop,
            read_taxonomy(settings.text.taxonomy),
            text_vectors_ID=texts.vectors_ID,
            encode=lambda said: reader.encode(said).vectors_ID,
            config=settings.graph.mapping,
        )
    tell("read texts", len(shop.items), len(shop.items), "")
    return shop, texts


def _view(catalogue: Catalogue, settings: Settings) -> GraphView | None:
    """Return what sees items in the graph; None where it isn't wanted, or the catalogue says too little."""
    chosen = settings.graph.vectors
    return learn_view(catalogue, tree_of(catalogue), chosen, seed=settings.seed) if chosen.use else None


def read_contents(
    shop: Shop, reader: TextEncoder, fusion: Fusion, *, known: Mapping[int, Vector] | None = None
) -> Contents:
    """Return everything shoppers wrote, with its vectors in the items' space; what is `known` is not read."""
    contents, known = Contents.of_events(shop.events), known or {}
    had = [number for number in (*contents.texts, *contents.images) if number in known]
    if had:
        contents.add_vectors(had, np.stack([known[number] for number in had]))
    said = {number: text for number, text in contents.texts.items() if number not in known}
    if said and "text" in fusion.modalities:
        vectors_CD = reader.encode(list(said.values())).vectors_ID
        contents.add_vectors(list(said), fusion.fuse(Parts.of({"text": vectors_CD})))
    return contents


def _look(
    shop: Shop, texts: Encoded, settings: Settings, cache: Path, tell: Progress
) -> tuple[OnnxImageEncoder | None, Encoded | None]:
    """Return the encoder of photos and the photos' vectors; None where there are none or none are wanted."""
    if shop.images is None or settings.image.encoder == "none":
        return None, None
    eye, photos = image_encoder_of(
        shop,
        texts.vectors_ID,
        encoder=settings.image.encoder,
        precision=settings.image.precision,
        cache=cache,
        seed=settings.seed,
        progress=partial(tell, "look at photos"),
    )
    if eye is None:
        return None, None
    return eye, encode_photos(photos, CachedEncoder(eye, cache / "vectors", content=image_content))


def _look_again(model: Model, shop: Shop, photos: Mapping[str, Path], cache: Path) -> dict[str, Matrix]:
    """Return the vectors of the photos where the model has eyes; only new photos are looked at."""
    if model.image_encoder is None or "image" not in model.vectors:
        return {}
    eye = CachedEncoder(model.image_encoder, cache / "vectors", content=image_content)
    names, before = (each.items["image"].to_list() for each in (shop, model.shop))
    known = Known(names=before, vectors_ID=model.vectors["image"])
    return {"image": renew_photos(names, known, eye, place=shop.images, given=photos)}


def _silent(stage: str, done: int, total: int, note: str) -> None:
    """Show nothing."""

"""What `fit` and `load` return: profiles, lists, and learning from the next event."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from huaxiang.config import Settings, read_settings, settings_toml
from huaxiang.encoders import load_text_encoder
from huaxiang.encoders.base import ImageInput, StoredTextEncoder
from huaxiang.encoders.image import OnnxImageEncoder
from huaxiang.errors import ArtefactError, InputError, UnknownItemError
from huaxiang.evaluate.trial import Ensembles, Trial
from huaxiang.feedback.training_log import PURPOSE as LEARNING
from huaxiang.fusion import Fusion, Parts
from huaxiang.fusion import load as load_fusion
from huaxiang.fusion.renewed import Readers, renewed_vectors
from huaxiang.profile.asked import asked_facets
from huaxiang.profile.consent import consents_in
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import Background, derive_profile
from huaxiang.profile.describe import described_state
from huaxiang.profile.population import Population
from huaxiang.profile.state import NO_ITEM, ProfileState
from huaxiang.profile.states import States
from huaxiang.profile.update import milliseconds, state_event, update
from huaxiang.ranking import wording
from huaxiang.ranking.base import Deeds, Occasion, Shelf
from huaxiang.ranking.rank import check_length
from huaxiang.ranking.stated import stated_in
from huaxiang.recommend.histories import histories_from_states, take_events
from huaxiang.recommend.lists import Asker, list_items, list_values
from huaxiang.recommend.similar import SimilarItems
from huaxiang.records import Event, EventType, Item, Matrix, Profile, Ranked, Reason, Slate, Vector, Version
from huaxiang.runs import fingerprint_of, new_run, read_manifest, write_manifest
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import Catalogue, build_catalogue, restocked
from huaxiang.shop.changed import changed_items, out_of_stock
from huaxiang.shop.event_records import event_row
from huaxiang.shop.infer.base import with_claims
from huaxiang.shop.infer.nearest import nearest_claims
from huaxiang.shop.stored import load_shop, save_shop


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a list is made from: a state, and where its texts and photos are looked up."""

    state: ProfileState
    contents: Contents


@dataclass(kw_only=True)
class Model:
    """A shop's profiles and lists, learning with each event.

    Parameters
    ----------
    name
        Fingerprint of data and settings; names the model in profiles and slates.
    vectors
        Item vectors by space: "fused", and the raw "text" and "image" where there are any. (I, D) each.
    trial
        What came of holding the newest part out; None in a model that was loaded to serve.
    n_learnt
        How many items there were when it was fitted; None if no item joined since.
    """

    name: str
    settings: Settings
    shop: Shop
    catalogue: Catalogue
    states: States
    contents: Contents
    population: Population
    vectors: Mapping[str, Matrix]
    fusion: Fusion
    recommenders: Ensembles
    text_encoder: StoredTextEncoder
    image_encoder: OnnxImageEncoder | None
    trial: Trial | None = None
    n_learnt: int | None = None

    @cached_property
    def shelf(self) -> Shelf:
        """What ranking reads of the catalogue."""
        return Shelf(catalogue=self.catalogue, vectors_ID=self.vectors["fused"], popularity_I=self.popularity)

    @cached_property
    def popularity(self) -> Vector:
        """How often each item was bought, 1 for the one bought most, (I,)."""
        bought = self.shop.events.filter(pl.col("type") == EventType.PURCHASE.code)["item_row"]
        counts_I = np.bincount(bought.to_numpy(), minlength=self.catalogue.n_items)
        return np.asarray(counts_I / max(int(counts_I.max(initial=0)), 1), dtype=np.float32)

    @cached_property
    def space(self) -> str:
        """Name of the space of the fused vectors: those of two models are compared only if it is the same."""
        eye = self.image_encoder.space if self.image_encoder is not None else ""
        return fingerprint_of(self.text_encoder.space, eye, self.fusion.fingerprint)

    @cached_property
    def index(self) -> SimilarItems:
        """The fused vectors, to find what is near one."""
        return SimilarItems.of(self.vectors["fused"])

    @cached_property
    def consents(self) -> Mapping[str, Mapping[str, bool]]:
        """What each shopper who was asked has answered, by purpose."""
        return consents_in(self.shop.events)

    @property
    def newest(self) -> datetime | None:
        """When the newest event happened, which is what `now` means by default; None in order-only shops."""
        if self.catalogue.order_only or not len(self.shop.events):
            return None
        newest = self.shop.events["occurred_at"].max()
        assert isinstance(newest, datetime)
        return newest.astimezone(UTC)

    @property
    def position(self) -> int:
        """How many events the log has."""
        return len(self.shop.events)

    def without_shoppers(self) -> Model:
        """Return the model with nobody's events, states and words in it: what a service is given.

        What was learnt from them stays, as sums over many; the log that is served has the rest.
        """
        nobody = replace(
            self,
            shop=replace(self.shop, events=self.shop.events.clear(), quarantine=self.shop.quarantine.clear()),
            states=States.of({}, order_only=self.catalogue.order_only),
            contents=Contents(),
            trial=None,
        )
        nobody.__dict__["popularity"] = self.popularity
        return nobody

    def with_items(
        self,
        items: Sequence[Item],
        *,
        removed: Collection[str] = (),
        photos: Mapping[str, ImageInput] | None = None,
    ) -> Model:
        """Return the model of the shop with these items changed or added; this one stays as it is.

        A new item is listed at once: its words and photo give it a vector, and the recommenders score it by
        what it looks like. What its record leaves unsaid is read from its words and from the items nearest to
        it, marked as inferred. Nothing is learnt anew. What the recommenders learn from now on, the copy that
        was asked last must learn.

        Parameters
        ----------
        items
            Whole records; of several with one id the last counts.
        removed
            Ids that are sold no longer: they keep their row and are never listed, until an item comes with
            the same id.
        photos
            Name in an item's `images` → the photo. Names that are not here are looked for among the shop's.
        """
        change = changed_items(self.shop, items)
        gone = self._gone(change.shop, items, removed)
        shop = out_of_stock(change.shop, gone)
        if not len(change.described):
            return self._restocked(shop, gone)
        readers = Readers(words=self.text_encoder, eyes=self.image_encoder, fusion=self.fusion)
        vectors = renewed_vectors(self.vectors, change, readers, photos or {})
        n_learnt = self.catalogue.n_items if self.n_learnt is None else self.n_learnt
        unsaid, was_learnt_I = change.unsaid.tolist(), np.arange(len(shop.items)) < n_learnt
        claims = nearest_claims(shop, unsaid, text_vectors_ID=vectors["text"], among_I=was_learnt_I)
        shop = with_claims(shop, claims)
        catalogue = build_catalogue(shop, removed=gone)
        changed = replace(
            self,
            shop=shop,
            catalogue=catalogue,
            population=self.population.with_catalogue(catalogue),
            vectors=vectors,
            recommenders=self.recommenders.with_items(vectors),
            n_learnt=n_learnt,
        )
        n_new = catalogue.n_items - self.catalogue.n_items
        popularity = np.concatenate([self.popularity, np.zeros(n_new, dtype=np.float32)])
        index = self.index.with_items(vectors["fused"])
        return changed._knowing(popularity=popularity, index=index, space=self.space)

    def _restocked(self, shop: Shop, gone: NDArray[np.bool_]) -> Model:
        """Return the model with other stock and prices: everything else is shared."""
        catalogue = restocked(self.catalogue, shop, removed=gone)
        same_bands = catalogue.dimensions.get("price_band") is self.catalogue.dimensions.get("price_band")
        population = self.population if same_bands else self.population.with_catalogue(catalogue)
        changed = replace(self, shop=shop, catalogue=catalogue, population=population)
        return changed._knowing(popularity=self.popularity, index=self.index, space=self.space)

    def _knowing(self, **known: object) -> Model:
        """Return this model, which then doesn't work out again what is known already."""
        self.__dict__.update(known)
        return self

    def _gone(self, shop: Shop, items: Sequence[Item], removed: Collection[str]) -> NDArray[np.bool_]:
        gone = np.zeros(len(shop.items), dtype=np.bool_)
        gone[: self.catalogue.n_items] = self.catalogue.gone
        row_of = self.catalogue.row_of
        gone[[row_of[item.item_id] for item in items if item.item_id in row_of]] = False
        new = {item_id: row + len(row_of) for row, item_id in enumerate(shop.items["item_id"][len(row_of) :])}
        rows = (row_of.get(item_id, new.get(item_id)) for item_id in removed)
        gone[[row for row in rows if row is not None]] = True
        return gone

    def save(self, folder: str | Path) -> None:
        """Keep the model as a run that `load` reads back; an earlier run is replaced when it is whole."""
        with new_run(Path(folder), fingerprint=self.name) as made:
            save(self, made)
            write_manifest(made, {"name": self.name, "seed": self.settings.seed})

    def profile(self, shopper_id: str, *, now: datetime | None = None) -> Profile:
        """Return what a shopper's events show.

        Parameters
        ----------
        now
            Moment to derive it for; None is the moment of the newest event in the log.

        Raises
        ------
        UnknownShopperError
            When there is no event of this shopper.
        """
        known = Known(state=self.states.state(shopper_id), contents=self.contents)
        return self.derive(known, shopper_id=shopper_id, now=now)

    def describe(
        self, *, text: str | None = None, image: ImageInput = None, now: datetime | None = None
    ) -> Profile:
        """Return the profile of somebody of whom only words, a photo, or both are known.

        Wishes become stated facets with the words as evidence; the vectors of words and photo do the rest.

        Raises
        ------
        InputError
            When there are neither words nor a photo, or no file where the photo should be.
        """
        if not (text and text.strip()) and image is None:
            raise InputError("nothing is described", remedy="give words, an image, or both")
        if isinstance(image, str | Path) and not Path(image).is_file():
            raise InputError("no such image", file=str(image), remedy="check its path")
        contents, moment = Contents(), now or self.newest
        said, read = self.text_vector(text) if text else (None, None)
        shown, seen = self.image_vector(image) if image is not None else (None, None)
        photo = _name_of(image) if shown is not None and shown.any() else None
        state = described_state(contents, now=moment, text=text, image=photo, vectors=(said, shown))
        profile = self.derive(Known(state=state, contents=contents), shopper_id=None, now=moment)
        notes = tuple(note for note in (read, seen) if note)
        return replace(profile, degraded=(*profile.degraded, *notes))

    def derive(
        self,
        known: Known,
        *,
        shopper_id: str | None,
        now: datetime | None,
        position: int | None = None,
        consent: Mapping[str, bool] | None = None,
    ) -> Profile:
        """Return the profile of a state that may be kept elsewhere, such as in a service's cache.

        Parameters
        ----------
        shopper_id
            None for a description, which stands in no log.
        position
            Of the log that the state was made from; None is the model's own.
        consent
            None reads it from the model's own log.
        """
        background = self.background(known.contents, now=now, position=position)
        shown = derive_profile(
            known.state,
            background,
            shopper_id=shopper_id,
            consent=self.consents.get(shopper_id or "") if consent is None else consent,
            described=shopper_id is None,
        )
        return replace(shown, state=replace(known, state=shown.state))

    def background(
        self, contents: Contents, *, now: datetime | None = None, position: int | None = None
    ) -> Background:
        """Return what profiles are read against; see `derive`."""
        return Background(
            catalogue=self.catalogue,
            population=self.population,
            contents=contents,
            item_vectors_ID=self.vectors["fused"],
            now=now or self.newest,
            version=Version(
                position=self.position if position is None else position,
                model=self.name,
                catalogue=self.catalogue.version,
            ),
            config=self.settings.profile,
        )

    def derive_asked(
        self,
        known: Known,
        *,
        shopper_id: str | None,
        now: datetime | None,
        position: int,
        consent: Mapping[str, bool],
    ) -> Profile:
        """Return as much of the profile as `recommend` reads: the state, and what was stated and corrected.

        A list made from it is the same as one made from the whole; it only comes sooner.
        """
        now = now or self.newest
        facets, notes = asked_facets(
            known.state,
            population=self.population,
            contents=known.contents,
            item_vectors_ID=self.vectors["fused"],
            now=now,
            shopper_id=shopper_id,
            config=self.settings.profile,
        )
        return Profile(
            shopper_id=shopper_id,
            as_of=now,
            version=Version(position=position, model=self.name, catalogue=self.catalogue.version),
            n_events=known.state.totals.n_events,
            facets=facets,
            interests=(),
            intent=None,
            activity=None,
            portrait={},
            vector=np.zeros(0, dtype=np.float32),
            consent=consent,
            degraded=notes,
            state=known,
        )

    def recommend(
        self,
        shopper: str | Profile,
        *,
        k: int = 10,
        of: str = "item",
        repeat: bool = False,
        language: str = "en",
        explain: Literal["quick", "full"] = "full",
        on_unknown: Literal["raise", "popular"] = "raise",
    ) -> Slate:
        """Return the best list for a shopper, or for a profile, with reasons.

        Parameters
        ----------
        shopper
            A shopper's id, or what `profile` or `describe` returned.
        k
            Length of the list, at least 1.
        of
            What is listed: item, category, brand, price_band or another dimension of the catalogue.
        repeat
            Whether what the shopper bought before may be offered again.
        explain
            full: every reason is checked by leaving its events out, which takes several times as long;
            quick: reasons are what the recommenders' own sums say, and audited by `evaluate`.
        on_unknown
            What to do with an id that has no events: raise, or list what is popular and say so.

        Raises
        ------
        InputError
            For `k` below 1 or an unknown `of`.
        UnknownShopperError
            For an unknown id, under `on_unknown="raise"`.
        """
        if isinstance(shopper, str):
            is_known = on_unknown == "raise" or shopper in self.states
            profile = self.profile(shopper) if is_known else self._nobody(shopper)
        else:
            profile = shopper
        asker = self.asker(profile)
        recommender = self.recommenders.of("all" if repeat else "new")
        rules = replace(self.settings.ranking.rules, exclude_had=not repeat)
        config = replace(self.settings.ranking, rules=rules)
        if profile.shopper_id is None:
            config = replace(config, wish_weight=config.described_wish_weight)
        if of == "item":
            occasion = Occasion(
                language=language, now_ms=milliseconds(profile.as_of) if profile.as_of else None
            )
            made = list_items(
                recommender,
                asker,
                self.shelf,
                k=k,
                config=config,
                occasion=occasion,
                checked=explain == "full",
            )
        else:
            made = list_values(
                recommender, asker, self.catalogue, of=of, k=k, config=config, language=language
            )
        return Slate(
            shopper_id=profile.shopper_id,
            model=self.name,
            slate_id=self._slate_id(profile, k, of, repeat),
            items=made.rows,
            of=of,
            degraded=(*profile.degraded, *made.degraded),
        )

    def _nobody(self, shopper_id: str) -> Profile:
        return self.derive(
            Known(state=self.states.empty(), contents=self.contents), shopper_id=shopper_id, now=None
        )

    def similar(self, item_id: str, *, k: int = 10, language: str = "en") -> Slate:
        """Return the items most like one: in stock, one of each product, none of the item's own variants.

        Raises
        ------
        InputError
            For `k` below 1.
        UnknownItemError
            When the catalogue has no such item.
        """
        check_length(k)
        row, catalogue = self._row_of(item_id), self.catalogue
        rows, cosines = self.index.like(
            row, self.vectors["fused"], k=k, allowed_I=catalogue.in_stock, group_rows=catalogue.group_rows
        )
        alike = wording.said("alike", language=language, about=catalogue.title(row, language=language))
        items = tuple(
            Ranked(
                rank=place + 1,
                item_id=catalogue.item_ids[found],
                title=catalogue.title(found, language=language),
                score=float(cosines[place]),
                propensity=1.0,
                reasons=(
                    Reason(
                        kind="impersonal", text=alike, item_id=item_id, contribution=float(cosines[place])
                    ),
                ),
            )
            for place, found in enumerate(rows.tolist())
        )
        slate_id = fingerprint_of("similar", item_id, self.name, str(k))
        return Slate(shopper_id=None, model=self.name, slate_id=slate_id, items=items)

    def asker(self, profile: Profile) -> Asker:
        """Return the shopper of a profile as the recommenders and the reasons see them."""
        known: Known = profile.state
        history = histories_from_states([known.state], known.contents)
        event_of = {event.key: event for event in known.state.events()}
        done = [event_of[int(key)] for key in history.event_keys]
        ids = [known.contents.event_id(event.key, shopper_id=profile.shopper_id) for event in done]
        deeds = Deeds(
            event_ids=ids if profile.shopper_id is not None else [None] * len(ids),
            types=history.types,
            item_rows=history.item_rows,
            texts=[known.contents.text(event.content) for event in done],
        )
        had_rows = np.array(sorted(known.state.bought_items()), dtype=np.int32)
        return Asker(history=history, deeds=deeds, had_rows=had_rows, stated=stated_in(profile))

    def _slate_id(self, profile: Profile, k: int, of: str, repeat: bool) -> str:
        made_of = (
            profile.shopper_id or "",
            self.name,
            profile.version.position,
            profile.as_of,
            k,
            of,
            repeat,
        )
        return fingerprint_of(*(str(part) for part in made_of))

    def learn(self, event: Event) -> None:
        """Take one more event into the log; the next profile and the next list know it.

        An event that is there already (by `event_id` and shopper) changes nothing. Of a shopper who refuses
        `train` their own profile and list learn, and nobody else's.

        Raises
        ------
        UnknownItemError
            When it names an item that the catalogue lacks.
        ClockError
            When it has no time, in a shop that knows times.
        """
        item_row = self._row_of(event.item_id)
        known = event.shopper_id in self.states
        state = self.states.state(event.shopper_id) if known else self.states.empty()
        new_order = self._is_new_order(event)
        kept, totals = state_event(event, item_no=item_row, ordinal=self._ordinal(state), new_order=new_order)
        if self.contents.event_id(kept.key, shopper_id=event.shopper_id) == event.event_id:
            return
        content = self.contents.add_event(event)
        if content:
            self.contents.add_vectors([content], self._content_vector(event)[None])
        self.states.put(event.shopper_id, update(state, kept, totals=totals))
        named = None if event.item_id is None else item_row
        row = event_row(event, item_row=named, new_order=new_order)
        log = pl.DataFrame([row], schema=self.shop.events.schema)
        self.shop = replace(self.shop, events=self.shop.events.vstack(log))
        if event.type is EventType.CONSENT:
            self.__dict__.pop("consents", None)
        if self.consents.get(event.shopper_id, {}).get(LEARNING, True):
            known_now = Known(state=self.states.state(event.shopper_id), contents=self.contents)
            self.teach(known_now, np.array([kept.key], dtype=np.int64))
        self.population.renew()

    def _is_new_order(self, event: Event) -> bool:
        """Whether an event is the first line of its order."""
        if event.order_id is None:
            return True
        same = (pl.col("order_id") == event.order_id) & (pl.col("shopper_id") == event.shopper_id)
        return self.shop.events.filter(same).is_empty()

    def teach(self, known: Known, keys: NDArray[np.int64]) -> None:
        """Let what learns with each event learn from a shopper's events with these keys.

        That is popularity, neighbours and the population's shares, which `population.renew` then shows; all
        else waits for the next retraining. Impressions and the like are in no history.
        """
        wanted = set(keys.tolist())
        done = [event for event in (*known.state.strong, *known.state.light) if event.key in wanted]
        history = histories_from_states([known.state], known.contents)
        self.population.learn(done, config=self.settings.profile)
        for place in np.flatnonzero(np.isin(history.event_keys, keys)).tolist():
            known_then = np.arange(len(history.event_keys)) <= place
            self.recommenders.new.learn(take_events(history, known_then))

    def _row_of(self, item_id: str | None) -> int:
        if item_id is None:
            return NO_ITEM
        if item_id not in self.catalogue.row_of:
            raise UnknownItemError("no such item", value=item_id, remedy="add it to the catalogue first")
        return self.catalogue.row_of[item_id]

    def _ordinal(self, state: ProfileState) -> int | None:
        return state.totals.n_events if self.catalogue.order_only else None

    def _content_vector(self, event: Event) -> Vector:
        words = event.query or event.text
        return self.text_vector(words)[0] if words else self.image_vector(event.image)[0]

    def text_vector(self, text: str) -> tuple[Vector, str | None]:
        """Return the vector of words in the items' space, and what was wrong with them."""
        encoded = self.text_encoder.encode([text])
        if not encoded.present_I[0]:
            return self._fused("text", encoded.vectors_ID), "the words have no letter that could be read"
        return self._fused("text", encoded.vectors_ID), encoded.problems.get(0)

    def image_vector(self, image: ImageInput) -> tuple[Vector, str | None]:
        """Return the vector of a photo in the items' space, and what was wrong with it."""
        if self.image_encoder is None:
            nothing = np.zeros(self.fusion.dimensions, dtype=np.float32)
            return nothing, "the photo was not used: this model was built without photos"
        encoded = self.image_encoder.encode([image])
        problem = f"the photo was not used: {encoded.problems[0]}" if encoded.problems else None
        return self._fused("image", encoded.vectors_ID), problem

    def _fused(self, modality: str, vectors_1D: Matrix) -> Vector:
        if modality not in self.fusion.modalities or not vectors_1D.any():
            return np.zeros(self.fusion.dimensions, dtype=np.float32)
        present = {modality: np.ones(1, dtype=np.bool_)}
        fused_1D = self.fusion.fuse(Parts(vectors={modality: vectors_1D}, present=present))
        return np.asarray(fused_1D[0], dtype=np.float32)


def _name_of(image: ImageInput) -> str | None:
    if image is None:
        return None
    return "photo" if isinstance(image, bytes) else Path(image).name


def save(model: Model, folder: Path) -> None:
    """Write every part of a model into a folder; `load` reads it back."""
    save_shop(model.shop, folder)
    (folder / "settings.toml").write_text(settings_toml(model.settings), encoding="utf-8")
    model.states.save(folder / "states.parquet")
    model.population.save(folder / "population")
    save_file(
        {name: np.ascontiguousarray(rows) for name, rows in model.vectors.items()},
        _made(folder / "vectors") / "items.safetensors",
    )
    save_file({"popularity": model.popularity}, folder / "vectors" / "popularity.safetensors")
    save_file(_content_vectors(model.contents), folder / "vectors" / "contents.safetensors")
    model.fusion.save(_made(folder / "fusion"))
    model.text_encoder.save(_made(folder / "encoders" / "text"))
    if model.image_encoder is not None:
        model.image_encoder.save(_made(folder / "encoders" / "image"))
    model.recommenders.save(_made(folder / "recommender"))
    model.index.save(folder / "index.faiss")
    if model.trial is not None:
        model.trial.ensembles.save(_made(folder / "heldout"))


def load(folder: str | Path) -> Model:
    """Return the model of a run; needs neither torch nor the shop's own files.

    Raises
    ------
    ArtefactError
        There is no complete run, a part is truncated, or it was made by a newer version.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    shop = load_shop(folder)
    catalogue = build_catalogue(shop)
    contents = Contents.of_events(shop.events)
    spoken = _read_arrays(folder / "vectors" / "contents.safetensors")
    contents.add_vectors(spoken["contents"].tolist(), spoken["vectors"])
    has_photos = (folder / "encoders" / "image").exists()
    model = Model(
        name=manifest["name"],
        settings=read_settings(folder / "settings.toml"),
        shop=shop,
        catalogue=catalogue,
        states=States.load(folder / "states.parquet"),
        contents=contents,
        population=Population.load(folder / "population", catalogue),
        vectors=_read_arrays(folder / "vectors" / "items.safetensors"),
        fusion=load_fusion(folder / "fusion"),
        recommenders=Ensembles.load(folder / "recommender"),
        text_encoder=load_text_encoder(folder / "encoders" / "text"),
        image_encoder=OnnxImageEncoder(folder / "encoders" / "image") if has_photos else None,
    )
    model.__dict__["index"] = SimilarItems.load(folder / "index.faiss")
    model.__dict__["popularity"] = _read_arrays(folder / "vectors" / "popularity.safetensors")["popularity"]
    return model


def _content_vectors(contents: Contents) -> dict[str, Any]:
    numbers = [
        number for number in (*contents.texts, *contents.images) if contents.vector(number) is not None
    ]
    vectors = [vector for number in numbers if (vector := contents.vector(number)) is not None]
    return {
        "contents": np.array(numbers, dtype=np.int64),
        "vectors": np.stack(vectors) if vectors else np.zeros((0, 0), dtype=np.float32),
    }


def _read_arrays(file: Path) -> dict[str, Any]:
    try:
        return dict(load_file(file))
    except (OSError, SafetensorError) as error:
        raise ArtefactError("vectors can't be read", file=str(file), remedy="build the run again") from error


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder

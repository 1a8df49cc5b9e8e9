"""The model of a shop: profiles, lists, and learning from the next event."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.config import Settings
from huaxiang.encoders.base import ImageInput, StoredTextEncoder
from huaxiang.encoders.image import OnnxImageEncoder
from huaxiang.errors import InputError, UnknownItemError
from huaxiang.evaluate.trial import Ensembles, Trial
from huaxiang.feedback.training_log import PURPOSE as LEARNING
from huaxiang.fusion import Fusion
from huaxiang.fusion.renewed import Readers
from huaxiang.knowledge.graph import Graph, GraphView, Together
from huaxiang.knowledge.rules import Circumstances, Goods, Rulebook, Ruling
from huaxiang.model import reading
from huaxiang.model.items import with_items
from huaxiang.model.joined import graph_of, popularity_of, shelf_of, without_shoppers
from huaxiang.model.known import Known
from huaxiang.model.lists import Wanted, alike, asker, listed
from huaxiang.model.profiles import asked, background, described
from huaxiang.model.saving import save
from huaxiang.model.search_relevance import SearchRelevance
from huaxiang.model.searching import searched
from huaxiang.notes import Note
from huaxiang.profile.consent import consents_in
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import NOBODY, Background, derive_profile, derive_vector
from huaxiang.profile.population import Population
from huaxiang.profile.reference import Reference
from huaxiang.profile.state import NO_ITEM, ProfileState
from huaxiang.profile.states import States
from huaxiang.profile.update import state_event, update
from huaxiang.profile.vector import WIDTH
from huaxiang.ranking.base import Shelf
from huaxiang.recommend.histories import histories_from_states, take_events
from huaxiang.recommend.lists import Asker
from huaxiang.recommend.similar import SimilarItems
from huaxiang.records import Event, EventType, Item, Matrix, Profile, Slate, Vector
from huaxiang.runs import fingerprint_of, new_run, write_manifest
from huaxiang.search.base import Query, SearchResult
from huaxiang.search.completion import Completion
from huaxiang.search.index import SearchIndex
from huaxiang.search.understand import LONGEST
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import Catalogue
from huaxiang.shop.event_records import event_row


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
    reference
        The shop's shoppers when it was fitted, whom a profile's vector measures against.
    together, graph_view
        What was bought together when it was fitted, and what makes the vectors "graph" from edges; or None.
    rules
        The shop's rules; None where there are none. They are no part of what is saved.
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
    reference: Reference = NOBODY
    together: Together | None = None
    graph_view: GraphView | None = None
    rules: Rulebook | None = None

    @cached_property
    def shelf(self) -> Shelf:
        """What ranking reads of the catalogue."""
        return shelf_of(self)

    @cached_property
    def graph(self) -> Graph:
        """The product graph: what completes an item, what replaces it, and where it belongs."""
        return graph_of(self)

    @cached_property
    def popularity(self) -> Vector:
        """How often each item was bought, 1 for the one bought most, (I,)."""
        return popularity_of(self.shop.events, self.catalogue.n_items)

    @cached_property
    def goods(self) -> Goods:
        """The items as the shop's rules name them."""
        items = self.shop.items
        return Goods(
            catalogue=self.catalogue,
            group_ids=items["group_id"].to_list(),
            paths=items["category"].to_list(),
        )

    @property
    def readers(self) -> Readers:
        """What reads words and photos."""
        return Readers(words=self.text_encoder, eyes=self.image_encoder, fusion=self.fusion)

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
    def text_index(self) -> SimilarItems:
        """The vectors of the items' texts, to find what words mean."""
        return SimilarItems.of(self.vectors["text"])

    @cached_property
    def image_index(self) -> SimilarItems:
        """The vectors of the items' photos, to find what a photo shows."""
        return SimilarItems.of(self.vectors["image"])

    @cached_property
    def relevance(self) -> SearchRelevance | None:
        """What was learnt from judged pairs of queries and products; None where nothing was."""
        folder = self.settings.search.relevance
        return SearchRelevance.of(folder, self) if folder else None

    @cached_property
    def search_index(self) -> SearchIndex:
        """The items' words, to find them by."""
        return SearchIndex.of(self.shop, self.catalogue)

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
        return without_shoppers(self)

    def with_items(
        self,
        items: Sequence[Item],
        *,
        removed: Collection[str] = (),
        photos: Mapping[str, ImageInput] | None = None,
        readers: Readers | None = None,
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
        readers
            What turns words and photos into the vectors that this model's encoders would give, perhaps from
            a cache; None asks the encoders.
        """
        return with_items(self, items, removed=removed, photos=photos or {}, readers=readers)

    def knowing(self, **known: object) -> Model:
        """Return this model, which then doesn't work out again what is known already."""
        self.__dict__.update(known)
        return self

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

    def representations(
        self, shopper_ids: Sequence[str] | None = None, *, now: datetime | None = None
    ) -> Matrix:
        """Return the vectors of the profiles of many shoppers, float32, (U, 512): for other models.

        The same numbers as `profile(…).vector`, without the time that intent, interests and portraits take.
        `huaxiang.profile.vector` says what stands where.

        Parameters
        ----------
        shopper_ids
            None is everybody with events, sorted by id.
        now
            Moment to derive them for; None is the moment of the newest event in the log. Events after it are
            not left out: they are in the states.

        Raises
        ------
        UnknownShopperError
            When there is no event of one of them.
        """
        ids = self.states.table()["shopper_id"].to_list() if shopper_ids is None else shopper_ids
        seen = self.background(self.contents, now=now)
        vectors = [derive_vector(self.states.state(shopper_id), seen) for shopper_id in ids]
        return np.stack(vectors) if vectors else np.zeros((0, WIDTH), np.float32)

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
        return described(self, text=text, image=image, now=now or self.newest)

    def derive(
        self,
        known: Known,
        *,
        shopper_id: str | None,
        now: datetime | None,
        position: int | None = None,
        consent: Mapping[str, bool] | None = None,
        with_vector: bool = True,
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
        with_vector
            Whether the profile's vector is wanted.
        """
        background = self.background(known.contents, now=now, position=position)
        shown = derive_profile(
            known.state,
            background,
            shopper_id=shopper_id,
            consent=self.consents.get(shopper_id or "") if consent is None else consent,
            described=shopper_id is None,
            with_vector=with_vector,
        )
        return replace(shown, state=replace(known, state=shown.state))

    def background(
        self, contents: Contents, *, now: datetime | None = None, position: int | None = None
    ) -> Background:
        """Return what profiles are read against; see `derive`."""
        return background(
            self, contents, now=now or self.newest, position=self.position if position is None else position
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
        return asked(
            self, known, shopper_id=shopper_id, now=now or self.newest, position=position, consent=consent
        )

    def recommend(  # noqa: PLR0913 - one argument per choice
        self,
        shopper: str | Profile,
        *,
        k: int = 10,
        of: str = "item",
        repeat: bool = False,
        language: str = "en",
        explain: Literal["quick", "full"] = "full",
        on_unknown: Literal["raise", "popular"] = "raise",
        placement: str = "home",
        channel: str | None = None,
        now: datetime | None = None,
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
        placement, channel, now
            Where and when it is shown, for the shop's rules: see `ruling`.

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
        wanted = Wanted(k=k, of=of, repeat=repeat, language=language, is_checked=explain == "full")
        ruling = self.ruling(profile, now=now, channel=channel, placement=placement, language=language)
        return listed(self, profile, wanted, ruling=ruling)

    def _nobody(self, shopper_id: str) -> Profile:
        return self.derive(
            Known(state=self.states.empty(), contents=self.contents), shopper_id=shopper_id, now=None
        )

    def ruling(
        self,
        profile: Profile | None,
        *,
        query: str | None = None,
        now: datetime | None = None,
        channel: str | None = None,
        placement: str = "home",
        language: str = "en",
    ) -> Ruling | None:
        """Return what the shop's rules say of one list; None where there are no rules.

        What it does not allow must not be listed, by any way; `ranking.ruled.arranged` keeps to all of it.

        Parameters
        ----------
        profile
            Of whom the list is for; None where nobody is known.
        query
            What was searched for.
        now
            None is the moment that the profile is of, and without one that of the newest event.
        channel, placement
            Where it is shown: web, app, … as the shop calls it; and home, item, cart, similar or search.
        """
        if self.rules is None:
            return None
        as_of = None if profile is None else profile.as_of
        under = Circumstances(
            profile=profile,
            query=query,
            now=now or as_of or self.newest,
            channel=channel,
            placement=placement,
            language=language,
        )
        return self.rules.ruling(self.goods, under)

    def similar(
        self,
        item_id: str,
        *,
        k: int = 10,
        language: str = "en",
        channel: str | None = None,
        now: datetime | None = None,
    ) -> Slate:
        """Return the items most like one: in stock, one of each product, none of the item's own variants.

        `channel` and `now` are for the shop's rules: see `ruling`.

        Raises
        ------
        InputError
            For `k` below 1.
        UnknownItemError
            When the catalogue has no such item.
        """
        ruling = self.ruling(None, now=now, channel=channel, placement="similar", language=language)
        return alike(self, self._row_of(item_id), k=k, language=language, ruling=ruling)

    def search(
        self,
        query: str | Query,
        *,
        shopper: str | Profile | None = None,
        k: int = 10,
        language: str = "en",
    ) -> SearchResult:
        """Return the items that answer words or a photo, in the order that suits a shopper best.

        Parameters
        ----------
        query
            Words; or a `Query`, which may have a photo, filters and an order, and its own `k` and `language`.
        shopper
            A shopper's id, or what `profile` or `describe` returned; None is nobody, and so is an id without
            events.

        Raises
        ------
        InputError
            Nothing is looked for, a filter or a page is not there, or no file where the photo should be.
        """
        asked = Query(text=query, k=k, language=language) if isinstance(query, str) else query
        if isinstance(asked.image, str | Path) and not Path(asked.image).is_file():
            raise InputError("no such image", file=str(asked.image), remedy="check its path")
        if isinstance(shopper, str):
            shopper = self.profile(shopper) if shopper in self.states else None
        return searched(self, asked, shopper)

    def suggest(self, typed: str, *, k: int = 8) -> list[Completion]:
        """Return at most `k` ways to finish a query that is being typed; none for nothing typed."""
        return self.search_index.suggest(typed[:LONGEST], k=k) if typed.strip() else []

    def asker(self, profile: Profile) -> Asker:
        """Return the shopper of a profile as the recommenders and the reasons see them."""
        return asker(profile)

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

    def text_vector(self, text: str) -> tuple[Vector, Note | None]:
        """Return the vector of words in the items' space, and what was wrong with them."""
        return reading.text_vector(text, self.readers)

    def image_vector(self, image: ImageInput) -> tuple[Vector, Note | None]:
        """Return the vector of a photo in the items' space, and what was wrong with it."""
        return reading.image_vector(image, self.readers)

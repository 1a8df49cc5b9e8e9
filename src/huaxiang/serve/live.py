"""One shop, live: the only place where the log, the states and the model meet.

events ─► log (durable) ─► states (readable) ─► acknowledged
                               │
request ─► person ─► profile or list, from the state and nothing else
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Literal

from sqlalchemy import Connection

from huaxiang.errors import ConsentError, InputError, UnknownItemError
from huaxiang.feedback.drift import Comparison
from huaxiang.feedback.following import Shown
from huaxiang.feedback.outcomes import Outcomes
from huaxiang.feedback.policies import Config as Exploration
from huaxiang.feedback.policies import explore
from huaxiang.model import Known
from huaxiang.model.review_reasons import with_review_reasons
from huaxiang.notes import Note, note
from huaxiang.profile.state import StateEvent, Totals
from huaxiang.profile.update import content_hash, content_of, event_key, milliseconds, update
from huaxiang.ranking.ruled import in_places
from huaxiang.records import Event, EventType, Profile, Slate, Vector
from huaxiang.serve.answers import written
from huaxiang.serve.contents import SaidThings, saving
from huaxiang.serve.etag import etag_of, weak_etag
from huaxiang.serve.item_readers import ItemReaders
from huaxiang.serve.kept_photos import KeptPhotos
from huaxiang.serve.kept_profiles import Answer, KeptProfiles
from huaxiang.serve.people import People, Person
from huaxiang.serve.reading_ahead import ReadingAhead
from huaxiang.serve.reviews import LiveReviews
from huaxiang.serve.ruling import ShopRules
from huaxiang.serve.serving import Serving
from huaxiang.serve.settings import ServeSettings
from huaxiang.serve.states import StateReader
from huaxiang.serve.writer import Writer
from huaxiang.shop.catalogue import Catalogue
from huaxiang.store import (
    Appended,
    Content,
    Head,
    LoggedEvent,
    SlateRow,
    Store,
    add_slates,
    group,
    numbers_after,
)
from huaxiang.store.shoppers import newest_heads

Clock = Callable[[], datetime]
PLACEMENTS = ("home", "item", "cart")
STALE_DAYS = 30
"""A log whose newest event is older than this is read as of that event: it is a past, not a live, shop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of events: how many are new, how many were there already, and the newest position."""

    n_new: int
    n_duplicates: int
    n_dropped: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What list is asked for.

    Parameters
    ----------
    placement
        home, item (beside `item_ids`), or cart (what goes with `item_ids`).
    channel
        web, app, … as the shop's rules call it.
    explain
        See `Model.recommend`.
    purpose
        That of the key: the shopper must have allowed it.
    """

    k: int = 10
    of: str = "item"
    placement: str = "home"
    item_ids: tuple[str, ...] = ()
    repeat: bool = False
    language: str = "en"
    channel: str | None = None
    explain: Literal["quick", "full"] = "quick"
    purpose: str = "recommend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a list is made from, beside the model.

    Parameters
    ----------
    is_refused
        The shopper has not allowed it: the list is nobody's.
    notes
        What is not as it should be.
    """

    wanted: Wanted
    person: Person
    known: Known
    is_refused: bool
    notes: tuple[Note, ...]


@dataclass
class LiveShop:
    """A shop that is served.

    Parameters
    ----------
    serving
        What requests read; replaced as a whole.
    photos
        What shops and shoppers sent, by name.
    item_readers
        What reads the words and photos of changed items.
    item_no_of
        Item id → its number in the log.
    numbers_change
        Number of the newest change to the items that `item_no_of` has.
    swapping
        Held while another catalogue or model is made from what is served, and while it learns: one of them
        would be lost otherwise.
    items_changed
        Set when this process wrote items: it needn't wait for its next look.
    ahead
        What was read of changed items before the catalogue takes them in.
    newest_ms
        When the newest event occurred.
    lag_s
        Age of the oldest event that popularity and neighbours have not learnt yet.
    outcomes
        What came of the lists that this process made.
    drift
        How far shoppers have moved since the model was made, when it was last looked for.
    kept
        Profiles that were answered within this moment.
    reviews
        What was read of the reviews.
    rules
        What the shop rules about its lists.
    """

    shop_id: str
    store: Store
    writer: Writer
    states: StateReader
    people: People
    said: SaidThings
    serving: Serving
    photos: KeptPhotos
    item_readers: ItemReaders
    item_no_of: dict[str, int]
    settings: ServeSettings
    clock: Clock
    newest_ms: int = 0
    lag_s: float = 0.0
    outcomes: Outcomes = field(default_factory=Outcomes)
    numbers_change: int = 0
    swapping: Lock = field(default_factory=Lock)
    items_changed: asyncio.Event = field(default_factory=asyncio.Event)
    ahead: ReadingAhead = field(default_factory=ReadingAhead)
    drift: Comparison | None = None
    kept: KeptProfiles = field(default_factory=KeptProfiles)
    reviews: LiveReviews = field(default_factory=LiveReviews)
    rules: ShopRules = field(default_factory=ShopRules)

    # -- in ----------------------------------------------------------------------------------------------

    async def accept(self, events: Sequence[Event]) -> Accepted:
        """Return once the events are durable and every later read knows them.

        The shoppers' ids are those of the log: hashed. Items must be known.

        Raises
        ------
        BusyError
            Too much waits to be written.
        StoreError
            The log can't be reached; nothing was acknowledged, the same events may be sent again.
        """
        if not events:
            return Accepted(n_new=0, n_duplicates=0, n_dropped=0, position=0)
        logged = [self.logged(event) for event in events]
        done = await asyncio.wrap_future(self.writer.submit(self.shop_id, logged))
        n_new, n_dropped = sum(done.is_new), sum(done.dropped)
        return Accepted(
            n_new=n_new,
            n_duplicates=len(events) - n_new - n_dropped,
            n_dropped=n_dropped,
            position=max(done.positions, default=0),
        )

    def logged(self, event: Event) -> LoggedEvent:
        """Return an event as the log takes it."""
        return as_logged(event, None if event.item_id is None else self.number_of(event.item_id))

    def number_of(self, item_id: str) -> int:
        """Return an item's number in the log.

        Raises
        ------
        UnknownItemError
            When the catalogue has no such item.
        """
        number = self.item_no_of.get(item_id)
        if number is None:
            raise UnknownItemError("no such item", value=item_id, remedy="add it with POST /v1/items first")
        return number

    def renumber(self) -> None:
        """Learn of the items that any process has written since the last time."""
        with self.store.read() as tx:
            found = numbers_after(tx, self.shop_id, self.numbers_change)
        self.item_no_of.update({item_id: number for item_id, number, _ in found})
        self.numbers_change = max([self.numbers_change, *(change for _, _, change in found)])

    def entered(self, events: Sequence[LoggedEvent], appended: Appended) -> None:
        """Make those events readable that are new in the log."""
        new = [place for place, is_new in enumerate(appended.is_new) if is_new]
        if new:
            self.applied(
                [events[place] for place in new],
                [appended.positions[place] for place in new],
                [appended.new_orders[place] for place in new],
            )

    def applied(
        self, events: Sequence[LoggedEvent], positions: Sequence[int], new_orders: Sequence[bool]
    ) -> None:
        """Make events that are in the log readable; called by the writer before anybody hears of them."""
        self.states.append(events, positions, new_orders)
        occurred = [one.event.occurred_at for one in events if one.event.occurred_at]
        if occurred:
            self.newest_ms = max(self.newest_ms, milliseconds(max(occurred)))

    def forget(self, shopper_ids: Sequence[str] | None = None) -> None:
        """Drop what this process keeps of some shoppers, of all where none are named.

        Raises
        ------
        StoreError
            A cache outside the process can't be reached; what is in the process is dropped.
        """
        self.kept.forget()
        self.reviews.forget()
        self.said.forget()
        if shopper_ids is None:
            self.states.forget_all()
        else:
            self.states.forget(shopper_ids)

    # -- out ---------------------------------------------------------------------------------------------

    def moment(self) -> datetime | None:
        """Return the rounded moment; None where the shop knows only an order."""
        if self.serving.model.catalogue.order_only:
            return None
        now, newest = self.clock(), datetime.fromtimestamp(self.newest_ms / 1000, tz=UTC)
        if self.newest_ms and now - newest > timedelta(days=STALE_DAYS):
            return newest
        step = self.settings.as_of_s
        return datetime.fromtimestamp(now.timestamp() // step * step, tz=UTC)

    def as_of(self, person: Person) -> datetime | None:
        """Return the moment as of which a profile is derived: rounded, not before the shopper's last event.

        What others do doesn't move it, so what was answered within a moment holds to its end.
        """
        moment = self.moment()
        if moment is None or not person.state.totals.last_seen_ms:
            return moment
        own = datetime.fromtimestamp(person.state.totals.last_seen_ms / 1000, tz=UTC)
        return max(moment, min(own, self.clock()))

    def profile(
        self, shopper_id: str, *, purpose: str | None, now: datetime | None = None
    ) -> tuple[Profile, Person]:
        """Return a shopper's profile, and who it is of.

        Parameters
        ----------
        purpose
            What it is read for; None where shoppers read their own.

        Raises
        ------
        UnknownShopperError
            The log has nothing of this id.
        ConsentError
            The shopper has not allowed this purpose.
        """
        with self.store.read() as tx:
            heads = self._readable(tx, shopper_id, purpose)
            person = self.people.person(tx, shopper_id, heads)
            known, notes = self.known(tx, person)
        return self._derived(known, person, notes, now=now), person

    def profile_answer(self, shopper_id: str, *, purpose: str | None, vector: bool = False) -> Answer:
        """Return a shopper's profile as it is sent; see `profile`.

        Consent and position are read from the log each time. Where the log has nothing new of the shopper,
        the moment, the model and the catalogue are the same, and no words wait to be read, so is the answer.
        """
        question = (shopper_id, vector)
        background = self.kept.background(self.serving, self.moment())
        with self.store.read() as tx:
            heads = self._readable(tx, shopper_id, purpose)
            kept = self.kept.find(question, heads)
            if kept is not None:
                return kept
            person = self.people.person(tx, shopper_id, heads)
            known, notes = self.known(tx, person)
        profile = self._derived(known, person, notes, with_vector=vector)
        answer = Answer(etag_of(profile, vector), written(profile.as_json(vector=vector)))
        if not notes:
            self.kept.keep(question, heads, answer, made=background)
        return answer

    def _readable(self, tx: Connection, shopper_id: str, purpose: str | None) -> list[Head]:
        heads = self.people.heads(tx, shopper_id)
        if purpose is not None and not self.people.consent(heads).get(purpose, False):
            raise ConsentError(
                "the shopper has not allowed this", column="purpose", value=purpose, remedy="ask the shopper"
            )
        return heads

    def _derived(
        self,
        known: Known,
        person: Person,
        notes: Sequence[Note],
        *,
        now: datetime | None = None,
        with_vector: bool = True,
    ) -> Profile:
        profile = self.serving.model.derive(
            known,
            shopper_id=person.asked,
            now=now or self.as_of(person),
            position=person.position,
            consent=person.consent,
            with_vector=with_vector,
        )
        return replace(profile, degraded=(*profile.degraded, *notes))

    def recommend(self, shopper_id: str | None, wanted: Wanted, *, is_shown: bool = True) -> Slate:
        """Return a list; it is popular, and says so, where the shopper is unknown or has refused.

        Parameters
        ----------
        is_shown
            Whether it is going to be shown, so that what comes of it counts; not where it is only looked at.
        """
        return self.listed(self.asked(shopper_id, wanted), is_shown=is_shown)

    def asked(self, shopper_id: str | None, wanted: Wanted) -> Asked:
        """Return what a list is going to be made from, which is found sooner than the list is made."""
        self._check(wanted)
        with self.store.read() as tx:
            person = self.people.nobody() if shopper_id is None else self.people.find(tx, shopper_id)
            refused = person.is_known and not person.consent.get(wanted.purpose, False)
            if refused:
                person = self.people.nobody(shopper_id)
            known, notes = self.known(tx, person)
        if refused:
            notes = (*notes, note("no_consent", purpose=wanted.purpose))
        return Asked(wanted=wanted, person=person, known=known, is_refused=refused, notes=notes)

    def listed(self, asked: Asked, *, is_shown: bool = True) -> Slate:
        """Return the list; see `recommend`."""
        slate = self._list(asked.known, asked.person, asked.wanted)
        slate = replace(slate, degraded=(*slate.degraded, *asked.notes))
        if is_shown:
            self.keep_slate(slate, asked.person, asked.wanted.placement)
        return slate

    def list_tag(self, asked: Asked) -> str | None:
        """Return the tag of a list, None where the same will not be made again.

        It won't where places are drawn by chance, or where words are still to be read.
        """
        still_reads = len(asked.notes) > asked.is_refused
        if self.settings.exploration > 0 or still_reads:
            return None
        model, person, now = self.serving.model, asked.person, self.as_of(asked.person)
        hour = int(self.clock().timestamp() // 3600)
        events = (person.ids, person.position, asked.known.state.totals.n_events, asked.is_refused)
        consent = sorted(person.consent.items())
        on_goods = None if model.rules is None else model.rules.on(model.goods)
        rules = None if on_goods is None else on_goods.tag(self.clock())
        return weak_etag(asked.wanted, events, consent, model.name, model.catalogue.version, now, hour, rules)

    def _list(self, known: Known, person: Person, wanted: Wanted) -> Slate:
        model, now = self.serving.model, self.as_of(person)
        shown = self._in_context(known, wanted, now)
        profile = self.asked_profile(shown, person, now)
        profile = replace(profile, state=self._with_sensitive_page(profile.state, wanted, now))
        shown_rows = [model.catalogue.row_of[item_id] for item_id in wanted.item_ids]
        exploring = Exploration(share=self.settings.exploration)
        n_wanted = exploring.n_wanted(wanted.k) if wanted.of == "item" else wanted.k
        slate = model.recommend(
            profile,
            k=n_wanted + len(shown_rows),
            of=wanted.of,
            repeat=wanted.repeat,
            language=wanted.language,
            explain=wanted.explain,
            placement=wanted.placement,
            channel=wanted.channel,
            now=self.clock(),
        )
        if wanted.of == "item" and shown_rows:
            slate = _without(slate, shown_rows, model.catalogue, k=n_wanted)
        slate = replace(slate, shopper_id=person.asked, slate_id=secrets.token_urlsafe(12))
        slate = with_review_reasons(slate, profile.state, self.reviews.tallies, language=wanted.language)
        return explore(slate, k=wanted.k, config=exploring, seed=model.settings.seed)

    def asked_profile(self, known: Known, person: Person, now: datetime | None) -> Profile:
        """Return as much of a profile as the list reads: all of it where the shop's rules ask for more."""
        model, asked_for = self.serving.model, person.asked or ""
        on_goods = None if model.rules is None else model.rules.on(model.goods)
        if on_goods is not None and on_goods.reads_the_whole_profile:
            return model.derive(
                known,
                shopper_id=asked_for,
                now=now,
                position=person.position,
                consent=person.consent,
                with_vector=False,
            )
        return model.derive_asked(
            known, shopper_id=asked_for, now=now, position=person.position, consent=person.consent
        )

    def latest_profiles(self, n_shoppers: int, *, purpose: str) -> Iterator[Profile]:
        """Yield the profile of somebody unknown, then of those last seen who allow the purpose.

        They are called by their ids in the log, which are hashed.
        """
        with self.store.read() as tx:
            nobody = self.people.nobody()
            known, notes = self.known(tx, nobody)
            newest = newest_heads(tx, self.shop_id, limit=n_shoppers)
        yield self._derived(known, nobody, notes, with_vector=False)
        for head in newest:
            with self.store.read() as tx:
                heads = group(tx, self.shop_id, head.shopper_id)
                if not heads or not self.people.consent(heads).get(purpose, False):
                    continue
                person = self.people.person(tx, head.shopper_id, heads)
                known, notes = self.known(tx, person)
            yield self._derived(known, person, notes, with_vector=False)

    def _with_sensitive_page(self, known: Known, wanted: Wanted, now: datetime | None) -> Known:
        """Return the state with the sensitive items that the page shows, which profiles leave out.

        What goes with such an item may still stand on its own page.
        """
        model = self.serving.model
        hidden = model.population.values.sensitive(model.settings.profile).items
        shown = tuple(one for one in wanted.item_ids if model.catalogue.row_of[one] in hidden)
        return self._in_context(known, replace(wanted, item_ids=shown), now) if shown else known

    def _in_context(self, known: Known, wanted: Wanted, now: datetime | None) -> Known:
        """Return the state with what the page shows as one more event: nothing of it is stored."""
        state = known.state
        kind = EventType.ADD_TO_CART if wanted.placement == "cart" else EventType.VIEW_ITEM
        for number, item_id in enumerate(wanted.item_ids):
            row = self.serving.model.catalogue.row_of[item_id]
            occurred_ms = state.totals.n_events if now is None else milliseconds(now)
            event = StateEvent(occurred_ms, key=number, type=kind.code, item_no=row)
            state = update(state, event, totals=Totals(occurred_ms, occurred_ms, n_events=1))
        return replace(known, state=state)

    def known(self, tx: Connection, person: Person) -> tuple[Known, tuple[Note, ...]]:
        """Return what a person's profile is made from, and what of it could not be had."""
        contents, notes = self.said.of(tx, person.state, person.ids, save=self._save_content)
        return Known(state=self.serving.in_rows(person.state), contents=contents), notes

    def _check(self, wanted: Wanted) -> None:
        if wanted.placement not in PLACEMENTS:
            raise InputError(
                "no such placement",
                column="placement",
                value=wanted.placement,
                remedy=f"choose one of {', '.join(PLACEMENTS)}",
            )
        if not 1 <= wanted.k <= self.settings.limits.list_length:
            raise InputError(
                "not a length of a list",
                column="k",
                value=str(wanted.k),
                remedy=f"give 1 to {self.settings.limits.list_length}",
            )
        for item_id in wanted.item_ids:
            if item_id not in self.serving.model.catalogue.row_of:
                raise UnknownItemError("no such item", column="item_id", value=item_id, remedy="check the id")

    def _save_content(self, content: Content) -> None:
        self.writer.note(partial(saving, shop_id=self.shop_id, content=content))

    def keep_slate(self, slate: Slate, person: Person, placement: str) -> None:
        """Remember a list that is going to be shown, so that what comes of it counts."""
        shopper_id = person.ids[0] if person.ids else None
        shown_ms = milliseconds(self.clock())
        row = SlateRow.of_slate(slate, shopper_id=shopper_id, placement=placement, shown_ms=shown_ms)
        self.writer.note(lambda tx: add_slates(tx, self.shop_id, [row]))
        if slate.of == "item":
            chances = [one.propensity for one in slate.items]
            self.outcomes.learn_slate(
                Shown(
                    slate_id=slate.slate_id,
                    shopper_id=shopper_id,
                    model=slate.model,
                    placement=placement,
                    shown_ms=shown_ms,
                    item_nos=tuple(self.item_no_of[one.item_id] for one in slate.items),
                    propensities=tuple(chance for chance in chances if chance is not None),
                )
            )


def as_logged(event: Event, item_no: int | None) -> LoggedEvent:
    """Return an event with the numbers by which states name it."""
    return LoggedEvent(
        event=event,
        event_key=event_key(event.event_id),
        item_no=item_no,
        content=content_hash(content_of(event)),
    )


def _without(slate: Slate, shown_rows: Sequence[int], catalogue: Catalogue, *, k: int) -> Slate:
    """Return the list without what the page shows already, in any variant."""
    shown = set(catalogue.group_rows[list(shown_rows)].tolist())
    kept = [one for one in slate.items if catalogue.group_rows[catalogue.row_of[one.item_id]] not in shown]
    pinned = {one.rank - 1: one for one in kept if one.is_pinned and one.rank <= k}
    others = [one for one in kept if one.rank - 1 not in pinned]
    items = in_places(pinned, others, k=k)
    return replace(slate, items=tuple(replace(one, rank=place) for place, one in enumerate(items, 1)))


def encoder_of(serving: Callable[[], Serving], photos: KeptPhotos) -> Callable[[str, str], Vector]:
    """Return what turns words or a photo into a vector, by the model that is served.

    A photo is one that is kept here: whatever else its name may be, no file is opened for it.
    """

    def encode(kind: str, said: str) -> Vector:
        model = serving().model
        return (model.image_vector(photos.get(said)) if kind == "photo" else model.text_vector(said))[0]

    return encode

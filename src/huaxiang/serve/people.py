"""Who a request is about: all ids that were joined, one state, one consent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from huaxiang.errors import UnknownShopperError
from huaxiang.profile.consent import stricter
from huaxiang.profile.merge import merge_states
from huaxiang.profile.state import ProfileState
from huaxiang.serve.pseudonyms import Pseudonyms
from huaxiang.serve.settings import PURPOSES
from huaxiang.serve.states import StateReader
from huaxiang.serve.wire_fields import plain_id
from huaxiang.store import Head, Store, group


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A shopper as the log knows them now.

    Parameters
    ----------
    asked
        The shop's own id, as the request gave it; it is never stored.
    ids
        Hashes of every id that was joined, the one asked for first.
    position
        Of their newest event.
    """

    asked: str | None
    ids: tuple[str, ...]
    state: ProfileState
    position: int = 0
    consent: Mapping[str, bool] = field(default_factory=dict)
    traits: Mapping[str, str] = field(default_factory=dict)
    is_known: bool = True


class People:
    """The shoppers of one shop.

    Parameters
    ----------
    allowed
        Purposes that hold until a shopper says otherwise.
    """

    def __init__(
        self,
        shop_id: str,
        store: Store,
        states: StateReader,
        pseudonyms: Pseudonyms,
        *,
        allowed: Sequence[str],
    ) -> None:
        self._shop_id = shop_id
        self._store = store
        self._states = states
        self._pseudonyms = pseudonyms
        self._default = {purpose: purpose in allowed for purpose in PURPOSES}

    def hashed(self, shopper_id: str) -> str:
        """Return the id under which the log has a shopper."""
        return self._pseudonyms.of(self._shop_id, plain_id(shopper_id))

    def nobody(self, shopper_id: str | None = None) -> Person:
        """Return somebody of whom nothing is known."""
        ids = () if shopper_id is None else (self.hashed(shopper_id),)
        return Person(
            asked=shopper_id, ids=ids, state=self._states.empty, consent=self._default, is_known=False
        )

    def find(self, tx: Connection, shopper_id: str) -> Person:
        """Return a shopper; somebody of whom nothing is known if there is no such id."""
        heads = group(tx, self._shop_id, self.hashed(shopper_id))
        return self.person(tx, shopper_id, heads) if heads else self.nobody(shopper_id)

    def known(self, tx: Connection, shopper_id: str) -> Person:
        """Return a shopper.

        Raises
        ------
        UnknownShopperError
            When the log has nothing of this id.
        """
        return self.person(tx, shopper_id, self.heads(tx, shopper_id))

    def heads(self, tx: Connection, shopper_id: str) -> list[Head]:
        """Return what the log knows of a shopper's ids, the one asked for first.

        Raises
        ------
        UnknownShopperError
            When the log has nothing of this id.
        """
        heads = group(tx, self._shop_id, self.hashed(shopper_id))
        if not heads:
            raise UnknownShopperError("no such shopper", remedy="check the id, or send an event first")
        return heads

    def consent(self, heads: Sequence[Head]) -> dict[str, bool]:
        """Return what a shopper allows: what holds by default where they have not said otherwise."""
        return {**self._default, **_consent(heads)}

    def person(self, tx: Connection, asked: str, heads: Sequence[Head]) -> Person:
        """Return a shopper of whom the log has these heads."""
        states = self._states.states(tx, heads)
        return Person(
            asked=asked,
            ids=tuple(head.shopper_id for head in heads),
            state=states[0] if len(states) == 1 else merge_states(states),
            position=max(head.last_position for head in heads),
            consent=self.consent(heads),
            traits={key: value for head in reversed(heads) for key, value in head.traits.items()},
        )


def _consent(heads: Iterable[Head]) -> dict[str, bool]:
    """Return what a shopper with several ids has allowed: what one of them refused is refused."""
    joined: dict[str, bool] = {}
    for head in heads:
        answers = {purpose: bool(answer["allowed"]) for purpose, answer in head.consent.items()}
        joined = stricter(joined, answers)
    return joined

"""Settings of the service: limits, purposes, and where shoppers' ids are made unreadable.

They stand under `[serve]` in a settings file. Addresses and secrets come from the environment alone.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from huaxiang.errors import SettingsError
from huaxiang.records import EventType

PURPOSES = ("recommend", "search", "service", "ads", "research", "train")
"""What a profile may be read for; a shopper allows or refuses each."""

MEBIBYTE = 1 << 20
ALL = "all"
_EXPIRING = (ALL, *(kind.value for kind in EventType if kind.value not in ("consent", "alias")))
_TRACKABLE = tuple(kind.value for kind in EventType if kind.value not in ("correct", "consent", "alias"))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request and one key may ask for; what is beyond is refused with its status and a remedy.

    Parameters
    ----------
    body_bytes
        Longest body, 413 beyond; also of a body after gzip is undone.
    batch_events, batch_items
        Most events, and most changes of items, in one request, 413 beyond.
    item_bytes, item_pictures
        Most JSON of one item beside its photos, and most photos of it.
    text_characters, id_characters
        Longest words and longest id of one event.
    context_bytes, context_depth
        Most JSON that may stand around one event.
    event_days
        Events may be this old.
    requests_per_s, burst
        Rate of one key in one worker, 429 beyond; a burst may be ahead of it.
    sign_ins_per_minute
        Keys that are refused at the console's door, from one address, before it stays shut for a while; 429.
    request_s
        Longest time for one request, 503 beyond.
    list_length
        Longest list.
    waiting_events
        Most events that wait to be written, 503 beyond.
    picture_bytes, picture_pixels
        Largest photo taken from an address.
    pictures_s
        Longest time for all photos of one request; those that didn't come are named in the answer.
    dead_letters
        Most events of a shop that wait to be retried; the oldest are dropped beyond, and counted.
    """

    body_bytes: int = 4 * MEBIBYTE
    batch_events: int = 500
    batch_items: int = 500
    item_bytes: int = 65_536
    item_pictures: int = 5
    text_characters: int = 10_000
    id_characters: int = 200
    context_bytes: int = 4096
    context_depth: int = 6
    event_days: float = 18_262.0
    requests_per_s: float = 1000.0
    burst: int = 2000
    sign_ins_per_minute: int = 10
    request_s: float = 10.0
    list_length: int = 200
    waiting_events: int = 50_000
    picture_bytes: int = 8 * MEBIBYTE
    picture_pixels: int = 40_000_000
    pictures_s: float = 8.0
    dead_letters: int = 10_000

    def __post_init__(self) -> None:
        for limit in fields(self):
            _above_zero(f"serve.limits.{limit.name}", getattr(self, limit.name))


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """What holds where a shopper was not asked, and how much published counts may give away.

    Parameters
    ----------
    allowed
        Purposes that are allowed until a shopper says otherwise.
    least_group
        Fewest shoppers behind a published count.
    epsilon, epsilon_per_day
        Of the Laplace noise of one published table, and of all tables of a day.
    replace_within_days
        By when networks that learnt from an erased shopper are replaced: retrain at least this often.
    gather_erasures_s
        Seconds that erasures are gathered before what counts is counted again without those who were erased.
    """

    allowed: tuple[str, ...] = ("recommend", "search", "service", "research", "train")
    least_group: int = 20
    epsilon: float = 0.5
    epsilon_per_day: float = 5.0
    replace_within_days: int = 30
    gather_erasures_s: float = 5.0

    def __post_init__(self) -> None:
        for purpose in self.allowed:
            if purpose not in PURPOSES:
                remedy = f"purposes are {', '.join(PURPOSES)}"
                raise SettingsError(
                    "no such purpose", column="serve.privacy.allowed", value=purpose, remedy=remedy
                )
        for name in ("least_group", "epsilon", "epsilon_per_day", "replace_within_days", "gather_erasures_s"):
            _above_zero(f"serve.privacy.{name}", getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How many days things are kept; what isn't set is kept until somebody is erased.

    Consent and joined ids hold until they are answered otherwise, and are kept whatever is set here.

    Parameters
    ----------
    events_days
        Type of event → days; `all` stands for every type that isn't named but `correct`.
    words_days
        What shoppers wrote and showed: searches, reviews, photos. The events stay without it.
    lists_days, dead_letters_days, audit_days
        Lists that were shown, events that could not be taken yet, lines of the audit.
    train_days
        Models learn from no event that is older, though it may be kept for other purposes.
    every_s
        Seconds between two passes of a service over its log.
    """

    events_days: Mapping[str, float] = field(default_factory=dict)
    words_days: float | None = None
    lists_days: float | None = None
    dead_letters_days: float | None = None
    audit_days: float | None = None
    train_days: float | None = None
    every_s: float = 3600.0

    def __post_init__(self) -> None:
        for kind, days in self.events_days.items():
            if kind not in _EXPIRING:
                nearest = get_close_matches(kind, _EXPIRING, n=1, cutoff=0.0)[0]
                raise SettingsError(
                    "no such type of event, or one that is always kept",
                    column=f"serve.retention.events_days.{kind}",
                    remedy=f"the nearest is {nearest}",
                )
            _above_zero(f"serve.retention.events_days.{kind}", days)
        for limit in fields(self):
            value = getattr(self, limit.name)
            if limit.name != "events_days" and value is not None:
                _above_zero(f"serve.retention.{limit.name}", value)


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """Everything about the service that is no address and no secret.

    Parameters
    ----------
    exploration
        Share of a list's places that are drawn by chance, 0 to 1.
    as_of_s
        Profiles are derived as of a moment rounded down to this many seconds, so that they can be kept, or as
        of the shopper's own last event where that is later.
    snapshot_s
        Seconds between snapshots of the states kept in process.
    poll_s
        Seconds between looks for what other processes changed: models, items, keys.
    drift_s, drift_days
        Seconds between two looks for drift, and how many of the newest days are compared.
    future_s
        Clocks ahead of ours by more than this are set back to the moment of receipt, and counted.
    picture_hosts
        Hosts that photos may be fetched from; none by default.
    segment_names
        The shop's own names of Segment's track events → our types, beside those of its e-commerce spec.
    rules
        File of shop rules (YAML), looked at each second; none by default.
    """

    limits: Limits = field(default_factory=Limits)
    privacy: Privacy = field(default_factory=Privacy)
    retention: Retention = field(default_factory=Retention)
    exploration: float = 0.0
    as_of_s: int = 60
    snapshot_s: float = 300.0
    poll_s: float = 0.25
    drift_s: float = 300.0
    drift_days: float = 7.0
    future_s: float = 300.0
    picture_hosts: tuple[str, ...] = ()
    segment_names: Mapping[str, str] = field(default_factory=dict)
    rules: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.exploration <= 1:
            raise SettingsError(
                "setting is out of range",
                column="serve.exploration",
                value=str(self.exploration),
                remedy="give a share from 0 to 1",
            )
        for name in ("as_of_s", "snapshot_s", "poll_s", "drift_s", "drift_days"):
            _above_zero(f"serve.{name}", getattr(self, name))
        for name, kind in self.segment_names.items():
            if kind not in _TRACKABLE:
                raise SettingsError(
                    "no such type of event",
                    column=f"serve.segment_names.{name}",
                    value=kind,
                    remedy=f"the nearest is {get_close_matches(kind, _TRACKABLE, n=1, cutoff=0.0)[0]}",
                )


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where things are, and the secrets: what the environment says."""

    store: str
    state: str = "memory"
    admin_key: str | None = field(default=None, repr=False)
    pseudonym_key: str | None = field(default=None, repr=False)


def read_serve_settings(file: Path | None = None) -> ServeSettings:
    """Return the `[serve]` table of a settings file, the defaults where there is none.

    Raises
    ------
    SettingsError
        For an unknown key (naming the nearest valid one), a wrong type or a value out of range.
    """
    if file is None:
        return ServeSettings()
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"settings can't be read ({error})", file=str(file), remedy="check --settings"
        ) from error
    return serve_settings_from(tree.get("serve", {}), file=str(file))


def serve_settings_from(tree: Mapping[str, Any], *, file: str | None = None) -> ServeSettings:
    """Return validated settings from a tree of plain values.

    Examples
    --------
    >>> serve_settings_from({"exploration": 0.1}).exploration
    0.1
    """
    _check_keys(tree, file=file)
    try:
        return TypeAdapter(ServeSettings).validate_python(tree)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            first["msg"].lower(),
            file=file,
            column=".".join(["serve", *(str(part) for part in first["loc"])]),
            value=str(first["input"]),
            remedy="see docs/reference/settings.md",
        ) from error


def addresses(environment: Mapping[str, str], *, run: Path) -> Addresses:
    """Return where the log and the states are kept; by default in the run's own folder `live/`.

    Examples
    --------
    >>> addresses({}, run=Path("runs/demo")).store
    'sqlite:///runs/demo.live/store.sqlite'
    """
    beside = run.with_name(run.name + ".live")
    return Addresses(
        store=environment.get("HUAXIANG_STORE") or f"sqlite:///{beside / 'store.sqlite'}",
        state=environment.get("HUAXIANG_STATE") or "memory",
        admin_key=environment.get("HUAXIANG_ADMIN_KEY") or None,
        pseudonym_key=environment.get("HUAXIANG_PSEUDONYM_KEY") or None,
    )


def _check_keys(tree: Mapping[str, Any], *, file: str | None) -> None:
    parts: dict[str, type] = {"": ServeSettings, "limits": Limits, "privacy": Privacy, "retention": Retention}
    for part, kind in parts.items():
        known = [one.name for one in fields(kind)]
        for key in tree.get(part, {}) if part else tree:
            if key not in known:
                near = get_close_matches(key, known, n=1, cutoff=0.0)[0]
                path = ".".join(name for name in ("serve", part) if name)
                raise SettingsError(
                    "no such setting",
                    file=file,
                    column=f"{path}.{key}",
                    remedy=f"the nearest is {path}.{near}",
                )


def _above_zero(name: str, value: float) -> None:
    if not value > 0:
        raise SettingsError(
            "setting is out of range", column=name, value=str(value), remedy="give a number above zero"
        )


def environment() -> Mapping[str, str]:
    """Return the environment; the only place of the service that reads it."""
    return os.environ

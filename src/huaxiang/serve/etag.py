"""What an answer was made from, as an ETag: equal tags, equal answers.

The first part says what the shopper's profile was made from: log position, model, catalogue and consent. The
second is the rounded moment. A cached answer needs both; a correction (`If-Match`) the first alone, since the
passing of time is no change that somebody else made.
"""

from __future__ import annotations

from huaxiang.errors import PreconditionError
from huaxiang.records import Profile
from huaxiang.runs import fingerprint_of


def etag_of(profile: Profile, *more: object) -> str:
    """Return the tag of what is made from a profile; `more` is whatever else the answer depends on."""
    version = profile.version
    consent = sorted(profile.consent.items())
    events = f"{version.position} {profile.n_events}"  # old ones may go without a new one coming
    made_of = fingerprint_of(profile.shopper_id or "", events, version.model, version.catalogue, str(consent))
    return f'"{made_of}-{fingerprint_of(str(profile.as_of), *map(str, more))}"'


def is_same(if_none_match: str | None, etag: str) -> bool:
    """Return whether the caller has the answer already.

    Examples
    --------
    >>> is_same('W/"a-b", "c-d"', '"a-b"'), is_same('"a"', 'W/"a"'), is_same(None, '"a-b"')
    (True, True, False)
    """
    if not if_none_match:
        return False
    named = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return "*" in named or etag.removeprefix("W/") in named


def weak_etag(*made_of: object) -> str:
    """Return a tag of what is as good as what was made from the same: not byte for byte, as ids are new.

    Examples
    --------
    >>> weak_etag("home", 10) == weak_etag("home", 10) != weak_etag("home", 11)
    True
    """
    return f'W/"{fingerprint_of(*map(str, made_of))}"'


def check_match(if_match: str | None, etag: str) -> None:
    """Raise `PreconditionError` where the profile is not the one that the caller saw."""
    if not if_match or if_match.strip() == "*":
        return
    made_of = etag.partition("-")[0]
    if all(one.strip().removeprefix("W/").partition("-")[0] != made_of for one in if_match.split(",")):
        raise PreconditionError(
            "the profile has changed since it was read", column="If-Match", remedy="read it again"
        )

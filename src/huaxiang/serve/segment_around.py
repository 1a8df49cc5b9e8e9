"""What stands around a message of Segment's: when it happened by our clock, and on what it was seen.

Source
------
Twilio Segment, Spec: common fields, timestamps: `timestamp = receivedAt - (sentAt - originalTimestamp)`, so
that a client whose clock is wrong is put right, since both of its times are wrong by the same.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Stated = dict[str, Any]
_CHANNELS = {"browser": "web", "web": "web", "client": "web", "mobile": "app", "app": "app"}
_APP_LIBRARIES = re.compile(r"ios|android|swift|kotlin|react-native|flutter|unity|xamarin", re.IGNORECASE)
_BOT = re.compile(r"bot\b|crawl|spider|slurp|headless", re.IGNORECASE)
_TABLET = re.compile(r"ipad|tablet|kindle|playbook", re.IGNORECASE)
_MOBILE = re.compile(r"mobi|iphone|ipod", re.IGNORECASE)
_LONGEST_AGENT = 1000


def occurred(message: Stated, sent_at: object, now: datetime) -> Stated:
    """Return when it happened, by our clock, in the shopper's own time where the message names a zone.

    Nothing is returned where the message has no time: then it happened when it arrived. A text that is no
    time is returned as it is, so that it is refused.

    Examples
    --------
    >>> now = datetime(2026, 3, 1, 12, 0, 2, tzinfo=UTC)
    >>> message = {"timestamp": "2026-03-01T09:00:00Z", "context": {"timezone": "Asia/Shanghai"}}
    >>> occurred(message, "2026-03-01T09:00:01Z", now)
    {'occurred_at': '2026-03-01T20:00:01+08:00'}
    """
    stated = message.get("originalTimestamp") or message.get("timestamp")
    if stated in (None, ""):
        return {}
    moment, sent = _moment(stated), _moment(message.get("sentAt") or sent_at)
    if moment is None:
        return {"occurred_at": stated}
    try:
        moment += now - sent if sent is not None else timedelta()
        return {"occurred_at": _in_own_zone(moment, message).isoformat()}
    except OverflowError:
        return {"occurred_at": str(stated)}


def _moment(stated: object) -> datetime | None:
    if type(stated) is not str:
        return None
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_own_zone(moment: datetime, message: Stated) -> datetime:
    """Return the same moment with an offset of whole minutes: all that a log of events keeps of a zone."""
    context = message.get("context")
    name = context.get("timezone") if type(context) is dict else None
    if type(name) is str and name:
        try:
            moment = moment.astimezone(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
    return moment.astimezone(timezone(timedelta(minutes=minutes)))


def around(message: Stated) -> Stated:
    """Return channel and device. Nothing else of Segment's context is taken: no address, no place, no page.

    Examples
    --------
    >>> phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1"
    >>> around({"context": {"userAgent": phone, "ip": "203.0.113.9"}, "channel": "browser"})
    {'channel': 'web', 'device': 'mobile'}
    """
    context = message.get("context")
    context = context if type(context) is dict else {}
    agent = context.get("userAgent")
    agent = agent[:_LONGEST_AGENT] if type(agent) is str else ""
    named = {"channel": _channel(message, context, agent), "device": _device(context, agent)}
    return {name: word for name, word in named.items() if word}


def _channel(message: Stated, context: Stated, agent: str) -> str:
    stated = message.get("channel")
    if type(stated) is str and stated in _CHANNELS:
        return _CHANNELS[stated]
    library = context.get("library")
    name = library.get("name") if type(library) is dict else None
    if type(name) is str and _APP_LIBRARIES.search(name):
        return "app"
    return "web" if name == "analytics.js" or agent.startswith("Mozilla/") else ""


def _device(context: Stated, agent: str) -> str:
    device = context.get("device")
    if type(device) is dict and device.get("type") in ("ios", "android"):
        return "mobile"
    if not agent:
        return ""
    for pattern, name in ((_BOT, "bot"), (_TABLET, "tablet"), (_MOBILE, "mobile")):
        if pattern.search(agent):
            return name
    return "desktop" if agent.startswith("Mozilla/") else ""

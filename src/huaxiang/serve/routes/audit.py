"""The audit, read page by page."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from huaxiang.errors import InputError
from huaxiang.profile.update import milliseconds
from huaxiang.serve.answers import json_answer
from huaxiang.serve.service import service_of
from huaxiang.store.audit import AuditLine, read_lines

router = APIRouter(tags=["privacy"])
MOST_LINES = 1000
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")

After = Annotated[str, Query(description="`next` of the page before.", max_length=24)]
Since = Annotated[str | None, Query(description="From this moment on, ISO 8601.", max_length=40)]
OfShopper = Annotated[str | None, Query(description="Only what was done with this shopper.", max_length=200)]
ByKey = Annotated[str | None, Query(description="Only what was done with this key.", max_length=100)]
Limit = Annotated[int, Query(description=f"Most lines of the page, 1 to {MOST_LINES}.")]


@router.get("/v1/audit", summary="Who read and changed whom")
async def read_audit(
    request: Request,
    after: After = "",
    since: Since = None,
    shopper_id: OfShopper = None,
    key_id: ByKey = None,
    limit: Limit = 100,
) -> Response:
    """Answer with what keys did with people, the oldest first; `next` leads to the page that follows.

    A person is a keyed hash: the service finds the lines of a shopper, nobody finds the shopper of a line.
    """
    service = service_of(request)
    caller = service.caller(request, "admin")
    shop = service.shop(caller)
    if not 1 <= limit <= MOST_LINES:
        raise InputError(
            "not a length of a page", column="limit", value=str(limit), remedy=f"give 1 to {MOST_LINES}"
        )
    for column, given in (("after", after), ("key_id", key_id)):
        if given and not _PLAIN.fullmatch(given):
            raise InputError("no such name", column=column, remedy="give it as an answer of the audit has it")
    since_ms = 0 if since is None else _moment_ms(since)
    hashed = None if shopper_id is None else shop.people.hashed(shopper_id)
    subject = None if hashed is None else service.privacy.subject(shop.shop_id, hashed)
    service.audit.note(caller, "read audit", hashed)

    def read() -> list[AuditLine]:
        with shop.store.read() as tx:
            return read_lines(
                tx,
                shop.shop_id,
                after=after,
                since_ms=since_ms,
                subject=subject,
                key_id=key_id,
                limit=limit,
            )

    lines = await asyncio.to_thread(read)
    following = lines[-1].line if len(lines) == limit else None
    return json_answer({"lines": [_shown(line) for line in lines], "next": following})


def _moment_ms(written: str) -> int:
    try:
        moment = datetime.fromisoformat(written)
        return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise InputError(
            "not a time", column="since", value=written, remedy="write it as 2026-01-31T12:00:00Z"
        ) from error


def _shown(line: AuditLine) -> dict[str, Any]:
    at = datetime.fromtimestamp(line.at_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
    return {
        "line": line.line,
        "at": at.replace("+00:00", "Z"),
        "key_id": line.key_id,
        "action": line.action,
        "subject": line.subject,
        "purpose": line.purpose,
        "outcome": line.outcome,
    }

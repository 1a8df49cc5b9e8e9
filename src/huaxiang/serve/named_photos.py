"""Photos that requests name: fetched and decoded several at once, kept by name, within one time for all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from huaxiang.errors import HuaxiangError, LimitError, PhotoError
from huaxiang.serve.kept_photos import KeptPhotos
from huaxiang.serve.pictures import Pictures
from huaxiang.serve.settings import ServeSettings

N_AT_ONCE = 4
"""A photo of the largest size takes some 250 MB while it is decoded."""
MAY_PASS = frozenset(("photo_not_allowed", "photo_unreachable", "photo_late"))
"""Codes of refusals that may be otherwise another time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A photo that is kept under `name`, or the reason why there is none."""

    name: str | None = None
    code: str = ""
    message: str = ""


_LATE = Taken(code="photo_late", message="the time for the photos of one request was over; send it again")


class NamedPhotos:
    """What takes the photos that requests name.

    Parameters
    ----------
    most_s
        Longest time for all photos of one request.
    """

    def __init__(self, pictures: Pictures, *, most_s: float) -> None:
        self.pictures = pictures
        self._most_s = most_s
        self._threads = ThreadPoolExecutor(N_AT_ONCE, thread_name_prefix="photos")

    @classmethod
    def of(cls, settings: ServeSettings) -> NamedPhotos:
        """Return what takes photos within a service's limits."""
        return cls(pictures_of(settings), most_s=settings.limits.pictures_s)

    async def take(self, named: Iterable[str], kept: KeptPhotos) -> Mapping[str, Taken]:
        """Return what became of each photo; one that is kept already is not looked for."""
        loop = asyncio.get_running_loop()
        wanted = list(dict.fromkeys(named))
        tasks = {
            one: loop.run_in_executor(self._threads, take_photo, self.pictures, one, kept) for one in wanted
        }
        if tasks:
            _, late = await asyncio.wait(tasks.values(), timeout=self._most_s)
            for task in late:
                task.cancel()
        return {
            one: task.result() if task.done() and not task.cancelled() else _LATE
            for one, task in tasks.items()
        }

    def close(self) -> None:
        """Take no more photos."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def pictures_of(settings: ServeSettings) -> Pictures:
    """Return what reads photos from the hosts and within the limits of a service."""
    limits = settings.limits
    return Pictures(
        hosts=settings.picture_hosts, most_bytes=limits.picture_bytes, most_pixels=limits.picture_pixels
    )


def take_photo(pictures: Pictures, named: str, kept: KeptPhotos) -> Taken:
    """Return what became of one photo.

    Examples
    --------
    >>> from pathlib import Path
    >>> take_photo(Pictures(), "https://photos.example/1.jpg", KeptPhotos(Path("photos"))).code
    'photo_not_allowed'
    """
    if named in kept:
        return Taken(name=named)
    try:
        return Taken(name=kept.keep(pictures.read(named)))
    except PhotoError as error:
        return Taken(code=error.code, message=_said(error))
    except LimitError as error:
        return Taken(code="photo_too_large", message=_said(error))


def _said(error: HuaxiangError) -> str:
    return f"{error.message}; {error.remedy}"

"""A search for settings, from a shop folder to a settings file and a report: what `tune` does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w

from huaxiang import __version__
from huaxiang.config import Settings, plain, read_settings, read_tree, settings_from
from huaxiang.errors import InputError, StorageError
from huaxiang.evaluate.amazon import PROTOCOLS, read_dataset
from huaxiang.evaluate.charts import tuning_history
from huaxiang.evaluate.finished import key_of
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.holdout import hold_out
from huaxiang.evaluate.tuning import Bounds, Lesson, check_ways, lesson_of_sequences, lesson_of_shop, tune
from huaxiang.files import write_json, write_whole
from huaxiang.journey import perceive
from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.ways import make_recommender
from huaxiang.runs import fingerprint_of
from huaxiang.shop.datasets.amazon import AMAZON
from huaxiang.shop.read import read_shop, require_events

Progress = Callable[[str, int, int, str], None]
PARTS_OF_STACKED = ("closed_form", "neighbours")
"""Ways that `stacked` holds too: what is found for them is found for its parts."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be tuned, on what, and for how long."""

    shop: Path
    out: Path
    models: Sequence[str]
    minutes: float
    n_trials: int
    n_shoppers: int
    protocol: str
    settings: Path | None
    seed: int

    def check(self) -> None:
        """Raise `InputError` for what can be seen to be wrong before anything is read."""
        check_ways(self.models)
        if self.protocol not in PROTOCOLS:
            raise _wrong("no such protocol", "--protocol", self.protocol, "say masked or unmasked")
        if not 0 < self.minutes < float("inf"):
            raise _wrong(
                "no time to search in", "--minutes", self.minutes, "give a number above 0, such as 20"
            )
        if self.n_trials < 1:
            raise _wrong("nothing to try", "--trials", self.n_trials, "give 1 or more")
        if self.n_shoppers < 1:
            raise _wrong("nobody to search on", "--shoppers", self.n_shoppers, "give 1 or more")
        if self.out.is_dir():
            raise _wrong("a folder is in the place", "--out", self.out, "name a file, such as settings.toml")
        if self.out.exists() and not any(self.folder.glob("*.json")):
            remedy = "name another: only a file of an earlier search is written over"
            raise _wrong("a file is in the place", "--out", self.out, remedy)
        if self.settings is not None and self.settings.resolve() == self.out.resolve():
            raise _wrong("would write over --settings", "--out", self.out, "name another file")

    @property
    def folder(self) -> Path:
        """Where trials and report lie."""
        return self.out.with_name(self.out.name + ".search")


def _wrong(message: str, column: str, value: object, remedy: str) -> InputError:
    return InputError(message, column=column, value=str(value), remedy=remedy)


def tune_and_write(asked: Asked, *, cache: Path, progress: Progress) -> dict[str, Any]:
    """Search, and write the settings file, the report as JSON and its picture; return the report.

    Raises
    ------
    InputError
        An unknown model or protocol, a bound that leaves nothing to do, or a search of something else there.
    ShopError
        The shop's validation part has no shopper.
    StorageError
        The file can't be written.
    """
    began = time.perf_counter()
    asked.check()
    settings, tree = read_settings(asked.settings), read_tree(asked.settings)
    _make_writable(asked.folder)
    lesson, data = _lesson(asked, settings, cache=cache, progress=progress)
    configs = {name: getattr(settings.recommend, name) for name in dict.fromkeys(asked.models)}
    facts = {
        "data": data,
        "protocol": asked.protocol,
        "n_shoppers": lesson.n_searched,
        "n_checked": lesson.n_checked,
        "n_windows": len(lesson.searched),
        "seed": asked.seed,
    }
    tuned = tune(
        configs,
        lesson,
        folder=asked.folder,
        of={name: _fingerprint(name, config, facts) for name, config in configs.items()},
        bounds=Bounds(minutes=asked.minutes, n_trials=asked.n_trials),
        progress=progress,
    )
    written = with_found(tree, settings, {one.name: one.found for one in tuned if one.found})
    settings_from(written, file=str(asked.out))  # what is written can be read
    write_whole(asked.out, tomli_w.dumps(written).encode())
    report: dict[str, Any] = {
        "shop": str(asked.shop),
        **facts,
        "minutes": asked.minutes,
        "models": [one.as_json() for one in tuned],
        "hardware": hardware(),
        "huaxiang": __version__,
        "out": str(asked.out),
        "report": str(asked.folder / "report.json"),
        "seconds": round(time.perf_counter() - began, 1),
    }
    write_json(asked.folder / "report.json", report)
    tuning_history(report["models"], asked.folder / "report.png")
    return report


def with_found(
    tree: Mapping[str, Any], settings: Settings, found: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Return what a settings file says, and what was found: for each way, and for it as a part of `stacked`.

    A way of which something was found is written whole, so that the file says the same when defaults change.

    Parameters
    ----------
    tree, settings
        What the search began with: as its file says it, and whole.
    found
        Way → setting → value.

    Examples
    --------
    >>> with_found({"seed": 3}, Settings(), {"popular": {"half_life_days": 3.0}})
    {'seed': 3, 'recommend': {'popular': {'half_life_days': 3.0}}}
    """
    recommend = dict(tree.get("recommend", {}))
    for name, values in found.items():
        recommend[name] = plain(replace(getattr(settings.recommend, name), **values))
    parts = [name for name in PARTS_OF_STACKED if name in found]
    if parts:
        stacked = settings.recommend.stacked
        recommend["stacked"] = {
            **recommend.get("stacked", {}),
            **{name: plain(replace(getattr(stacked, name), **found[name])) for name in parts},
        }
    return {**tree, "recommend": recommend} if found else dict(tree)


def _lesson(asked: Asked, settings: Settings, *, cache: Path, progress: Progress) -> tuple[Lesson, str]:
    """Return what trials learn from and are held to, and a fingerprint of the data."""
    protocol = PROTOCOLS[asked.protocol]
    if AMAZON.matches(asked.shop):
        dataset = read_dataset(asked.shop, cache=cache, progress=progress)
        check_ways(asked.models, order_only=True)
        lesson = lesson_of_sequences(dataset, protocol, n_shoppers=asked.n_shoppers, seed=asked.seed)
        return lesson, dataset.fingerprint
    shop = require_events(read_shop(asked.shop, progress=partial(progress, "read the shop")))
    check_ways(asked.models, order_only=shop.order_only)
    seen = perceive(shop, settings, cache=cache, progress=progress)
    held_out = hold_out(seen.shop, seen.contents, settings.evaluate, seed=settings.seed)
    training = TrainingData(
        histories=held_out.training, catalogue=seen.catalogue, vectors=seen.vectors, seed=asked.seed
    )
    exclude_had = protocol.exclude_had
    lesson = lesson_of_shop(training, held_out, exclude_had=exclude_had, n_shoppers=asked.n_shoppers)
    parts = [shop.fingerprint, *(repr(part) for part in (settings.seed, settings.evaluate))]
    parts += [repr(part) for part in (settings.text, settings.image, settings.fusion)]
    return lesson, fingerprint_of(*parts)


def _fingerprint(name: str, config: Any, facts: Mapping[str, Any]) -> str:
    return fingerprint_of(json.dumps(key_of(make_recommender(name, config), **facts), sort_keys=True))


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "probe").touch()
        (folder / "probe").unlink()
    except OSError as error:
        remedy = "name a place where files can be written"
        raise StorageError("the search can't be kept", file=str(folder), remedy=remedy) from error

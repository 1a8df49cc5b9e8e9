"""The ways of recommending by name: made new, or read from a folder."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from huaxiang.errors import SettingsError
from huaxiang.recommend.base import Recommender
from huaxiang.recommend.search_space import Space
from huaxiang.recommend.stored import load_settings

WAYS: Mapping[str, tuple[str, str]] = {
    "popular": ("huaxiang.recommend.popular", "Popular"),
    "own_frequency": ("huaxiang.recommend.own_frequency", "OwnFrequency"),
    "neighbours": ("huaxiang.recommend.neighbours", "Neighbours"),
    "closed_form": ("huaxiang.recommend.closed_form", "ClosedForm"),
    "ease": ("huaxiang.recommend.closed_form", "Ease"),
    "deep_belief": ("huaxiang.recommend.deep_belief", "DeepBelief"),
    "sequence": ("huaxiang.recommend.sequence", "SequenceRecommender"),
    "stacked": ("huaxiang.recommend.stacked", "Stacked"),
    "ensemble": ("huaxiang.recommend.ensemble", "Ensemble"),
}
"""Name → module and class, from the simplest to the richest; loaded when asked for."""


SLOW = frozenset({"deep_belief", "sequence", "stacked"})
"""Ways that take minutes to fit: they are fitted once for a choice, where the others may be several times."""


def make_recommender(name: str, config: Any = None) -> Recommender:
    """Return a recommender that is yet to be fitted.

    Parameters
    ----------
    name
        One of `WAYS`.
    config
        An instance of its `Config`; None for the defaults.

    Examples
    --------
    >>> make_recommender("neighbours").name
    'neighbours'
    """
    recommender: Recommender = _class_of(name)(config)
    return recommender


def settings_of(name: str, values: Mapping[str, Any]) -> Any:
    """Return the settings of a way, from plain values.

    Raises
    ------
    SettingsError
        A setting is unknown, or out of range.

    Examples
    --------
    >>> settings_of("neighbours", {"window": 5}).window
    5
    """
    _class_of(name)
    config = import_module(WAYS[name][0]).Config
    try:
        return config(**values)
    except TypeError as error:
        known = ", ".join(config.__dataclass_fields__)
        raise SettingsError(f"recommend.{name}", value=str(error), remedy=f"it knows {known}") from error


def space_of(name: str) -> Space:
    """Return the settings of a way that a search may change; empty for those that are too slow to search.

    Examples
    --------
    >>> list(space_of("popular")), list(space_of("sequence"))
    (['half_life_days'], [])
    """
    space: Space = getattr(_class_of(name), "space", {})
    return space


def load_recommender(folder: Path) -> Recommender:
    """Return the recommender that was saved in `folder`, whichever it is.

    Raises
    ------
    ArtefactError
        It is missing, truncated or of a newer version.
    """
    recommender: Recommender = _class_of(load_settings(folder)["name"]).from_pretrained(folder)
    return recommender


def _class_of(name: str) -> Any:
    if name not in WAYS:
        raise SettingsError("no such recommender", value=name, remedy=f"choose {', '.join(WAYS)}")
    module, class_name = WAYS[name]
    return getattr(import_module(module), class_name)

"""The settings file → one validated, frozen object that each part takes its own piece of.

A complete configuration is a TOML file. Each part's settings are typed once, beside the part;
here they are only put together. Unknown keys are errors that name the nearest valid one.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import tomli_w
from pydantic import TypeAdapter, ValidationError

from huaxiang.errors import SettingsError
from huaxiang.evaluate.holdout import Config as HoldOutConfig
from huaxiang.knowledge.graph import Config as GraphConfig
from huaxiang.profile.weights import Config as ProfileConfig
from huaxiang.ranking.rank import Config as RankingConfig
from huaxiang.recommend.base import Recommender
from huaxiang.recommend.closed_form import EASE
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.deep_belief import Config as DeepBeliefConfig
from huaxiang.recommend.neighbours import Config as NeighboursConfig
from huaxiang.recommend.own_frequency import Config as OwnFrequencyConfig
from huaxiang.recommend.popular import Config as PopularConfig
from huaxiang.recommend.sequence import Config as SequenceConfig
from huaxiang.recommend.stacked import Config as StackedConfig
from huaxiang.recommend.ways import WAYS, make_recommender
from huaxiang.search.match import Config as SearchConfig

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Some = TypeVar("Some", bound="DataclassInstance")


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """Which text encoder.

    `encoder` is "default" (the bundled MiniLM, and the bilingual student where it can't read),
    or a Hugging Face name or folder. `precision` is fp32 or int8.
    """

    encoder: str = "default"
    precision: Literal["fp32", "int8"] = "fp32"
    taxonomy: str | None = None
    """Folder of a product taxonomy whose names are looked for, beside our own lexicon."""


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """Which image encoder: "shop" (a small one trained on the catalogue), "none", or a name or folder."""

    encoder: str = "shop"
    precision: Literal["fp32", "int8"] = "fp32"


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise SettingsError(
            "setting is out of range", column=name, value=value, remedy=f"choose {', '.join(allowed)}"
        )


@dataclass(frozen=True, kw_only=True)
class FusionSettings:
    """How several vectors per item become one: concatenated, weighted, gated or attention; and D."""

    way: str = "weighted"
    dimensions: int = 128

    def __post_init__(self) -> None:
        _one_of("fusion.way", self.way, ("concatenated", "weighted", "gated", "attention"))


@dataclass(frozen=True, kw_only=True)
class RecommendSettings:
    """Which recommenders are fitted and joined, each with its own settings."""

    members: tuple[str, ...] = (
        "popular",
        "own_frequency",
        "neighbours",
        "closed_form",
        "ease",
        "sequence",
    )
    popular: PopularConfig = field(default_factory=PopularConfig)
    own_frequency: OwnFrequencyConfig = field(default_factory=OwnFrequencyConfig)
    neighbours: NeighboursConfig = field(default_factory=NeighboursConfig)
    closed_form: ClosedFormConfig = field(default_factory=ClosedFormConfig)
    ease: ClosedFormConfig = EASE
    deep_belief: DeepBeliefConfig = field(default_factory=DeepBeliefConfig)
    sequence: SequenceConfig = field(default_factory=SequenceConfig)
    stacked: StackedConfig = field(default_factory=StackedConfig)

    def __post_init__(self) -> None:
        for member in self.members or ("",):
            _one_of("recommend.members", member, tuple(name for name in WAYS if name != "ensemble"))

    def make(self) -> dict[str, Recommender]:
        """Return the members, yet to be fitted."""
        return {name: make_recommender(name, getattr(self, name, None)) for name in self.members}


@dataclass(frozen=True, kw_only=True)
class ReviewsSettings:
    """What reads reviews: folders of fine-tuned models, or "" for the words that ship with the package.

    `aspects` finds the sides that a review speaks of, `sentiment` judges the whole.
    """

    aspects: str = ""
    sentiment: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides what `fit` makes."""

    seed: int = 7
    text: TextSettings = field(default_factory=TextSettings)
    image: ImageSettings = field(default_factory=ImageSettings)
    fusion: FusionSettings = field(default_factory=FusionSettings)
    graph: GraphConfig = field(default_factory=GraphConfig)
    profile: ProfileConfig = field(default_factory=ProfileConfig)
    recommend: RecommendSettings = field(default_factory=RecommendSettings)
    ranking: RankingConfig = field(default_factory=RankingConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    evaluate: HoldOutConfig = field(default_factory=HoldOutConfig)
    reviews: ReviewsSettings = field(default_factory=ReviewsSettings)


def read_settings(file: str | Path | None = None, changes: Sequence[str] = ()) -> Settings:
    """Return the settings of a TOML file, or the defaults, with single fields changed.

    Parameters
    ----------
    file
        Settings file; None for the defaults.
    changes
        Each as `part.name=value`, the value written as in TOML; plain words need no quotes.

    Raises
    ------
    SettingsError
        For an unknown key (naming the nearest valid one), a wrong type or a value out of range.

    Examples
    --------
    >>> read_settings(changes=["seed=3", "text.precision=int8"]).text.precision
    'int8'
    """
    tree = read_tree(file)
    for change in changes:
        _change(tree, change)
    return settings_from(tree, file=str(file) if file else None)


def read_tree(file: str | Path | None) -> dict[str, Any]:
    """Return only what a settings file says, as plain values and not validated; nothing for None."""
    return _read_toml(Path(file)) if file is not None else {}


def recommenders_named(file: str | Path) -> dict[str, Any]:
    """Return the settings of those ways that a settings file says something of, by name.

    Raises
    ------
    SettingsError
        As `read_settings`.
    """
    recommend = read_settings(file).recommend
    named = read_tree(file).get("recommend", {})
    return {name: getattr(recommend, name) for name in WAYS if name in named}


def settings_from(tree: Mapping[str, Any], *, file: str | None = None) -> Settings:
    """Return validated settings from a tree of plain values."""
    _check_keys(tree, Settings(), prefix="", file=file)
    return _validated(Settings, tree, file=file)


def changed(settings: Some, changes: Sequence[str]) -> Some:
    """Return one part's settings with single fields changed, each as `name=value` or `part.name=value`.

    Raises
    ------
    SettingsError
        As `read_settings`.

    Examples
    --------
    >>> changed(FusionSettings(), ["dimensions=64"])
    FusionSettings(way='weighted', dimensions=64)
    """
    tree = dataclasses.asdict(settings)
    for change in changes:
        _change(tree, change)
    _check_keys(tree, settings, prefix="", file=None)
    return _validated(type(settings), tree, file=None)


def _validated(kind: type[Some], tree: Mapping[str, Any], *, file: str | None) -> Some:
    try:
        return TypeAdapter(kind).validate_python(tree)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            first["msg"].lower(),
            file=file,
            column=".".join(str(part) for part in first["loc"]),
            value=str(first["input"]),
            remedy="see docs/reference/settings.md",
        ) from error


def settings_toml(settings: Settings) -> str:
    """Return the settings as a TOML file that reads back equal."""
    return tomli_w.dumps(plain(settings))


def plain(settings: DataclassInstance) -> dict[str, Any]:
    """Return settings as a tree that TOML can hold: without those that are None."""
    tree: dict[str, Any] = _without_none(dataclasses.asdict(settings))
    return tree


def _without_none(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {key: _without_none(value) for key, value in tree.items() if value is not None}
    return list(tree) if isinstance(tree, tuple) else tree


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError("no such settings file", file=str(file), remedy="check --settings") from None
    except IsADirectoryError:
        remedy = "name the file in it"
        raise SettingsError(
            "a folder where a settings file should be", file=str(file), remedy=remedy
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"not a TOML file ({error})", file=str(file), remedy="mend it") from error


def _change(tree: dict[str, Any], change: str) -> None:
    path, equals, written = change.partition("=")
    if not equals:
        raise SettingsError("no value given", column="--set", value=change, remedy="write part.name=value")
    *parents, name = path.strip().split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
    try:
        tree[name] = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        tree[name] = written


def _check_keys(tree: Mapping[str, Any], like: Any, *, prefix: str, file: str | None) -> None:
    known = {field.name: getattr(like, field.name) for field in dataclasses.fields(like)}
    for key, value in tree.items():
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0.0)
            raise SettingsError(
                "no such setting", file=file, column=prefix + key, remedy=f"the nearest is {prefix}{near[0]}"
            )
        if dataclasses.is_dataclass(known[key]) and isinstance(value, Mapping):
            _check_keys(value, known[key], prefix=f"{prefix}{key}.", file=file)

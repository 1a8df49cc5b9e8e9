"""A model's folder beside its weights: settings, figures, curves, card and manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from huaxiang import __version__
from huaxiang.evaluate.charts import fit_curves
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.model_card import model_card
from huaxiang.files import write_json
from huaxiang.runs import write_manifest

if TYPE_CHECKING:
    from huaxiang.encoders.learning.base import Learnt


@dataclass(frozen=True, kw_only=True)
class Made:
    """A model that was made, and what its folder says of it.

    Parameters
    ----------
    kind
        Such as "text encoder" or "classifier".
    data
        `name` and `rows` of what it learnt from, and its `fingerprint`.
    metrics
        Figures on held-out rows; a list of mappings is a table.
    uses
        Command lines that use it.
    """

    kind: str
    command: str
    data: Mapping[str, Any]
    seed: int
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    n_parameters: int
    learnt: Learnt
    uses: Sequence[str]
    remarks: Sequence[str] = ()
    further: Mapping[str, Any] = field(default_factory=dict)


def keep_model(folder: Path, made: Made, *, name: str) -> dict[str, Any]:
    """Write everything beside the weights, and return the facts that the manifest holds."""
    facts = {
        "name": name,
        "kind": made.kind,
        "command": made.command,
        "huaxiang": __version__,
        "seed": made.seed,
        "data": dict(made.data),
        "n_parameters": made.n_parameters,
        "metrics": dict(made.metrics),
        "learnt": made.learnt.as_json(),
        "hardware": hardware(),
        **made.further,
    }
    (folder / "settings.toml").write_text(tomli_w.dumps(_without_none(made.settings)), encoding="utf-8")
    write_json(folder / "metrics.json", {**made.metrics, "learnt": made.learnt.as_json()})
    write_json(folder / "curves.json", list(made.learnt.curve))
    fit_curves(made.learnt.curve, folder / "curves.png")
    card = {
        **facts,
        "version": __version__,
        "settings": flat(made.settings),
        "metrics": flat({k: v for k, v in made.metrics.items() if not isinstance(v, list)}),
        "tables": [value for value in made.metrics.values() if isinstance(value, list)],
        "pictures": sorted(path.name for path in folder.glob("*.png")),
        "uses": list(made.uses),
        "remarks": list(made.remarks),
    }
    (folder / "README.md").write_text(model_card(card), encoding="utf-8")
    write_manifest(folder, facts)
    return facts


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, the names joined by dots.

    Examples
    --------
    >>> flat({"a": {"b": 1}, "c": 2})
    {'a.b': 1, 'c': 2}
    """
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _without_none(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return what TOML can say: it has no word for nothing."""
    return {
        name: _without_none(value) if isinstance(value, Mapping) else value
        for name, value in tree.items()
        if value is not None
    }

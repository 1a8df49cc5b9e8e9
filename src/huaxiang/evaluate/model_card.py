"""What a model's folder says of it: what it is, what it learnt from, how well, and how to use it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined


def model_card(facts: Mapping[str, Any]) -> str:
    """Return the card as Markdown, English and then Chinese.

    Parameters
    ----------
    facts
        `name`, `kind`, `command`, `data` (name, fingerprint, rows), `seed`, `settings` (flat), `metrics`
        (figure → number), `n_parameters`, `learnt` (as `Learnt.as_json` gives it), `hardware`, `version`,
        `uses` (command lines), `remarks` (sentences, such as limits); where there are any, `tables` (each a
        list of rows, name → value) and `pictures` (files beside the card).

    Examples
    --------
    >>> facts = dict(name="m", kind="text encoder", command="pretrain text", seed=0, settings={}, metrics={})
    >>> facts |= dict(data={"name": "d", "rows": 1}, n_parameters=9, learnt={}, hardware="h", version="0")
    >>> model_card({**facts, "uses": ["huaxiang build"], "remarks": []}).splitlines()[0]
    '# m'
    """
    template = Environment(
        autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(files("huaxiang.evaluate").joinpath("model_card.md.j2").read_text(encoding="utf-8"))
    further = {"tables": facts.get("tables", ()), "pictures": facts.get("pictures", ("curves.png",))}
    return template.render(**{name: facts[name] for name in _NEEDED}, **further, cell=_cell)


_NEEDED = (
    "name",
    "kind",
    "command",
    "data",
    "seed",
    "settings",
    "metrics",
    "n_parameters",
    "learnt",
    "hardware",
    "version",
    "uses",
    "remarks",
)


def _cell(value: object) -> str:
    """Return a value as it stands in a table."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")

"""How each language says a value, learnt from columns such as colour and colour_zh."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from huaxiang.shop.categories import DIVIDER
from huaxiang.shop.cells import stated
from huaxiang.shop.lexicon import Lexicon, load_lexicon

Labels = Mapping[str, Mapping[str, Mapping[str, str]]]
"""language → dimension → value → label."""

_DIMENSIONS = ("category", "brand", "colour", "material", "style")


def labels_of(items: pl.DataFrame, languages: Sequence[str]) -> Labels:
    """Return the labels that the items' own columns give: the most frequent beside each value."""
    labels: dict[str, dict[str, dict[str, str]]] = {}
    for dimension in _DIMENSIONS:
        for language in languages:
            column = f"{dimension}_{language}"
            if column in items.columns:
                pairs = items.select(
                    _last(stated(dimension)).alias("value"), _last(stated(column)).alias("label")
                )
                labels.setdefault(language, {})[dimension] = _most_frequent(pairs)
    return labels


def label_of(
    dimension: str, value: str, *, language: str, labels: Labels, lexicon: Lexicon | None = None
) -> str:
    """Return how a language says a value: in the shop's words, else the lexicon's, else the value itself.

    Examples
    --------
    >>> label_of("colour", "Red", language="zh", labels={})
    '红色'
    """
    own = labels.get(language, {}).get(dimension, {}).get(value)
    if own is not None:
        return own
    lexicon = lexicon or load_lexicon()
    known = _whole_mention(dimension, value, lexicon)
    label = lexicon.label(dimension, known, language=language) if known else value
    return value if label.lower() == value.lower() or label == known else label


def distinct_labels(
    dimension: str, values: Sequence[str], *, language: str, labels: Labels
) -> tuple[str, ...]:
    """Return how a language says each of the values; those that it would say alike keep their names.

    Examples
    --------
    >>> distinct_labels("category", ["Tshirts", "Sports Shoes", "Casual Shoes"], language="zh", labels={})
    ('T恤', 'Sports Shoes', 'Casual Shoes')
    """
    lexicon = load_lexicon()
    said = [label_of(dimension, value, language=language, labels=labels, lexicon=lexicon) for value in values]
    times = Counter(said)
    is_exact = [value.lower() in lexicon.names.get(dimension, {}) for value in values]
    return tuple(
        label if exact or times[label] == 1 else value
        for value, label, exact in zip(values, said, is_exact, strict=True)
    )


def _whole_mention(dimension: str, value: str, lexicon: Lexicon) -> str | None:
    """Return the lexicon's value that these words name and nothing else."""
    for said in lexicon.find(value):
        if said.dimension == dimension and said.end - said.start == len(value):
            return said.value
    return None


def _last(path: pl.Expr) -> pl.Expr:
    return path.str.split(DIVIDER).list.last()


def _most_frequent(pairs: pl.DataFrame) -> dict[str, str]:
    counted = pairs.drop_nulls().group_by("value", "label", maintain_order=True).len()
    usual = counted.sort("len", descending=True, maintain_order=True).unique(
        "value", keep="first", maintain_order=True
    )
    return dict(usual.select("value", "label").iter_rows())

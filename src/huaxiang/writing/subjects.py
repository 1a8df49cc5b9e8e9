"""What is known of products and of shoppers, as sentences to write from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from huaxiang.errors import InputError
from huaxiang.records import Profile
from huaxiang.shop.base import Shop
from huaxiang.shop.clean import clean_text
from huaxiang.writing.base import Subject

LANGUAGES = ("en", "zh")
_ATTRIBUTE = {"en": "{dimension}: {value}.", "zh": "{dimension}：{value}。"}
_DIMENSIONS_ZH = {
    "category": "类目",
    "brand": "品牌",
    "colour": "颜色",
    "material": "材质",
    "style": "风格",
    "usage": "用途",
}
_STOP = {"en": ".", "zh": "。"}


def product_subjects(shop: Shop, language: str, item_ids: Sequence[str] | None = None) -> list[Subject]:
    """Return each product with a title in this language: its title, its attributes, its description.

    Parameters
    ----------
    item_ids
        The ones asked for; None asks for all.

    Raises
    ------
    InputError
        The shop has no titles in this language, or no such item.
    """
    check_language(language)
    if language not in shop.languages:
        remedy = f"choose of {', '.join(shop.languages)}"
        raise InputError("shop has no titles in this language", value=language, remedy=remedy)
    columns = ["item_id", f"title_{language}", f"description_{language}"]
    items = shop.items.select(columns).with_row_index("item_row")
    if item_ids is not None:
        unknown = sorted(set(item_ids) - set(shop.items["item_id"].to_list()))
        if unknown:
            raise InputError("no such item", value=unknown[0], remedy="give ids of the shop's items")
        items = items.filter(pl.col("item_id").is_in(list(item_ids)))
    said = _attributes(shop, language)
    return [
        _product(item_id, title, description, said.get(row, []), language)
        for row, item_id, title, description in items.iter_rows()
        if title
    ]


def _attributes(shop: Shop, language: str) -> dict[int, list[str]]:
    """Return the stated attributes of each item row as sentences: what was inferred is no fact."""
    stated = shop.attributes.filter(pl.col("source") == "stated")
    labels = shop.labels.get(language, {})
    found: dict[int, list[str]] = {}
    for row, dimension, value in stated.select("item_row", "dimension", "value").iter_rows():
        name = (
            _DIMENSIONS_ZH.get(dimension, dimension)
            if language == "zh"
            else dimension.replace("_", " ").capitalize()
        )
        said = labels.get(dimension, {}).get(value, value)
        found.setdefault(row, []).append(_ATTRIBUTE[language].format(dimension=name, value=said))
    return found


def _product(
    item_id: str, title: str, description: str | None, attributes: list[str], language: str
) -> Subject:
    name = clean_text(title)
    facts = [_ended(name, language), *attributes]
    if description:
        facts.append(_ended(clean_text(description), language))
    return Subject(
        key=item_id,
        kind="product",
        language=language,
        facts=tuple(facts),
        start=name,
        keeps_facts=False,
        plain=description or "",
    )


def _ended(text: str, language: str) -> str:
    return text if text[-1:] in ".!?。！？" else text + _STOP[language]


def portrait_subjects(profiles: Iterable[Profile], language: str) -> list[Subject]:
    """Return each shopper whose portrait says something: its sentences, each resting on its evidence."""
    check_language(language)
    found: list[Subject] = []
    for profile in profiles:
        facts = tuple(sentence.text for sentence in profile.portrait[language])
        if facts:
            between = "" if language == "zh" else " "
            found.append(
                Subject(
                    key=str(profile.shopper_id),
                    kind="portrait",
                    language=language,
                    facts=facts,
                    start=between.join(facts),
                    keeps_facts=True,
                )
            )
    return found


def check_language(language: str) -> None:
    """Refuse a language that nothing is said in here.

    Raises
    ------
    InputError
        It is neither en nor zh.
    """
    if language not in LANGUAGES:
        raise InputError("no such language", column="--language", value=language, remedy="choose en or zh")

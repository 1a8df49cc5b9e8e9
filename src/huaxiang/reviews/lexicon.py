"""The words of reviews, English and Chinese, and what each aspect is called."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from huaxiang.shop.lexicon import Lexicon

ASPECT, PRAISE, BLAME, OPINION, TURN = "aspect", "praise", "blame", "opinion", "turn"


@lru_cache(maxsize=1)
def review_words() -> Lexicon:
    """Return the words that ship with the package.

    Examples
    --------
    >>> [(said.dimension, said.value) for said in review_words().find("The fabric is thin, 尺码偏小")]
    [('aspect', 'fabric'), ('blame', 'fabric'), ('aspect', 'fit'), ('blame', 'fit')]
    """
    tree = tomllib.loads(files("huaxiang.reviews").joinpath("words.toml").read_text(encoding="utf-8"))
    return Lexicon(
        {
            dimension: {
                value: {language: tuple(words) for language, words in said.items()}
                for value, said in values.items()
            }
            for dimension, values in tree.items()
        }
    )


def aspects() -> tuple[str, ...]:
    """Return every aspect that the package knows, in the order of the lexicon."""
    return review_words().values(ASPECT)


def aspect_name(aspect: str, *, language: str) -> str:
    """Return what people call an aspect; one that a model learnt is called as the model calls it.

    Examples
    --------
    >>> aspect_name("fit", language="en"), aspect_name("fit", language="zh")
    ('size and fit', '尺码')
    """
    return review_words().label(ASPECT, aspect, language=language)

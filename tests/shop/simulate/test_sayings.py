"""Shoppers write in their own language, and praise what they rate well."""

import re

import numpy as np
import pytest

from huaxiang.shop.simulate.sayings import ASPECTS, OPENINGS, QUERIES, WISHES, query, review, wish

WORDS = {
    "en": {
        "brand": "Plainly",
        "shade": "navy",
        "material": "cotton",
        "style": "casual",
        "noun": "shirt",
        "price": "200",
    },
    "zh": {
        "brand": "Plainly",
        "shade": "藏青",
        "material": "纯棉",
        "style": "休闲",
        "noun": "衬衫",
        "price": "200",
    },
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("seed", range(30))
def test_each_language_is_its_own(seed: int) -> None:
    for language, words in WORDS.items():
        rng = np.random.default_rng(seed)
        said = [query(words, language, rng=rng), wish(words, language, rng=rng)]
        said += [review(words, language, rating=r, department="clothing", rng=rng) for r in (1, 3, 5)]
        assert all(bool(CHINESE.search(text)) == (language == "zh") for text in said)
        assert not any("{" in text for text in said)


@pytest.mark.parametrize(
    ("rating", "mood"), [(5, "good"), (4, "good"), (3, "fair"), (2, "poor"), (1, "poor")]
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_review_opens_in_the_mood_of_its_rating(rating: int, mood: str, language: str) -> None:
    openings = [opening.format(**WORDS[language]) for opening in OPENINGS[language][mood]]
    for seed in range(10):
        text = review(
            WORDS[language], language, rating=rating, department="shoes", rng=np.random.default_rng(seed)
        )
        assert text.startswith(tuple(openings))


def test_both_languages_have_as_many_ways_to_say_it() -> None:
    for both in (QUERIES, WISHES):
        assert len(both["en"]) == len(both["zh"])
    for aspects in ASPECTS.values():
        assert {mood: len(said) for mood, said in aspects["en"].items()} == {
            mood: len(said) for mood, said in aspects["zh"].items()
        }

"""The simulated shop speaks with the words that the lexicon knows."""

import tomllib
from importlib.resources import files

import pytest

from huaxiang.shop.simulate.photos import SHAPES
from huaxiang.shop.simulate.vocabulary import LANGUAGES, vocabulary

LEXICON = tomllib.loads(files("huaxiang.shop").joinpath("lexicon.toml").read_text(encoding="utf-8"))
WORDS = vocabulary()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_in_the_lexicon(language: str) -> None:
    said = [("category", kind.value, word) for kind in WORDS.kinds for word in kind.names[language]]
    said += [("colour", shade.colour, shade.word[language]) for shade in WORDS.shades]
    said += [("material", trait.value, trait.word[language]) for trait in WORDS.materials]
    said += [("style", trait.value, trait.word[language]) for trait in WORDS.styles]
    assert [entry for entry in said if entry[2] not in LEXICON[entry[0]][entry[1]][language]] == []


def test_what_kinds_and_brands_name_exists() -> None:
    kinds, materials, styles = (set(WORDS.values(d)) for d in ("category", "material", "style"))
    for kind in WORDS.kinds:
        assert set(kind.leads_to) <= kinds and set(kind.materials) <= materials
    for brand in WORDS.brands:
        assert set(brand.styles) <= styles
    assert {kind.department for kind in WORDS.kinds} == {
        d for brand in WORDS.brands for d in brand.departments
    }


def test_every_kind_can_be_drawn() -> None:
    assert set(SHAPES) == set(WORDS.values("category"))


def test_both_languages_say_as_much() -> None:
    for kind in WORDS.kinds:
        assert len(kind.details["en"]) == len(kind.details["zh"])
    for trait in (*WORDS.materials, *WORDS.styles):
        assert len(trait.said["en"]) == len(trait.said["zh"])

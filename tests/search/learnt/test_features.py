"""What a query and a title have in common is counted as a person would count it."""

from __future__ import annotations

import numpy as np
import pytest

from huaxiang.search.learnt.features import Asked, word_columns
from huaxiang.search.learnt.titles import Lexicon, Titles

TITLES = [
    "Acme 4 ft. Red Ladder",
    "Acme 6 ft. Ladder",
    "Ladder Bracket for Acme",
    "Blue Mug",
    "Acme Steel Bucket",
    "Acme Shelf",
    "Acme Rope",
]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.of(TITLES, dimensions=2)


def columns(query: str, lexicon: Lexicon) -> dict[str, np.ndarray]:
    found = word_columns(Asked.of(query, lexicon), Titles.of(TITLES, lexicon), np.arange(4))
    return {name: np.asarray(values, np.float64) for name, values in found.items()}


@pytest.mark.parametrize(
    ("query", "name", "values"),
    [
        ("acme ladder", "words_had", [1, 1, 1, 0]),
        ("red mug", "words_had", [0.5, 0, 0, 0.5]),
        ("ladder", "same_head", [1, 1, 0, 0]),
        ("ladder", "title_head_asked", [1, 1, 0, 0]),
        ("ladder", "query_head_place", [0.8, 0.75, 0, -1]),
        ("red ladder", "longest_run", [2, 1, 1, 0]),
        ("red ladder", "pairs_had", [1, 0, 0, 0]),
        ("4 ft ladder", "measures_had", [1, 0, 0, 0]),
        ("4 ft ladder", "measures_against", [0, 1, 0, 0]),
        ("ladder", "measures_had", [-1, -1, -1, -1]),
        ("4 ft ladder", "numbers_had", [1, 0, 0, 0]),
        ("acme mug", "brand_asked", [1, 1, -1, -1]),
        ("acme mug", "brands_had", [1, 1, 1, 0]),
        ("red mug", "colours_had", [1, 0, 0, 0]),
        ("mug", "title_words", [5, 4, 4, 2]),
        ("laddre", "query_mended", [1, 1, 1, 1]),
    ],
)
def test_each_feature_counts(query: str, name: str, values: list[float], lexicon: Lexicon) -> None:
    np.testing.assert_allclose(columns(query, lexicon)[name], values, rtol=1e-6)


def test_a_word_that_is_written_alike_counts_in_part(lexicon: Lexicon) -> None:
    alike = columns("ladders-and-lader", lexicon)["written_mean"]
    assert alike[0] > 0.5 > alike[3]


@pytest.mark.parametrize("query", ["", "?!", "zzz", "the", "12", "连衣裙", "a" * 500, "x " * 200])
def test_every_query_has_finite_features(query: str, lexicon: Lexicon) -> None:
    assert all(np.isfinite(values).all() for values in columns(query, lexicon).values())


def test_titles_with_unknown_words_are_read(lexicon: Lexicon) -> None:
    titles = Titles.of(["Zyxx Ladder", ""], lexicon)
    found = word_columns(Asked.of("zyxx", lexicon), titles, np.arange(2))
    assert found["words_had"].tolist() == [1, 0]


def test_no_candidate_has_no_features(lexicon: Lexicon) -> None:
    found = word_columns(Asked.of("ladder", lexicon), Titles.of(TITLES, lexicon), np.zeros(0, np.int64))
    assert {len(values) for values in found.values()} == {0}

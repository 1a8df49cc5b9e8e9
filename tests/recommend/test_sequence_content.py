"""Content in several spaces, by hand."""

import numpy as np
import pytest

from huaxiang.errors import InputError, SettingsError
from huaxiang.recommend.sequence_content import Spaces

FUSED = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32)
TEXT = np.array([[3], [0], [1]], dtype=np.float32)


def test_each_space_is_counted_from_the_mean_of_what_is_there() -> None:
    spaces = Spaces.among({"fused": FUSED, "text": TEXT}, ("fused", "text"))
    content = spaces.of_items({"fused": FUSED, "text": TEXT}, 3)
    assert content.tolist() == [[0.5, -0.5, 1], [-0.5, 0.5, 0], [0, 0, -1]]


def test_words_have_the_first_columns() -> None:
    spaces = Spaces.among({"fused": FUSED, "text": TEXT}, ("fused", "text"))
    assert spaces.first_width == 2
    assert spaces.of_words(np.array([[1, 1]], dtype=np.float32)).tolist() == [[0.5, 0.5]]


def test_only_the_first_space_must_be_there() -> None:
    assert list(Spaces.among({"fused": FUSED}, ("fused", "text")).means) == ["fused"]
    with pytest.raises(SettingsError, match="'fused'; choose text"):
        Spaces.among({"text": TEXT}, ("fused", "text"))


def test_a_space_that_is_not_given_reads_as_unknown() -> None:
    spaces = Spaces.among({"fused": FUSED, "text": TEXT}, ("fused", "text"))
    assert spaces.of_items({"fused": FUSED}, 3)[:, 2].tolist() == [0, 0, 0]


def test_without_a_space_there_is_no_content() -> None:
    spaces = Spaces.among({"fused": FUSED}, ())
    assert spaces.of_items({}, 2).tolist() == [[0], [0]]
    with pytest.raises(InputError, match="another space"):
        spaces.of_words(FUSED)

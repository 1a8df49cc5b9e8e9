"""Reading very many, and reading by models that were taught."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from huaxiang.errors import ArtefactError
from huaxiang.reviews import bulk
from huaxiang.reviews.base import Reading
from huaxiang.reviews.bulk import read_all
from huaxiang.reviews.learnt import Term, reader_of, terms_of
from huaxiang.reviews.rules import RuleReader


class Counting(RuleReader):
    """Counts what it is asked to read, and may be stopped."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self.n_read, self._stop_after = 0, stop_after

    def read(self, texts: Sequence[str]) -> list[Reading]:
        if self._stop_after is not None and self.n_read >= self._stop_after:
            raise KeyboardInterrupt
        self.n_read += len(texts)
        return super().read(texts)


@pytest.fixture
def parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)


TEXTS = ["It runs small.", "物流很快", "", "Lovely colour.", "😀"]


def test_a_stopped_reading_goes_on_where_it_was(parts_of_two: None, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        read_all(TEXTS, Counting(stop_after=4), tmp_path)
    second = Counting()
    assert read_all(TEXTS, second, tmp_path) == RuleReader().read(TEXTS)
    assert second.n_read == 1


def test_a_part_of_other_texts_or_one_that_is_damaged_is_read_again(
    parts_of_two: None, tmp_path: Path
) -> None:
    read_all(TEXTS, RuleReader(), tmp_path)
    (tmp_path / "readings-00001.json").write_text('{"version": 1, "of": ')
    again = Counting()
    found = read_all(["Thin fabric.", *TEXTS[1:]], again, tmp_path)
    assert again.n_read == 4 and found[0].judged() == {"fabric": -1}


def test_terms_are_what_begins_and_goes_on_and_are_judged_as_a_whole() -> None:
    tags = np.eye(3)[
        [0, 1, 2, 0, 2]
    ]  # the last would be inside of nothing: it is taken for outside or a begin
    judged = np.array([[0, 0, 0], [3, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]])
    outputs = np.hstack([20 * tags, judged]).astype(np.float32)
    offsets = [(0, 3), (4, 11), (12, 16), (17, 19), (20, 25)]
    assert terms_of(outputs, offsets)[0] == Term(4, 16, 1)


def test_without_settings_the_shipped_words_read() -> None:
    assert isinstance(reader_of(), RuleReader)


@pytest.mark.parametrize("kind", ["aspects", "sentiment"])
def test_a_folder_without_a_model_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=str(tmp_path.name)):
        reader_of(**{kind: str(tmp_path)})

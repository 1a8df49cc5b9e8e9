from pathlib import Path

import pytest

from encoders.compression.tiny_teacher import teacher_folder
from huaxiang.encoders.compression.pareto import Variant, file_sizes, front, speeds, table


def variant(name: str, size: int, speed: float, quality: float) -> Variant:
    return Variant(
        name=name,
        n_parameters=size,
        model_bytes=size * 1_000_000,
        tokenizer_bytes=0,
        texts_per_s={1: speed, 2: 2 * speed},
        quality=quality,
        figures={"accuracy": quality},
    )


BY_HAND = [
    variant("teacher", 80, 10, 0.96),
    variant("teacher, int8", 20, 25, 0.955),
    variant("large and slow", 40, 12, 0.95),
    variant("student", 8, 60, 0.94),
    variant("student, twice", 8, 61, 0.94),
    variant("bad", 8, 50, 0.7),
]


def test_the_front_of_a_table_made_by_hand() -> None:
    assert front(BY_HAND, is_lower_better=False) == [True, True, False, True, True, False]


def test_a_small_error_is_better_where_less_is_better() -> None:
    assert front([variant("a", 8, 10, 0.4), variant("b", 8, 10, 0.5)], is_lower_better=True) == [True, False]


def test_something_is_always_on_the_front() -> None:
    for at in range(len(BY_HAND)):
        assert any(front(BY_HAND[at:], is_lower_better=False))


def test_rows_are_compared_with_the_first() -> None:
    rows = table(BY_HAND, best="accuracy", is_lower_better=False)
    assert rows[1]["times_smaller"] == 4
    assert rows[1]["times_faster"] == 2.5
    assert rows[1]["accuracy_change"] == pytest.approx(-0.005)
    assert [row["variant"] for row in rows if row["pareto"]][0] == "teacher"


def test_speeds_are_of_each_model_and_number_of_threads(tmp_path: Path) -> None:
    folder = teacher_folder(tmp_path / "t")
    found = speeds({"a": folder, "b": folder}, ["很好", "red dress"], threads=(1, 2), repeats=1)
    assert set(found) == {"a", "b"}
    assert all(speed > 0 for by_threads in found.values() for speed in by_threads.values())
    assert file_sizes(folder)[0] == (folder / "task.onnx").stat().st_size

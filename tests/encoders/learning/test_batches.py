import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from encoders.learning.small_lesson import Sums
from huaxiang.encoders.learning.base import TrainerConfig, even_width
from huaxiang.encoders.learning.batches import Batches, Rows, batch_sizes

SMALL = TrainerConfig(batch_tokens=64, batch_rows=16)


def test_an_epoch_has_each_row_once() -> None:
    rows = Rows(Sums(), SMALL, seed=3)
    found = [row for batch in rows.batches(2) for _, row in batch]
    assert sorted(found) == list(range(60))


def test_epochs_are_ordered_differently_and_the_same_one_alike() -> None:
    rows = Rows(Sums(), SMALL, seed=3)
    assert rows.batches(0) != rows.batches(1)
    assert rows.batches(1) == Rows(Sums(), SMALL, seed=3).batches(1)


def test_what_is_random_in_a_batch_depends_on_seed_epoch_and_rows_alone() -> None:
    keys = Rows(Sums(), SMALL, seed=3).batches(1)[0]
    first, again, other = (Rows(Sums(), SMALL, seed=seed).collate(keys)["x"] for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_rows_of_a_batch_are_of_like_length() -> None:
    lesson = Sums(200)
    lesson.lengths_N = np.arange(200) + 1
    for batch in Rows(lesson, TrainerConfig(batch_tokens=512, batch_rows=8), seed=0).batches(0):
        lengths = lesson.lengths_N[[row for _, row in batch]]
        assert lengths.max() <= 1.5 * lengths.min() + 10


def test_every_process_makes_the_same_number_of_steps() -> None:
    rows = Rows(Sums(), SMALL, seed=3)
    batches = Batches(rows, 4)
    assert len(list(batches)) == len(batches)
    assert len(batches) % 4 == 0
    assert len(batches) - len(rows.sizes) < 4


@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=80),
    tokens=st.integers(1, 600),
    n_rows=st.integers(1, 40),
)
def test_batches_hold_all_rows_and_keep_to_their_budgets(
    lengths: list[int], tokens: int, n_rows: int
) -> None:
    sorted_N = np.sort(np.array(lengths))
    sizes = batch_sizes(sorted_N, TrainerConfig(batch_tokens=tokens, batch_rows=n_rows))
    assert sum(sizes) == len(lengths)
    for size, end in zip(sizes[:-1], np.cumsum(sizes)[:-1], strict=True):
        longest = int(sorted_N[end - 1])
        assert 1 <= size <= n_rows
        assert size == 1 or size * (even_width(longest) if longest > 1 else 1) <= tokens


def test_a_row_left_over_joins_the_batch_before_it() -> None:
    assert batch_sizes(np.ones(9, int), TrainerConfig(batch_tokens=8)) == [9]
    assert batch_sizes(np.ones(1, int), TrainerConfig(batch_tokens=8)) == [1]

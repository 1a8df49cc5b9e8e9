"""The losses and figures of photos against plain computations, and worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from huaxiang.encoders.pretraining.photo_tags import (  # noqa: E402
    TagLesson,
    Vocabulary,
    probabilities,
    tag_figures,
    tag_weights,
    vocabulary_of,
)
from huaxiang.encoders.pretraining.photo_text import (  # noqa: E402
    Pairs,
    one_of_each,
    own_places,
    retrieval_figures,
)
from huaxiang.errors import ShopError  # noqa: E402

STATED = [
    [("colour", "red"), ("for", "home"), ("for", "work")],
    [("colour", "blue"), ("for", "home")],
    [("colour", "red"), ("for", "work")],
    [("colour", "blue")],
]


def test_the_sigmoid_loss_is_that_of_each_pair_asked_by_itself() -> None:
    rng = np.random.default_rng(0)
    photos, texts = rng.normal(size=(2, 5, 3))
    same = [0, 1, 0, 2, 3]
    expected = 0.0
    for i in range(5):
        for j in range(5):
            cosine = photos[i] @ texts[j] / np.linalg.norm(photos[i]) / np.linalg.norm(texts[j])
            sign = 1 if same[i] == same[j] else -1
            expected += math.log1p(math.exp(-sign * (10 * cosine - 10))) / 5
    loss = Pairs()(
        torch.tensor(photos, dtype=torch.float32),
        torch.tensor(texts, dtype=torch.float32),
        torch.tensor(same),
    )
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_temperature_and_bias_are_learnt() -> None:
    pairs = Pairs()
    pairs(torch.eye(3), torch.eye(3), torch.arange(3)).backward()
    assert pairs.log_temperature.grad is not None
    assert pairs.bias.grad is not None


def test_recall_is_exact_on_a_small_example() -> None:
    photos = np.eye(12, dtype=np.float32)
    texts = photos.copy()
    texts[0] = (photos[0] + 2 * photos[1]) / math.sqrt(5)  # the first text speaks of the second photo
    figures = retrieval_figures(photos, texts)
    assert own_places(texts, photos).tolist() == [2] + [1] * 11
    assert figures["text_to_photo_recall@1"] == pytest.approx(11 / 12)
    assert figures["text_to_photo_recall@10"] == 1
    assert figures["n_found_among"] == 12


def test_a_network_that_says_the_same_of_all_photos_finds_nothing() -> None:
    alike = np.ones((30, 4), np.float32) / 2
    assert retrieval_figures(alike, alike)["recall@10"] == 0


@given(order=st.permutations(range(20)))
def test_recall_does_not_depend_on_the_order_of_products(order: list[int]) -> None:
    rng = np.random.default_rng(1)
    photos, texts = (unit(rng.normal(size=(20, 4))) for _ in range(2))
    assert retrieval_figures(photos, texts) == retrieval_figures(photos[order], texts[order])


def test_products_with_the_same_text_are_looked_for_once() -> None:
    assert one_of_each(np.array([4, 4, 1, 2, 1]), most=2).tolist() == [0, 2]


def test_a_dimension_is_a_choice_where_no_product_has_two_values() -> None:
    found = vocabulary_of(STATED, fewest=1)
    assert [(d.name, d.is_choice) for d in found.dimensions] == [("colour", True), ("for", False)]
    assert not vocabulary_of(STATED, fewest=1, loss="yes_or_no").dimensions[0].is_choice
    assert Vocabulary.from_json(found.as_json()) == found


def test_rare_tags_are_not_told_and_nothing_to_tell_is_an_error() -> None:
    assert vocabulary_of([*STATED, [("colour", "mauve")]], fewest=2).tags[0] == ("colour", "blue")
    with pytest.raises(ShopError, match="no two tags of a dimension on 5 or more photos"):
        vocabulary_of(STATED, fewest=5)


def test_the_tag_loss_is_that_of_each_dimension_by_itself() -> None:
    found = vocabulary_of(STATED, fewest=1)
    lesson = TagLesson(found, np.array([1, 2, 3, 1], np.float32))
    logits = torch.tensor([[0.3, -0.2, 1.0, -1.0], [0.1, 0.4, 0.5, 0.2], [0, 0, 0, 0], [1, -1, 9, 9]])
    loss = lesson(logits, torch.from_numpy(found.matrix(STATED)), torch.from_numpy(found.stated(STATED)))
    softmax = torch.log_softmax(logits[:, :2], 1)  # blue, red
    colour = -(2 * softmax[0, 1] + softmax[1, 0] + 2 * softmax[2, 1] + softmax[3, 0]) / 4
    yes, no = torch.nn.functional.logsigmoid(logits[:, 2:]), torch.nn.functional.logsigmoid(-logits[:, 2:])
    told = 3 * yes[0, 0] + yes[0, 1] + 3 * yes[1, 0] + no[1, 1] + no[2, 0] + yes[2, 1]
    assert loss.item() == pytest.approx(((colour - told / 3) / 2).item(), rel=1e-5)


def test_a_value_that_was_never_learnt_is_not_held_against_a_photo_and_is_told_wrong() -> None:
    found = vocabulary_of(STATED, fewest=1)
    new = [[("colour", "mauve")], [("colour", "red")]]
    matrix, stated = found.matrix(new), found.stated(new)
    lesson = TagLesson(found, np.ones(4, np.float32))
    logits = torch.tensor([[9.0, -9, 0, 0], [-9.0, 9, 0, 0]])
    assert lesson(logits, torch.from_numpy(matrix), torch.from_numpy(stated)).item() < 1e-3
    figures = tag_figures(probabilities(logits.numpy(), found), new, found)
    assert figures["colour_accuracy"] == 0.5
    assert figures["colour_macro_f1"] == pytest.approx(1 / 3)  # red 1, mauve 0, blue 0


def test_rare_tags_weigh_more_and_a_choice_has_mean_weight_one() -> None:
    stated = [[("colour", "red")]] * 9 + [[("colour", "blue")]]
    found = vocabulary_of(stated, fewest=1)
    matrix = found.matrix(stated)
    assert tag_weights(matrix, found, balance=0).tolist() == [1, 1]
    blue, red = tag_weights(matrix, found, balance=0.5)
    assert blue / red == pytest.approx(3)
    assert (matrix * [blue, red]).sum(1).mean() == pytest.approx(1)


def test_perfect_answers_have_perfect_figures() -> None:
    found = vocabulary_of(STATED, fewest=1)
    figures = tag_figures(found.matrix(STATED), STATED, found)
    assert figures == {"tags_map": 1, "colour_accuracy": 1, "colour_macro_f1": 1, "for_accuracy": 1}


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

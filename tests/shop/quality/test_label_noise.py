"""A label that was turned is found again; labels that can't be judged are refused or set aside."""

from __future__ import annotations

import pytest

from huaxiang.errors import InputError
from huaxiang.shop.quality.label_noise import judge_labels

GOOD = ["质量很好，非常喜欢", "lovely soft dress, love it", "很满意，穿着舒服", "fits well and looks great"]
BAD = ["质量太差，很失望", "terrible, it broke at once", "退货了，太难看", "awful fabric, sent it back"]
TEXTS = [f"{text} {number}" for number in range(10) for text in (*GOOD, *BAD)]
LABELS: list[str | None] = (["good"] * 4 + ["bad"] * 4) * 10


def test_turned_labels_come_first() -> None:
    turned = [*LABELS]
    turned[3], turned[12] = "bad", "good"
    judged = judge_labels(TEXTS, turned)
    assert {doubt.row for doubt in judged.doubts[:2]} == {3, 12}
    assert (judged.doubts[0].given, judged.doubts[0].suggested) in (("bad", "good"), ("good", "bad"))
    assert judged.accuracy > 0.9


def test_the_same_seed_gives_the_same_doubts() -> None:
    assert judge_labels(TEXTS, LABELS, seed=3) == judge_labels(TEXTS, LABELS, seed=3)


def test_rows_without_text_or_label_and_rare_labels_are_not_judged() -> None:
    judged = judge_labels([*TEXTS, "", "ok", "odd"], [*LABELS, "good", None, "strange"])
    assert judged.n_judged == 80
    assert judged.rare == {"strange": 1}


REFUSED = {
    "one class": (["good"] * 80, "label column has one class: label 'good'"),
    "no label": ([None] * 80, "no row has a label: label"),
    "too seldom": (["good"] * 78 + ["bad"] * 2, "fewer than two labels are given 5 times or more"),
}


@pytest.mark.parametrize(("labels", "said"), REFUSED.values(), ids=REFUSED)
def test_labels_that_cannot_be_judged_are_refused(labels: list[str | None], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        judge_labels(TEXTS, labels)
    assert caught.value.remedy


def test_ids_are_no_labels() -> None:
    with pytest.raises(InputError, match="301 different labels are more than 300"):
        judge_labels(["text"] * 1505, [str(number // 5) for number in range(1505)])

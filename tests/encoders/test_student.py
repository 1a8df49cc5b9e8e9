from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.encoders.named import load_text_encoder
from huaxiang.encoders.student import SHIPPED, StudentEncoder, student_file
from huaxiang.errors import ArtefactError

student = StudentEncoder()


def test_weights_fit_into_the_package() -> None:
    assert SHIPPED.stat().st_size <= 10_000_000
    assert student.dimensions == 384


@pytest.mark.parametrize(
    ("chinese", "near", "far"),
    [
        ("跑步鞋", "运动鞋", "连衣裙"),
        ("红色连衣裙", "连衣裙", "红色钱包"),
        ("不锈钢保温杯", "水杯", "帽子"),
        ("纯棉T恤", "短袖", "闹钟"),
    ],
)
def test_products_lie_beside_their_like(chinese: str, near: str, far: str) -> None:
    vectors = student.encode([chinese, near, far]).vectors_ID
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1


@given(st.lists(st.one_of(st.none(), st.text()), max_size=5))
def test_any_text_gets_a_unit_vector_or_is_absent(texts: list[str | None]) -> None:
    encoded = student.encode(texts)
    lengths = np.linalg.norm(encoded.vectors_ID, axis=1)
    np.testing.assert_allclose(lengths, encoded.present_I.astype(float), atol=1e-4)


def test_a_vector_does_not_depend_on_its_batch() -> None:
    texts = ["红色连衣裙", "跑步鞋", "鞋" * 5000, "x"]
    alone = np.concatenate([student.encode([text]).vectors_ID for text in texts])
    np.testing.assert_allclose(student.encode(texts).vectors_ID, alone, atol=1e-5)


def test_saved_student_is_read_back(tmp_path: Path) -> None:
    student.save(tmp_path)
    again = load_text_encoder(tmp_path)
    assert again.space == student.space
    np.testing.assert_array_equal(again.encode(["鞋"]).vectors_ID, student.encode(["鞋"]).vectors_ID)


def test_eight_bits_change_little() -> None:
    rng = np.random.default_rng(0)
    shapes = {"rows": (50, 8), "norm_gain": 8, "norm_bias": 8, "hidden": (8, 16), "hidden_bias": 16}
    shapes |= {"out": (16, 4), "straight": (8, 4), "bias": 4}
    weights = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    content = student_file(weights, longest_ngram=2, settings={})
    assert len(content) < 3_000


@pytest.mark.parametrize("damage", ["missing", "truncated", "not weights"])
def test_damaged_weights_are_an_artefact_error(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "text_student.safetensors"
    if damage != "missing":
        file.write_bytes(SHIPPED.read_bytes()[:100_000] if damage == "truncated" else b"hello")
    with pytest.raises(ArtefactError):
        StudentEncoder(file)

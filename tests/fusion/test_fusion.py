"""What every fusion promises, and one known answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang import fusion
from huaxiang.errors import ArtefactError, EncoderError, NotFittedError, SettingsError
from huaxiang.fusion import FUSIONS, Parts, make
from huaxiang.fusion.weighted import learn_lambda, mean_surprise, weighted_sum
from huaxiang.records import Matrix

TRAINED = ("gated", "attention")


def small(name: str, **more: Any) -> Any:
    """An unfitted fusion of 8 numbers that trains for a moment."""
    return make(name, {"dimensions": 8} | ({"steps": 30, "batch": 32} if name in TRAINED else {}) | more)


def items(n: int = 40, *, seed: int = 0) -> Parts:
    """Items of eight kinds; a text and a photo each show the kind, every fifth item has no photo."""
    rng = np.random.default_rng(seed)
    kinds = np.eye(8)[np.arange(n) % 8]
    text = kinds @ rng.normal(size=(8, 12)) + 0.1 * rng.normal(size=(n, 12))
    image = kinds @ rng.normal(size=(8, 10)) + 0.1 * rng.normal(size=(n, 10))
    image[::5] = 0
    return Parts.of({"text": unit(text), "image": unit(image)})


def unit(rows: Any) -> Matrix:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def pairs_of_a_kind(n: int = 40) -> Any:
    return np.array([(i, j) for i in range(n) for j in range(n) if i != j and i % 8 == j % 8], np.int32)


def rows_of(parts: Parts, rows: Any) -> Parts:
    return Parts(
        vectors={name: of[rows] for name, of in parts.vectors.items()},
        present={name: of[rows] for name, of in parts.present.items()},
    )


@pytest.fixture(scope="module", params=FUSIONS)
def fitted(request: pytest.FixtureRequest) -> Any:
    return small(request.param).fit(items(), pairs_of_a_kind(), seed=1)


def test_rows_have_unit_length_and_one_width(fitted: Any) -> None:
    fused = fitted.fuse(items())
    assert fused.shape == (40, 8)
    assert fused.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, atol=1e-5)


def test_an_item_with_nothing_is_a_zero_row(fitted: Any) -> None:
    nothing = Parts.of({"text": np.zeros((2, 12), "f"), "image": np.zeros((2, 10), "f")})
    assert not fitted.fuse(nothing).any()
    assert sum(fitted.weights(nothing).values()) == pytest.approx(1)


def test_weights_sum_to_one_and_follow_what_is_there(fitted: Any) -> None:
    whole = fitted.weights(items())
    assert set(whole) == {"text", "image"}
    assert sum(whole.values()) == pytest.approx(1, abs=1e-5)
    only = fitted.weights(Parts.of({"text": items().vectors["text"]}))
    assert only["text"] == pytest.approx(1, abs=1e-5)


def test_a_text_or_a_photo_alone_lands_beside_its_item(fitted: Any) -> None:
    parts = items()
    rows = np.flatnonzero(parts.present["image"])
    whole = fitted.fuse(parts)
    for name in ("text", "image"):
        alone = fitted.fuse(Parts.of({name: parts.vectors[name][rows]}))
        nearest = (alone @ whole.T).argmax(axis=1)
        assert (nearest % 8 == rows % 8).mean() > 0.9


def test_a_text_alone_finds_its_photo_alone(fitted: Any) -> None:
    parts = items()
    rows = np.flatnonzero(parts.present["image"])
    texts = fitted.fuse(Parts.of({"text": parts.vectors["text"][rows]}))
    photos = fitted.fuse(Parts.of({"image": parts.vectors["image"][rows]}))
    assert (rows[(texts @ photos.T).argmax(axis=1)] % 8 == rows % 8).mean() > 0.8


@settings(max_examples=15)
@given(order=st.permutations(list(range(40))))
def test_the_order_of_items_changes_nothing(fitted: Any, order: list[int]) -> None:
    fused = fitted.fuse(rows_of(items(), order))
    np.testing.assert_allclose(fused, fitted.fuse(items())[order], atol=1e-5)


@settings(max_examples=15)
@given(here=st.lists(st.booleans(), min_size=40, max_size=40), junk=st.floats(-9, 9))
def test_what_stands_in_an_absent_row_is_never_read(fitted: Any, here: list[bool], junk: float) -> None:
    parts, shown = items(), np.array(here)
    image = np.where(shown[:, None], parts.vectors["image"], np.float32(junk))
    present = {"text": parts.present["text"], "image": parts.present["image"] & shown}
    noisy = Parts(vectors={"text": parts.vectors["text"], "image": image}, present=present)
    clean = Parts.of({"text": parts.vectors["text"], "image": parts.vectors["image"] * shown[:, None]})
    np.testing.assert_allclose(fitted.fuse(noisy), fitted.fuse(clean), atol=1e-5)


def test_one_item_is_a_batch_of_one(fitted: Any) -> None:
    np.testing.assert_allclose(fitted.fuse(rows_of(items(), [3])), fitted.fuse(items())[[3]], atol=1e-5)


def test_what_is_saved_is_read_back(fitted: Any, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    again = fusion.load(tmp_path)
    np.testing.assert_array_equal(again.fuse(items()), fitted.fuse(items()))
    assert again.fingerprint == fitted.fingerprint
    assert type(again) is type(fitted)


def test_the_same_seed_gives_the_same_fusion(fitted: Any) -> None:
    again = small(fitted.name).fit(items(), pairs_of_a_kind(), seed=1)
    assert again.fingerprint == fitted.fingerprint


def test_a_modality_it_was_not_fitted_on_is_refused(fitted: Any) -> None:
    with pytest.raises(EncoderError, match="doesn't know a modality"):
        fitted.fuse(Parts.of({"sound": np.ones((2, 3), "f")}))


def test_vectors_of_another_width_are_refused(fitted: Any) -> None:
    with pytest.raises(EncoderError, match="another width"):
        fitted.fuse(Parts.of({"text": np.ones((2, 3), "f")}))


@pytest.mark.parametrize("name", FUSIONS)
def test_a_shop_without_photos_has_one_modality(name: str) -> None:
    parts = Parts.of({"text": items().vectors["text"], "image": np.zeros((40, 10), "f")})
    fitted = small(name).fit(parts, pairs_of_a_kind())
    assert fitted.modalities == ("text",)
    assert fitted.weights(parts) == {"text": pytest.approx(1)}
    np.testing.assert_allclose(np.linalg.norm(fitted.fuse(parts), axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", FUSIONS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_shop_of_a_few_items_without_any_pair_is_fused(name: str, n: int) -> None:
    parts = Parts.of({"text": np.eye(n, 12, dtype="f"), "image": np.eye(n, 10, dtype="f")})
    fused = small(name).fit(parts, np.zeros((0, 2), np.int32)).fuse(parts)
    np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", FUSIONS)
def test_use_before_fit_is_an_error(name: str) -> None:
    with pytest.raises(NotFittedError):
        small(name).fuse(items())


@pytest.mark.parametrize("telling", ["text", "image"])
@pytest.mark.parametrize("name", ["weighted", *TRAINED])
def test_the_modality_that_tells_what_goes_together_weighs_more(name: str, telling: str) -> None:
    rng = np.random.default_rng(3)
    silent = "image" if telling == "text" else "text"
    kind = np.arange(64) % 8
    signal = unit(np.eye(8)[kind] + 0.1 * rng.normal(size=(64, 8)))
    parts = Parts.of({telling: signal, silent: unit(rng.normal(size=(64, 8)))})
    first = rng.integers(64, size=600)
    pairs = np.stack([first, (first + 8 * rng.integers(1, 8, size=600)) % 64], axis=1).astype(np.int32)
    more = {"steps": 100} if name in TRAINED else {}
    weights = small(name, **more).fit(parts, pairs).weights(parts)
    assert weights[telling] > 0.6 > weights[silent]


def test_a_weak_signal_weighs_more_too() -> None:
    rng = np.random.default_rng(4)
    kind = np.arange(200) % 40
    signal = unit(np.eye(40)[kind] + 0.3 * rng.normal(size=(200, 40)))
    codes = np.stack([signal, unit(rng.normal(size=(200, 40)))])
    first = rng.integers(200, size=2000)
    together = rng.random(2000) < 0.4
    second = np.where(
        together, (first + 40 * rng.integers(1, 5, size=2000)) % 200, rng.integers(200, size=2000)
    )
    pairs = np.stack([first, second], axis=1)[first != second].astype(np.int32)
    learnt = learn_lambda(codes, pairs, prior_pairs=20.0)

    def surprise(share: float) -> float:
        fused = weighted_sum(codes, np.array([share, 1 - share]))
        return min(mean_surprise(fused, pairs, sharpness=sharpness) for sharpness in (0.5, 1, 2, 4))

    assert surprise(0.5) - surprise(0.9) > 0.01  # it is there to be found
    assert learnt[0] > 0.7


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    small("weighted").fit(items(), pairs_of_a_kind()).save(tmp_path)
    file = tmp_path / "fusion.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 99}))
    with pytest.raises(ArtefactError, match="newer version"):
        fusion.load(tmp_path)


@pytest.mark.parametrize("file", ["fusion.json", "fusion.safetensors"])
def test_a_truncated_file_is_refused(tmp_path: Path, file: str) -> None:
    small("weighted").fit(items(), pairs_of_a_kind()).save(tmp_path)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtefactError, match="no fusion can be read"):
        fusion.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "config"),
    [("summed", {}), ("weighted", {"width": 3}), ("gated", {"steps": -1}), ("attention", {"n_heads": 3})],
)
def test_a_setting_out_of_range_is_refused(name: str, config: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        make(name, config)


@pytest.mark.parametrize("name", TRAINED)
def test_before_any_step_a_trained_fusion_is_the_weighted_sum(name: str) -> None:
    untrained = small(name, steps=0).fit(items(), pairs_of_a_kind())
    weighted = small("weighted").fit(items(), pairs_of_a_kind())
    np.testing.assert_allclose(untrained.fuse(items()), weighted.fuse(items()), atol=1e-5)

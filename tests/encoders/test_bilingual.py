import json
from pathlib import Path

import numpy as np
import pytest

from huaxiang.encoders.bilingual import READ_BY_STUDENT, BilingualEncoder, Config
from huaxiang.encoders.bundled import bundled_folder, check_weights
from huaxiang.encoders.cache import CachedEncoder
from huaxiang.encoders.named import load_text_encoder, text_encoder
from huaxiang.errors import EncoderError, SettingsError


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> BilingualEncoder:
    encoder = text_encoder("default", cache_folder=tmp_path_factory.mktemp("cache"))
    assert isinstance(encoder, BilingualEncoder)
    return encoder


@pytest.mark.slow
def test_export_of_minilm_agrees_with_torch(default: BilingualEncoder) -> None:
    settings = json.loads((default.english.folder / "text.json").read_text())
    assert settings["least_cosine_to_torch"] >= 0.9999
    assert settings["max_tokens"] == 256


@pytest.mark.slow
def test_running_shoes_land_beside_running_shoes_and_not_beside_others(default: BilingualEncoder) -> None:
    chinese = default.encode(["跑步鞋", "红色连衣裙"]).vectors_ID
    english = default.encode(["running shoes", "red dress", "garden hose", "coffee mug"]).vectors_ID
    cosines = chinese @ english.T
    assert cosines.argmax(1).tolist() == [0, 1]
    assert cosines[0, 0] > 0.8
    assert cosines[0, 1:].max() < 0.4


@pytest.mark.slow
def test_what_the_student_read_is_said_aloud(default: BilingualEncoder) -> None:
    before = default.n_read_by_student
    encoded = default.encode(["running shoes", "跑步鞋", None, "🎉"])
    assert encoded.problems == {1: READ_BY_STUDENT}
    assert encoded.notes == ("1 of 4: read by the bilingual student",)
    assert encoded.present_I.tolist() == [True, True, False, False]
    assert default.n_read_by_student == before + 1


@pytest.mark.slow
def test_a_cached_text_is_said_aloud_again(default: BilingualEncoder, tmp_path: Path) -> None:
    for _ in range(2):
        assert CachedEncoder(default, tmp_path).encode(["跑步鞋"]).problems == {0: READ_BY_STUDENT}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("running shoes", 0.0),
        ("跑步鞋", 1.0),
        ("大人", 1.0),
        ("nike 跑步鞋", 0.75),
        ("café crème", 0.0),
        ("🎉🎉 red «dress»", 0.0),
    ],
)
def test_unknown_tokens_are_those_minilm_never_learnt(
    text: str, share: float, default: BilingualEncoder
) -> None:
    assert default.unknown_shares([text])[0] == pytest.approx(share)


@pytest.mark.slow
def test_english_words_inside_chinese_are_read_by_minilm(default: BilingualEncoder) -> None:
    vectors = default.encode(["Nike 跑步鞋", "跑步鞋", "nike"]).vectors_ID
    assert vectors[0] @ vectors[2] > vectors[1] @ vectors[2] + 0.1
    assert vectors[0] @ vectors[1] > 0.7


@pytest.mark.slow
def test_english_is_read_by_minilm_alone(default: BilingualEncoder) -> None:
    texts = ["red dress", "a café for two"]
    np.testing.assert_array_equal(default.encode(texts).vectors_ID, default.english.encode(texts).vectors_ID)


@pytest.mark.slow
def test_saved_default_is_read_back(default: BilingualEncoder, tmp_path: Path) -> None:
    default.save(tmp_path)
    again = load_text_encoder(tmp_path)
    texts = ["red dress", "跑步鞋", "Nike 跑步鞋"]
    assert again.space == default.space
    np.testing.assert_array_equal(again.encode(texts).vectors_ID, default.encode(texts).vectors_ID)


def test_share_lies_between_nothing_and_all() -> None:
    with pytest.raises(SettingsError, match="choose 0 to 1"):
        Config(unknown_share=1.5)


def test_bundled_weights_are_the_published_ones() -> None:
    assert (bundled_folder() / "model.safetensors").is_file()


def test_other_weights_than_the_published_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(EncoderError, match="not the published ones"):
        check_weights(tmp_path / "model.safetensors", sha256="0" * 64)

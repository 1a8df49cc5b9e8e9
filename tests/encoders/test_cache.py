import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from huaxiang.encoders.base import Encoded
from huaxiang.encoders.cache import CachedEncoder, image_content
from huaxiang.encoders.hashed import HashedEncoder
from huaxiang.errors import StorageError

TEXTS = ["red dress", None, "跑步鞋", "red dress", "!!"]


class Counting(HashedEncoder):
    """Remembers what reached it; photos are read as texts, and an unreadable one is a problem."""

    def __init__(self, *, dimensions: int = 8) -> None:
        super().__init__(dimensions=dimensions)
        self.seen: list[object] = []

    def encode(self, texts: Sequence[object]) -> Encoded:
        self.seen += list(texts)
        encoded = super().encode([None if text is None else str(text) for text in texts])
        return Encoded(
            vectors_ID=encoded.vectors_ID,
            present_I=encoded.present_I,
            problems={row: "broken" for row, text in enumerate(texts) if text == b"broken"},
        )


def test_vectors_from_the_cache_are_those_of_the_encoder(tmp_path: Path) -> None:
    direct = Counting().encode(TEXTS)
    for _ in range(2):
        cached = CachedEncoder(Counting(), tmp_path).encode(TEXTS)
        np.testing.assert_array_equal(cached.vectors_ID, direct.vectors_ID)
        np.testing.assert_array_equal(cached.present_I, direct.present_I)


def test_second_build_encodes_only_what_is_new(tmp_path: Path) -> None:
    CachedEncoder(Counting(), tmp_path).encode(TEXTS)
    second = Counting()
    CachedEncoder(second, tmp_path).encode([*TEXTS, "blue dress"])
    assert second.seen == ["blue dress", None]


def test_equal_texts_are_encoded_once(tmp_path: Path) -> None:
    encoder = Counting()
    CachedEncoder(encoder, tmp_path).encode(["red dress"] * 5)
    assert encoder.seen == ["red dress"]


def test_spaces_never_mix(tmp_path: Path) -> None:
    CachedEncoder(Counting(dimensions=8), tmp_path).encode(TEXTS)
    other = CachedEncoder(Counting(dimensions=16), tmp_path)
    assert other.encode(TEXTS).vectors_ID.shape == (5, 16)
    assert other.n_found == 1  # "red dress" twice in one batch


@pytest.mark.parametrize("damage", ["truncated", "one bit", "not a shard"])
def test_corrupt_file_is_dropped_aloud_and_made_again(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    CachedEncoder(Counting(), tmp_path).encode(TEXTS)
    (file,) = tmp_path.rglob("*.safetensors")
    whole = file.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    file.write_bytes({"truncated": whole[:-9], "one bit": flipped, "not a shard": b"hello"}[damage])
    encoder = Counting()
    with caplog.at_level(logging.WARNING):
        cached = CachedEncoder(encoder, tmp_path)
    assert cached.n_shards_dropped == 1
    assert "dropped" in caplog.text
    cached.encode(TEXTS)
    assert encoder.seen == ["red dress", "跑步鞋", "!!", None]


def test_problems_are_remembered(tmp_path: Path) -> None:
    for _ in range(2):
        cached = CachedEncoder(Counting(), tmp_path, content=image_content)
        assert cached.encode([b"fine", b"broken"]).problems == {1: "broken"}


def test_photos_are_known_by_content_and_not_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"same")
    (tmp_path / "b.jpg").write_bytes(b"same")
    encoder = Counting()
    cached = CachedEncoder(encoder, tmp_path / "cache", content=image_content)
    cached.encode([tmp_path / "a.jpg", str(tmp_path / "b.jpg"), b"same", None, tmp_path / "absent.jpg"])
    assert encoder.seen == [tmp_path / "a.jpg", None, tmp_path / "absent.jpg"]


def test_many_small_files_become_one(tmp_path: Path) -> None:
    for number in range(66):
        CachedEncoder(Counting(), tmp_path).encode([f"text {number}"])
    last = Counting()
    CachedEncoder(last, tmp_path).encode([f"text {number}" for number in range(66)])
    assert last.seen == []
    assert len(list(tmp_path.rglob("*.safetensors"))) < 5


def test_folder_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="name another folder"):
        CachedEncoder(Counting(), tmp_path / "file").encode(TEXTS)


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    CachedEncoder(Counting(), tmp_path).encode(TEXTS)
    assert [file.suffix for file in tmp_path.rglob("*") if file.is_file()] == [".safetensors"]

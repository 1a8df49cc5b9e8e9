"""`pretrain image` by command: a folder that is described, and errors that name their cause."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import call
from encoders.pretraining.small_photos import write_photos
from huaxiang.encoders.image import image_encoder

pytest.importorskip("torch")

SMALL = (
    *("--objective", "tags+contrastive", "--from-scratch", "resnet18_small", "--size", "32"),
    *("--text-encoder", "hashed", "--batch", "32", "--epochs", "1", "--set", "channels=8"),
    *("--set", "fewest_of_a_tag=2", "--set", "training.precision=fp32", "--json"),
)


def of_table(folder: Path, *more: str | Path) -> tuple[str | Path, ...]:
    columns = ("--text", "title", "--tags", "colour", "--tags", "shape")
    return ("--table", folder / "products.csv", "--photos", folder / "photos", *columns, *more)


@pytest.mark.usefixtures("cache")
def test_a_table_with_photos_becomes_a_described_folder_that_build_can_take(tmp_path: Path) -> None:
    write_photos(tmp_path, 64)
    out = tmp_path / "model"
    answer = call("pretrain", "image", *of_table(tmp_path), *SMALL, "--out", out, "--seed", "3")
    assert answer.code == 0, answer.err
    said = answer.json
    assert said["schema"] == "huaxiang.pretrain/1"
    assert said["rows"]["products"] == 64
    assert {"test", "validation", "untrained"} <= set(said["metrics"])
    kept = {path.name for path in out.iterdir()}
    described = {"README.md", "settings.toml", "metrics.json", "curves.png", "manifest.json"}
    served = {"config.json", "model.safetensors", "image.onnx", "image.json", "heads.json", "tags.onnx"}
    assert described | served <= kept
    assert "checkpoints" not in kept
    held_out = json.loads((out / "held_out.json").read_text(encoding="utf-8"))
    assert len(held_out["test"]) == said["rows"]["test"]
    assert image_encoder(out, cache_folder=tmp_path).dimensions == 256


@pytest.mark.usefixtures("cache")
def test_a_broken_photo_is_an_error_and_is_listed_when_left_out(tmp_path: Path) -> None:
    write_photos(tmp_path, 64)
    (tmp_path / "photos" / "p7.png").write_bytes(b"junk")
    told = call("pretrain", "image", *of_table(tmp_path), *SMALL, "--out", tmp_path / "m")
    assert told.code == 2
    assert "1 of 64 photos can't be used" in told.json["error"]["message"]
    assert not (tmp_path / "m").exists()
    skipped = call(
        "pretrain", "image", *of_table(tmp_path), *SMALL, "--skip-missing", "--out", tmp_path / "m"
    )
    assert skipped.json["left_out"] == 1
    assert "p7.png" in (tmp_path / "m" / "photos_left_out.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--objective", "guess"), "setting is not known: objective 'guess'"),
        (("--size", "big"), "not a size: --size 'big'"),
        (("--from", "x", "--from-scratch", "resnet18"), "one network is needed"),
        (("--set", "augment.mirrors=1"), "no such setting: augment.mirrors; the nearest is augment.mirror"),
        (("--set", "augment.mixup=1"), "mixed photos have no text"),
        ((), "one source of products is needed"),
        (("--table", "t.csv"), "option is missing: --photos"),
        (("--from", "nowhere/at/all", "--shop", "."), "error"),
    ],
)
def test_a_wrong_option_is_an_error(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    answer = call("pretrain", "image", *arguments, "--out", tmp_path / "m")
    assert answer.code == 2
    assert said in answer.err


@pytest.mark.slow
def test_build_uses_the_pretrained_folder(small_build: object, tmp_path: Path) -> None:
    shop = small_build.shop  # type: ignore[attr-defined]
    made = call(
        *("pretrain", "image", "--shop", shop, *SMALL, "--out", tmp_path / "m"),
        *("--set", "test_share=0.2", "--set", "validation_share=0.1"),
    )
    assert made.code == 0, made.err
    assert {"recall@10_en", "recall@10_zh"} <= set(made.json["metrics"]["test"])
    members = "recommend.members=['popular','neighbours']"
    built = call(
        *("build", "--shop", shop, "--image", tmp_path / "m", "--out", tmp_path / "run"),
        *("--set", members, "--json"),
    )
    assert built.code == 0, built.err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["spaces"]["image"].startswith("resnet18_small-shop/")

"""A photo encoder learns from spots of colour, resumes exactly, and serves what torch says."""

from __future__ import annotations

import filecmp
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from encoders.pretraining.small_photos import small_products
from huaxiang.encoders.image import OnnxImageEncoder, image_encoder
from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.pretraining.images import Config, Pretrained, pretrain_image
from huaxiang.encoders.pretraining.photo_products import PhotoProducts
from huaxiang.encoders.pretraining.photo_served import PhotoTagger, shared_text_encoder
from huaxiang.errors import ArtefactError, EncoderError, PhotoError, SettingsError, TooFewPhotosError

torch = pytest.importorskip("torch")

from encoders.tiny_encoders import tiny_encoder  # noqa: E402
from huaxiang.encoders.pretraining.photo_networks import load_backbone, new_backbone  # noqa: E402

QUICK = TrainerConfig(
    steps=24, batch_rows=32, batch_tokens=32, learning_rate=4e-3, validations=2, precision="fp32"
)
TINY = Config(
    objective="tags+contrastive",
    from_scratch="resnet18_small",
    height=32,
    width=32,
    channels=8,
    text_encoder="hashed",
    shared=16,
    fewest_of_a_tag=2,
    training=QUICK,
)


def pretrained(products: PhotoProducts, folder: Path, config: Config = TINY, **more: Any) -> Pretrained:
    return pretrain_image(products, folder, config=config, cache=folder.parent / "cache", **more)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[PhotoProducts, Path, Pretrained]:
    home = tmp_path_factory.mktemp("photos")
    products = small_products(home, 128)
    longer = replace(TINY, training=replace(QUICK, steps=120))
    return products, home / "model", pretrained(products, home / "model", longer)


def test_the_loss_falls_and_unseen_photos_are_told(made: tuple[PhotoProducts, Path, Pretrained]) -> None:
    _, _, how = made
    losses = [point["loss"] for point in how.learnt.curve if "learning_rate" in point]
    assert np.mean(losses[-4:]) < 0.6 * np.mean(losses[:4])
    assert how.metrics["test"]["tags_map"] > how.metrics["untrained"]["tags_map"] + 0.2
    assert how.metrics["test"]["recall@10"] > how.metrics["untrained"]["recall@10"] + 0.2
    assert how.rows["learnt"] + how.rows["validation"] + how.rows["test"] == 128


def test_what_is_served_is_what_torch_says(made: tuple[PhotoProducts, Path, Pretrained]) -> None:
    products, folder, _ = made
    served = OnnxImageEncoder(folder)
    vectors = served.encode([products.photo(row) for row in range(5)]).vectors_ID
    backbone = load_backbone(folder)
    from safetensors.torch import load_file

    heads = load_file(folder / "heads.safetensors")
    pixels = np.stack([served.preprocessing.apply(picture(products, row)) for row in range(5)])
    with torch.inference_mode():
        features = backbone.module(torch.from_numpy(pixels))
        shared = torch.nn.functional.normalize(features @ heads["photo.weight"].T, dim=1)
        logits = features @ heads["tags.weight"].T + heads["tags.bias"]
    np.testing.assert_allclose(vectors, shared.numpy(), atol=1e-4)
    tagger = PhotoTagger(folder)
    likely, present = tagger.likely([*(products.photo(row) for row in range(5)), b"junk"])
    colours = tagger.choices["colour"]
    np.testing.assert_allclose(likely[:5, colours], logits[:, colours].softmax(1).numpy(), atol=1e-4)
    assert present.tolist() == [True] * 5 + [False]


def test_texts_find_photos_without_torch(made: tuple[PhotoProducts, Path, Pretrained]) -> None:
    products, folder, _ = made
    texts = shared_text_encoder(folder, cache_folder=folder.parent / "cache")
    photos = OnnxImageEncoder(folder)
    assert texts.dimensions == photos.dimensions == 16
    vectors = photos.encode([products.photo(row) for row in range(64)]).vectors_ID
    nearest = (texts.encode(["red wide dress"]).vectors_ID @ vectors.T).argsort()[0, -8:]
    assert (nearest % 4 == 0).mean() > 0.7  # every fourth is red


def test_the_folder_is_one_of_hugging_face_and_is_gone_on_from(
    made: tuple[PhotoProducts, Path, Pretrained], tmp_path: Path
) -> None:
    products, folder, _ = made
    import transformers

    model = transformers.AutoModel.from_pretrained(folder)
    assert type(model).__name__ == "ResNetModel"
    size = dict(transformers.AutoImageProcessor.from_pretrained(folder, backend="pil").size)
    assert (size["height"], size["width"]) == (32, 32)
    further = replace(
        TINY,
        from_scratch=None,
        from_folder=str(folder),
        height=None,
        width=None,
        training=replace(QUICK, steps=2),
    )
    assert pretrained(products, tmp_path / "on", further).metrics["untrained"]["n_products"] > 0


def test_learning_from_moved_pixels_leaves_more_under_attack(tmp_path: Path) -> None:
    products = small_products(tmp_path, 256)
    how = replace(
        TINY, objective="tags", attacked=64, epsilon=0.03, test_share=0.4, training=replace(QUICK, steps=160)
    )
    plain = pretrained(products, tmp_path / "plain", how).metrics["test"]
    hardened = pretrained(products, tmp_path / "hardened", replace(how, adversarial="fgm")).metrics["test"]

    def both(metrics: dict[str, float], suffix: str) -> float:
        return (metrics[f"colour_accuracy{suffix}"] + metrics[f"shape_accuracy{suffix}"]) / 2

    assert both(plain, "_of_attacked") >= both(plain, "_attacked")
    assert both(hardened, "_attacked") > both(plain, "_attacked") + 0.1
    assert both(hardened, "") >= both(plain, "") - 0.1


def test_an_attack_on_white_pixels_stays_white() -> None:
    from huaxiang.encoders.pretraining.photo_attack import pixels_config

    shown = new_backbone("resnet18_small", size=(32, 32), width=8, seed=0).preprocessing
    config = pixels_config(shown, epsilon=0.1)
    white = (torch.full((1, 3, 2, 2), 255.0) * shown.scale - torch.tensor(shown.mean)[:, None, None]) / (
        torch.tensor(shown.std)[:, None, None]
    )
    up = config.ball().stepped(torch.zeros_like(white), torch.ones_like(white), white, 1.0)
    down = config.ball().stepped(torch.zeros_like(white), -torch.ones_like(white), white, 1.0)
    torch.testing.assert_close(up, torch.zeros_like(up), atol=1e-5, rtol=0)
    moved = (white + down) * torch.tensor(shown.std)[:, None, None] + torch.tensor(shown.mean)[:, None, None]
    torch.testing.assert_close(moved / shown.scale, torch.full_like(moved, 255 * 0.9), atol=0.01, rtol=0)


def test_a_stopped_fit_goes_on_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    products = small_products(tmp_path, 64)
    config = replace(TINY, training=replace(QUICK, steps=6, validations=3))

    def stop(stage: str, done: int, total: int, note: str) -> None:
        if stage == "learn" and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrained(products, tmp_path / "a", config, progress=stop)
    resumed = pretrained(products, tmp_path / "a", config)
    whole = pretrained(products, tmp_path / "b", config)
    assert (resumed.learnt.resumed_from, whole.learnt.resumed_from) == (2, 0)
    for file in ("model.safetensors", "heads.safetensors"):
        assert filecmp.cmp(tmp_path / "a" / file, tmp_path / "b" / file, shallow=False)


def test_missing_photos_are_counted_named_and_left_out_on_request(tmp_path: Path) -> None:
    products = small_products(tmp_path, 64)
    (tmp_path / "photos" / "p2.png").unlink()
    (tmp_path / "photos" / "p5.png").write_bytes(b"junk")
    with pytest.raises(PhotoError, match=r"2 of 64 photos can't be used \(1 .*, 1 .*p2.png, p5.png.*--skip"):
        pretrained(products, tmp_path / "a")
    config = replace(TINY, training=replace(QUICK, steps=1, validations=1))
    how = pretrained(products, tmp_path / "b", config, skip_missing=True)
    assert [item for item, *_ in how.left_out] == ["p2", "p5"]
    assert how.rows["photo_left_out"] == 2


def test_tags_alone_serve_the_features(tmp_path: Path) -> None:
    products = small_products(tmp_path, 64)
    config = replace(TINY, objective="tags", training=replace(QUICK, steps=1, validations=1))
    pretrained(products, tmp_path / "m", config)
    assert OnnxImageEncoder(tmp_path / "m").dimensions == 64
    with pytest.raises(ArtefactError, match="has learnt no texts"):
        shared_text_encoder(tmp_path / "m", cache_folder=tmp_path)


def test_a_text_encoder_taught_along_is_served_like_any_other(tmp_path: Path) -> None:
    products = small_products(tmp_path, 64)
    config = replace(
        TINY,
        objective="contrastive",
        text_encoder=str(tiny_encoder(tmp_path / "words", pooling="cls_token")),
        tune_text=True,
        training=replace(QUICK, steps=3, validations=1),
    )
    how = pretrained(products, tmp_path / "m", config)
    texts = shared_text_encoder(tmp_path / "m", cache_folder=tmp_path / "cache")
    photos = OnnxImageEncoder(tmp_path / "m")
    encoded = texts.encode(["red dress", "blue hat"]).vectors_ID
    assert encoded.shape == (2, photos.dimensions)
    assert how.metrics["test"]["n_found_among"] > 0
    with pytest.raises(ArtefactError, match="has learnt no tags"):
        PhotoTagger(tmp_path / "m")


def test_a_tokenizer_of_another_model_is_an_error(tmp_path: Path) -> None:
    products = small_products(tmp_path, 64)
    words = tiny_encoder(tmp_path / "words")
    other = json.loads((words / "tokenizer.json").read_text())
    other["model"]["vocab"]["another"] = 99
    (words / "tokenizer.json").write_text(json.dumps(other))
    for is_taught in (False, True):
        config = replace(TINY, text_encoder=str(words), tune_text=is_taught)
        with pytest.raises(EncoderError, match="tokenizer does not match the model: 100 tokens.* 15"):
            pretrained(products, tmp_path / "m", config)


def test_a_text_encoder_that_has_no_weights_to_teach_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="can't be taught.*minilm"):
        pretrained(small_products(tmp_path, 64), tmp_path / "m", replace(TINY, tune_text=True))


def test_a_folder_of_a_text_encoder_is_no_image_encoder(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no image encoder in the folder.*'bert'"):
        load_backbone(tiny_encoder(tmp_path / "words"))


def test_weights_of_another_architecture_are_an_error(tmp_path: Path) -> None:
    new_backbone("resnet18", size=(32, 32), width=8).keep(tmp_path / "a")
    new_backbone("vit_small", size=(32, 32), width=24).keep(tmp_path / "b")
    (tmp_path / "a" / "config.json").replace(tmp_path / "b" / "config.json")
    with pytest.raises(EncoderError, match="weights are of another architecture"):
        load_backbone(tmp_path / "b")


@pytest.mark.parametrize(
    ("name", "size", "width", "n_features"),
    [("resnet18", (48, 32), 8, 64), ("resnet50", (32, 32), 16, 128), ("vit_small", (32, 48), 24, 24)],
)
def test_new_networks_are_kept_and_loaded_the_same(
    name: str, size: tuple[int, int], width: int, n_features: int, tmp_path: Path
) -> None:
    new = new_backbone(name, size=size, width=width, seed=3)
    new.keep(tmp_path)
    loaded = load_backbone(tmp_path)
    pixels = torch.randn(2, 3, *size)
    with torch.inference_mode():
        torch.testing.assert_close(new.module(pixels), loaded.module(pixels))
    assert loaded.n_features == n_features
    assert loaded.preprocessing == new.preprocessing


def test_the_same_seed_draws_the_same_network() -> None:
    weights = [
        next(new_backbone("resnet18", size=(32, 32), width=8, seed=seed).module.parameters())
        for seed in (1, 1, 2)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("name", "width"), [("resnet18", 7), ("resnet50", 4), ("vit_small", 0), ("vit_small", 8)]
)
def test_a_network_too_narrow_or_of_no_whole_heads_is_an_error(name: str, width: int) -> None:
    with pytest.raises(SettingsError, match="width"):
        new_backbone(name, size=(32, 32), width=width)


@pytest.mark.slow
def test_an_inception_is_taught_and_gone_on_from(tmp_path: Path) -> None:
    products = small_products(tmp_path, 48)
    config = replace(
        TINY,
        from_scratch="inception_v3",
        height=None,
        width=None,
        channels=None,
        training=replace(QUICK, steps=1, validations=1, batch_rows=8, batch_tokens=8),
    )
    pretrained(products, tmp_path / "m", config)
    assert load_backbone(tmp_path / "m").preprocessing.size == (96, 96)
    assert image_encoder(tmp_path / "m", cache_folder=tmp_path).encode([None]).present_I.tolist() == [False]


def test_a_network_that_takes_other_pictures_is_an_error(tmp_path: Path) -> None:
    new_backbone("vit_small", size=(32, 32), width=24).keep(tmp_path)
    with pytest.raises(EncoderError, match="takes no pictures of this size.*64x48"):
        load_backbone(tmp_path, size=(48, 64))


def test_too_few_photos_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TooFewPhotosError, match="too few photos to learn from"):
        pretrained(small_products(tmp_path, 24), tmp_path / "m")


@pytest.mark.parametrize(
    "setting",
    [
        {"objective": "guess"},
        {"from_folder": "x"},
        {"from_scratch": None},
        {"height": 64, "width": None},
        {"shared": 1},
        {"test_share": 0.99},
        {"objective": "tags", "serve": "shared"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_a_setting_out_of_range_is_an_error(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        replace(TINY, **setting)


@pytest.mark.parametrize(
    ("name", "size"), [("alexnet", None), ("inception_v3", (64, 64)), ("vit_small", (36, 36))]
)
def test_a_network_that_does_not_exist_is_an_error(name: str, size: tuple[int, int] | None) -> None:
    with pytest.raises(SettingsError):
        new_backbone(name, size=size)


def picture(products: PhotoProducts, row: int) -> Image.Image:
    photo = products.photo(row)
    assert isinstance(photo, Path)
    return Image.open(photo).convert("RGB")

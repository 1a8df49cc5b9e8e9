"""Image encoders of every family, built tiny: saved, loaded by folder, exported, compared with torch."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from huaxiang.encoders.image import OnnxImageEncoder, image_encoder
from huaxiang.encoders.image_export import probing_pictures
from huaxiang.encoders.photos import MISSING, UNREADABLE
from huaxiang.encoders.preprocessing import Preprocessing, preprocessing_of
from huaxiang.errors import ArtefactError, EncoderError

torch = pytest.importorskip("torch")
transformers: Any = pytest.importorskip("transformers")

TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
PICTURE = {"image_size": 32, "patch_size": 8}
WIDE = {"projection_dim": 12}
WORDS = {"vocab_size": 60, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def save_tiny(family: str, folder: Path) -> Any:
    """Save a tiny model of a family with its processor; return the processor."""
    t = transformers
    torch.manual_seed(0)
    square, edge = {"height": 32, "width": 32}, {"shortest_edge": 32}
    if family.startswith("resnet"):
        depths, layer = ([2, 2, 2, 2], "basic") if family == "resnet-18" else ([3, 4, 6, 3], "bottleneck")
        config = t.ResNetConfig(
            embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=depths, layer_type=layer
        )
        model, processor = t.ResNetModel(config), t.ConvNextImageProcessorPil(size=edge)
    elif family == "vit":
        model = t.ViTForImageClassification(t.ViTConfig(**TOWER, **PICTURE))
        processor = t.ViTImageProcessorPil(size=square)
    elif family == "clip":
        config = t.CLIPConfig(
            text_config=TOWER | WORDS, vision_config=TOWER | PICTURE | WIDE, projection_dim=12
        )
        model, processor = t.CLIPModel(config), t.CLIPImageProcessorPil(size=edge, crop_size=square)
    elif family == "siglip":
        config = t.SiglipConfig(text_config=TOWER | WORDS, vision_config=TOWER | PICTURE)
        model, processor = t.SiglipModel(config), t.SiglipImageProcessorPil(size=square)
    else:
        larger = {"image_size": 48, "patch_size": 8}  # as published: trained larger than it is used
        model = t.Dinov2Model(
            t.Dinov2Config(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, **larger)
        )
        processor = t.BitImageProcessorPil(size={"shortest_edge": 40}, crop_size=square)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return processor


def torch_features(family: str, folder: Path, pixels: Any) -> Any:
    """What transformers itself says of the pictures, by its own classes."""
    with torch.inference_mode():
        if family == "clip":
            model = transformers.CLIPModel.from_pretrained(folder)
            return model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
        if family == "siglip":
            model = transformers.SiglipModel.from_pretrained(folder)
            return model.vision_model(pixel_values=pixels).pooler_output
        if family == "vit":
            model = transformers.ViTForImageClassification.from_pretrained(folder)
            return model.vit(pixel_values=pixels).last_hidden_state[:, 0]
        out = transformers.AutoModel.from_pretrained(folder)(pixel_values=pixels)
        return out.pooler_output.flatten(1)


def packed(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


FAMILIES = ("resnet-18", "resnet-50", "vit", "clip", "siglip", "dinov2")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_encodes_as_transformers_does(family: str, tmp_path: Path) -> None:
    processor = save_tiny(family, tmp_path / family)
    pictures = probing_pictures(seed=5)[:5]
    encoder = image_encoder(tmp_path / family, cache_folder=tmp_path / "cache")
    ours = encoder.encode([packed(picture) for picture in pictures])
    pixels = processor(images=pictures, return_tensors="pt")["pixel_values"]
    theirs = torch.nn.functional.normalize(torch_features(family, tmp_path / family, pixels), dim=-1).numpy()
    assert ours.present_I.all()
    assert (ours.vectors_ID * theirs).sum(1).min() >= 0.9999
    np.testing.assert_allclose(np.linalg.norm(ours.vectors_ID, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_are_prepared_to_the_last_digit(family: str, tmp_path: Path) -> None:
    processor = save_tiny(family, tmp_path)
    ours = Preprocessing.from_json(json.loads(json.dumps(preprocessing_of(processor).as_json())))
    for picture in probing_pictures(seed=9):
        theirs = processor(images=picture, return_tensors="np")["pixel_values"][0]
        np.testing.assert_allclose(ours.apply(picture), theirs, atol=1e-6)


def test_a_picture_smaller_than_the_cut_is_framed_as_transformers_does() -> None:
    crop = {"height": 41, "width": 50}
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": 30}, crop_size=crop)
    for picture in probing_pictures(seed=2):
        theirs = processor(images=picture, return_tensors="np")["pixel_values"][0]
        np.testing.assert_allclose(preprocessing_of(processor).apply(picture), theirs, atol=1e-6)


@pytest.mark.parametrize("family", ["resnet-18", "vit"])
def test_8_bits_are_near_and_another_space(family: str, tmp_path: Path) -> None:
    save_tiny(family, tmp_path / family)
    pictures = [packed(picture) for picture in probing_pictures(seed=5)]
    whole = image_encoder(tmp_path / family, cache_folder=tmp_path)
    small = image_encoder(tmp_path / family, cache_folder=tmp_path, precision="int8")
    cosines = (whole.encode(pictures).vectors_ID * small.encode(pictures).vectors_ID).sum(1)
    assert cosines.min() > 0.9
    assert whole.space != small.space


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_the_vision_half_saved_alone_gives_the_same_vectors(family: str, tmp_path: Path) -> None:
    processor = save_tiny(family, tmp_path / "whole")
    name = "CLIPVisionModelWithProjection" if family == "clip" else "SiglipVisionModel"
    getattr(transformers, name).from_pretrained(tmp_path / "whole").save_pretrained(tmp_path / "half")
    processor.save_pretrained(tmp_path / "half")
    photos = [packed(picture) for picture in probing_pictures()[:3]]
    whole, half = (image_encoder(tmp_path / one, cache_folder=tmp_path) for one in ("whole", "half"))
    np.testing.assert_allclose(half.encode(photos).vectors_ID, whole.encode(photos).vectors_ID, atol=1e-4)


def test_bad_photos_are_listed_and_the_others_encoded(tmp_path: Path) -> None:
    save_tiny("resnet-18", tmp_path / "model")
    encoder = image_encoder(tmp_path / "model", cache_folder=tmp_path)
    good = packed(probing_pictures()[0])
    encoded = encoder.encode([good, None, b"junk", tmp_path / "nowhere.png", good])
    assert encoded.present_I.tolist() == [True, False, False, False, True]
    assert encoded.problems == {2: UNREADABLE, 3: MISSING}
    assert not encoded.vectors_ID[1:4].any()
    np.testing.assert_allclose(encoded.vectors_ID[0], encoded.vectors_ID[4], atol=1e-6)
    assert encoder.encode([]).vectors_ID.shape == (0, encoder.dimensions)


def test_a_saved_encoder_needs_no_model_folder(tmp_path: Path) -> None:
    save_tiny("vit", tmp_path / "model")
    encoder = image_encoder(tmp_path / "model", cache_folder=tmp_path / "cache")
    encoder.save(tmp_path / "run")
    again = image_encoder(tmp_path / "run", cache_folder=tmp_path / "unused")
    good = [packed(probing_pictures()[3])]
    np.testing.assert_array_equal(again.encode(good).vectors_ID, encoder.encode(good).vectors_ID)
    assert again.space == encoder.space
    assert not (tmp_path / "unused").exists()


def test_a_model_is_exported_once(tmp_path: Path) -> None:
    save_tiny("vit", tmp_path / "model")
    first = image_encoder(tmp_path / "model", cache_folder=tmp_path / "cache")
    made = (first.folder / "image.onnx").stat().st_mtime_ns
    image_encoder(tmp_path / "model", cache_folder=tmp_path / "cache")
    assert (first.folder / "image.onnx").stat().st_mtime_ns == made


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no model in the folder"):
        image_encoder(tmp_path, cache_folder=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_text_model_is_an_error(tmp_path: Path) -> None:
    config = transformers.BertConfig(vocab_size=40, **TOWER)
    transformers.BertModel(config).save_pretrained(tmp_path / "model")
    with pytest.raises(EncoderError):
        image_encoder(tmp_path / "model", cache_folder=tmp_path / "cache")


@pytest.mark.parametrize("file", ["model.safetensors", "preprocessor_config.json", "config.json"])
@pytest.mark.parametrize("what", ["missing", "truncated"])
def test_a_damaged_model_is_an_error(tmp_path: Path, file: str, what: str) -> None:
    save_tiny("vit", tmp_path)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).unlink()
    if what == "truncated":
        (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EncoderError):
        image_encoder(tmp_path, cache_folder=tmp_path / "cache")


def test_an_export_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    save_tiny("vit", tmp_path / "model")
    folder = image_encoder(tmp_path / "model", cache_folder=tmp_path).folder
    said = json.loads((folder / "image.json").read_text())
    (folder / "image.json").write_text(json.dumps(said | {"version": 99}))
    with pytest.raises(ArtefactError, match="another version"):
        OnnxImageEncoder(folder)

"""Inception-v3: its published names and shapes, and its way through the same encoder."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from huaxiang.encoders.image import image_encoder  # noqa: E402 - after the skip
from huaxiang.encoders.image_export import probing_pictures  # noqa: E402
from huaxiang.encoders.inception import Config, InceptionV3, load_inception, save_inception  # noqa: E402
from huaxiang.errors import EncoderError, SettingsError  # noqa: E402

PUBLISHED = {
    "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
    "Conv2d_1a_3x3.bn.running_var": (32,),
    "Conv2d_4a_3x3.conv.weight": (192, 80, 3, 3),
    "Mixed_5b.branch1x1.conv.weight": (64, 192, 1, 1),
    "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
    "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
    "Mixed_5d.branch3x3dbl_1.conv.weight": (64, 288, 1, 1),
    "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
    "Mixed_6b.branch7x7_2.conv.weight": (128, 128, 1, 7),
    "Mixed_6c.branch7x7dbl_2.conv.weight": (160, 160, 7, 1),
    "Mixed_6e.branch7x7dbl_5.conv.weight": (192, 192, 1, 7),
    "AuxLogits.conv0.conv.weight": (128, 768, 1, 1),
    "AuxLogits.conv1.conv.weight": (768, 128, 5, 5),
    "AuxLogits.fc.weight": (1000, 768),
    "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
    "Mixed_7b.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
    "Mixed_7c.branch3x3_2a.conv.weight": (384, 384, 1, 3),
    "Mixed_7c.branch_pool.conv.weight": (192, 2048, 1, 1),
    "fc.weight": (1000, 2048),
}


def test_names_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        model = InceptionV3()
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert {name: shapes[name] for name in PUBLISHED} == PUBLISHED
    assert sum(parameter.numel() for parameter in model.parameters()) == 27_161_264
    assert model.n_features == 2048


def test_maps_shrink_as_in_the_papers_table() -> None:
    with torch.device("meta"):
        model = InceptionV3(Config(width=0.1))
        seen: list[int] = []
        for name in ("Mixed_5b", "Mixed_6a", "Mixed_7c"):
            getattr(model, name).register_forward_hook(lambda *hook: seen.append(hook[2].shape[-1]))
        model.eval()(torch.zeros(1, 3, 299, 299))
    assert seen == [35, 17, 8]


def tiny(folder: Path) -> InceptionV3:
    torch.manual_seed(0)
    model = InceptionV3(Config(width=0.06, image_size=80, n_classes=3)).eval()
    for module in model.modules():  # a fresh network of this depth says nearly the same of every picture
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(0.05)
    save_inception(model, folder)
    return model


def test_a_folder_is_exported_and_encodes_as_torch_does(tmp_path: Path) -> None:
    model = tiny(tmp_path / "model")
    encoder = image_encoder(tmp_path / "model", cache_folder=tmp_path)
    out = io.BytesIO()
    probing_pictures()[2].save(out, "PNG")
    ours = encoder.encode([out.getvalue()]).vectors_ID[0]
    pixels = torch.from_numpy(model.config.preprocessing.apply(probing_pictures()[2]))[None]
    with torch.inference_mode():
        theirs = torch.nn.functional.normalize(model(pixels))[0].numpy()
    assert float(ours @ theirs) >= 0.9999
    assert encoder.dimensions == model.n_features


def test_published_weights_without_classifiers_are_enough(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tiny(tmp_path)
    file = tmp_path / "model.safetensors"
    kept = {
        name: weight
        for name, weight in load_file(file).items()
        if not name.startswith(("AuxLogits", "fc.")) and not name.endswith("num_batches_tracked")
    }
    save_file(kept, file)
    assert load_inception(tmp_path).n_features > 0


def test_weights_of_another_model_are_an_error(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    tiny(tmp_path)
    save_file({"conv1.weight": torch.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(EncoderError, match="weights don't fit"):
        load_inception(tmp_path)


@pytest.mark.parametrize("setting", [{"image_size": 60}, {"width": 0}, {"n_classes": 0}])
def test_a_setting_out_of_range_is_an_error(setting: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        Config(**setting)

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from encoders.tiny_encoders import tiny_encoder, write_json
from huaxiang.encoders.export import export_text_encoder, torch_encoder
from huaxiang.encoders.named import load_text_encoder, text_encoder
from huaxiang.encoders.pooling import read_recipe
from huaxiang.encoders.text import OnnxTextEncoder
from huaxiang.errors import ArtefactError, EncoderError, SettingsError

HARD_TEXTS = {
    "none": None,
    "empty": "",
    "white space": " \n\t\u3000",
    "emoji": "🎉🎉 👗",
    "punctuation": "--- !!! ???",
    "markup only": "<p><br/></p>&nbsp;",
    "control characters": "\x00\x07\u200b",
    "lone surrogate": "\ud800",
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OnnxTextEncoder:
    folder = tmp_path_factory.mktemp("tiny")
    return OnnxTextEncoder(export_text_encoder(tiny_encoder(folder / "bert"), folder / "onnx"))


@pytest.mark.parametrize("family", ["bert", "roberta", "mpnet", "distilbert"])
def test_every_family_is_exported_from_its_folder_and_agrees_with_torch(family: str, tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / family, family)
    encoder = text_encoder(source, cache_folder=tmp_path / "cache")
    ids, mask = torch.tensor([[2, 4, 5, 3]]), torch.ones(1, 4, dtype=torch.int64)
    with torch.inference_mode():
        expected = torch_encoder(source, read_recipe(source))(ids, mask).numpy()
    encoded = encoder.encode(["red dress", "blue hat for the trail"])
    np.testing.assert_allclose(encoded.vectors_ID[:1], expected, atol=1e-4)
    assert encoder.dimensions == 32


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("cls_token", "cls"), ("mean_tokens", "mean"), ("max_tokens", "max"), ("lasttoken", "last")],
)
def test_pooling_is_read_from_the_encoders_own_settings(pooling: str, expected: str, tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / "bert", pooling=pooling)
    assert read_recipe(source).pooling == expected
    exported = export_text_encoder(source, tmp_path / "onnx")
    assert json.loads((exported / "text.json").read_text())["least_cosine_to_torch"] >= 0.9999


def test_without_settings_the_mean_is_taken(tmp_path: Path) -> None:
    assert read_recipe(tiny_encoder(tmp_path / "bert")).pooling == "mean"


def test_pooling_that_is_not_known_is_an_error_and_not_the_mean(tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / "bert", pooling="weightedmean_tokens")
    with pytest.raises(EncoderError, match="pooling is not supported"):
        read_recipe(source)


@pytest.mark.parametrize(("family", "positions"), [("bert", 64), ("roberta", 65), ("mpnet", 65)])
def test_longest_text_is_what_the_folder_states(family: str, positions: int, tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / family, family)
    assert read_recipe(source).max_tokens == positions
    write_json(source / "sentence_bert_config.json", {"max_seq_length": 16})
    assert read_recipe(source).max_tokens == 16


@pytest.mark.parametrize("text", HARD_TEXTS.values(), ids=HARD_TEXTS)
def test_text_without_words_is_absent(text: str | None, tiny: OnnxTextEncoder) -> None:
    encoded = tiny.encode([text, "red dress"])
    assert encoded.present_I.tolist() == [False, True]
    assert not encoded.vectors_ID[0].any()


def test_markup_entities_and_width_make_no_difference(tiny: OnnxTextEncoder) -> None:
    vectors = tiny.encode(["red dress", "<p>red&nbsp;<b>dress</b></p>", "ｒｅｄ\x00 dress"]).vectors_ID
    np.testing.assert_allclose(vectors, vectors[[0, 0, 0]], atol=1e-6)


def test_a_megabyte_is_read_as_far_as_the_encoder_reads(tiny: OnnxTextEncoder) -> None:
    vectors = tiny.encode(["red dress " * 100_000, "red dress " * 400, "x" * 1_000_000]).vectors_ID
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert np.isfinite(vectors).all()


def test_vector_does_not_depend_on_its_batch(tiny: OnnxTextEncoder) -> None:
    texts = [" ".join(["red", "dress", "hat"][: 1 + n % 3] * (1 + n % 7)) for n in range(150)]
    together = tiny.encode(texts).vectors_ID
    alone = np.concatenate([tiny.encode([text]).vectors_ID for text in texts[:20]])
    np.testing.assert_allclose(together[:20], alone, atol=1e-5)


def test_no_texts_give_no_rows(tiny: OnnxTextEncoder) -> None:
    assert tiny.encode([]).vectors_ID.shape == (0, 32)


def test_saved_encoder_gives_the_same_vectors_in_the_same_space(
    tmp_path: Path, tiny: OnnxTextEncoder
) -> None:
    tiny.save(tmp_path / "run")
    again = load_text_encoder(tmp_path / "run")
    assert again.space == tiny.space
    np.testing.assert_array_equal(again.encode(["red hat"]).vectors_ID, tiny.encode(["red hat"]).vectors_ID)


def test_export_happens_once(tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / "bert")
    first = text_encoder(source, cache_folder=tmp_path / "cache")
    (written,) = (tmp_path / "cache").rglob("text.onnx")
    before = written.stat().st_mtime_ns
    assert text_encoder(source, cache_folder=tmp_path / "cache").space == first.space
    assert written.stat().st_mtime_ns == before


def test_other_weights_are_another_space(tmp_path: Path) -> None:
    spaces = {
        text_encoder(tiny_encoder(tmp_path / "bert", seed=seed), cache_folder=tmp_path / "cache").space
        for seed in (0, 1)
    }
    assert len(spaces) == 2


def test_int8_is_near_and_its_own_space(tmp_path: Path, tiny: OnnxTextEncoder) -> None:
    small = text_encoder(tiny.folder.parent / "bert", cache_folder=tmp_path, precision="int8")
    texts = ["red dress", "running shoes for the trail"]
    cosines = (small.encode(texts).vectors_ID * tiny.encode(texts).vectors_ID).sum(1)
    assert cosines.min() > 0.95
    assert small.space != tiny.space


def test_prompt_of_the_encoder_is_put_before_every_text(tmp_path: Path, tiny: OnnxTextEncoder) -> None:
    source = tiny_encoder(tmp_path / "bert")
    settings = {"prompts": {"query": "red "}, "default_prompt_name": "query"}
    write_json(source / "config_sentence_transformers.json", settings)
    prompted = text_encoder(source, cache_folder=tmp_path / "cache")
    np.testing.assert_allclose(
        prompted.encode(["dress"]).vectors_ID, tiny.encode(["red dress"]).vectors_ID, atol=1e-5
    )


def test_dense_layer_after_the_pooling_is_applied(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    source = tiny_encoder(tmp_path / "bert", pooling="mean_tokens")
    modules = json.loads((source / "modules.json").read_text())
    modules.insert(2, {"path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    write_json(source / "modules.json", modules)
    layer = {"in_features": 32, "out_features": 8, "activation_function": "torch.nn.modules.activation.Tanh"}
    write_json(source / "2_Dense" / "config.json", layer)
    weights = {"linear.weight": torch.eye(8, 32), "linear.bias": torch.zeros(8)}
    save_file(weights, source / "2_Dense/model.safetensors")
    encoder = text_encoder(source, cache_folder=tmp_path / "cache")
    assert encoder.encode(["red hat"]).vectors_ID.shape == (1, 8)


def test_folder_without_a_model_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no model in the folder") as raised:
        text_encoder(tmp_path, cache_folder=tmp_path / "cache")
    assert "config.json" in str(raised.value.remedy)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json"])
def test_half_an_encoder_is_an_error_and_leaves_nothing_behind(missing: str, tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / "bert")
    (source / missing).unlink()
    with pytest.raises(EncoderError):
        text_encoder(source, cache_folder=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_truncated_weights_are_an_error(tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / "bert")
    weights = source / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(EncoderError, match="can't be loaded"):
        text_encoder(source, cache_folder=tmp_path / "cache")


def test_name_that_is_not_on_this_machine_is_not_fetched_unasked(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="not on this machine"):
        text_encoder("nobody/no-such-encoder", cache_folder=tmp_path)


def test_name_that_was_fetched_before_is_found_with_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = tmp_path / "models--shop--tiny"
    tiny_encoder(fetched / "snapshots" / "abc")
    (fetched / "refs").mkdir()
    (fetched / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    encoder = text_encoder("shop/tiny", cache_folder=tmp_path / "cache")
    assert encoder.space.startswith("tiny/")


def test_progress_ends_when_all_texts_are_done(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    source = tiny_encoder(tmp_path / "bert")
    encoder = text_encoder(source, cache_folder=tmp_path / "cache", progress=lambda *said: told.append(said))
    encoder.encode(["red dress", None] * 100)
    assert told[-1] == (100, 100, "texts encoded")


@pytest.mark.parametrize("name", ["no/such/folder", "../nowhere", "what is this?"])
def test_path_that_is_not_there_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no such encoder folder"):
        text_encoder(name, cache_folder=tmp_path)


def test_precision_is_one_of_two(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="choose fp32, int8"):
        text_encoder("default", cache_folder=tmp_path, precision="int4")  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", ["truncated model", "newer version", "no settings"])
def test_damaged_export_is_an_artefact_error(damage: str, tmp_path: Path, tiny: OnnxTextEncoder) -> None:
    tiny.save(tmp_path)
    if damage == "truncated model":
        (tmp_path / "text.onnx").write_bytes((tmp_path / "text.onnx").read_bytes()[:1000])
    elif damage == "newer version":
        write_json(tmp_path / "text.json", {"version": 99})
    else:
        (tmp_path / "text.json").unlink()
    with pytest.raises(ArtefactError):
        load_text_encoder(tmp_path)


def test_tokenizer_of_the_older_kind_is_converted(tmp_path: Path) -> None:
    source = tiny_encoder(tmp_path / "bert")
    words = json.loads((source / "tokenizer.json").read_text())["model"]["vocab"]
    renamed = {"<pad>": "[PAD]", "<unk>": "[UNK]", "<s>": "[CLS]", "</s>": "[SEP]"}
    (source / "vocab.txt").write_text("\n".join(renamed.get(word, word) for word in words))
    before = text_encoder(source, cache_folder=tmp_path / "cache").encode(["red dress"]).vectors_ID
    (source / "tokenizer.json").unlink()
    after = text_encoder(source, cache_folder=tmp_path / "cache").encode(["red dress"]).vectors_ID
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_serving_needs_neither_torch_nor_transformers(tmp_path: Path, tiny: OnnxTextEncoder) -> None:
    tiny.save(tmp_path)
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('torch', 'transformers', 'onnx')))\n"
        "from huaxiang.encoders import load_text_encoder\n"
        f"sys.stdout.write(str(load_text_encoder({str(tmp_path)!r}).encode(['red dress']).present_I))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[ True]"

"""A text encoder in torch → one ONNX file, once, checked against torch."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from safetensors import SafetensorError

from huaxiang.encoders.pooling import Recipe, read_json, read_recipe
from huaxiang.errors import EncoderError, StorageError
from huaxiang.records import Matrix
from huaxiang.training import require

if TYPE_CHECKING:
    import torch

    from huaxiang.encoders.tokens import Ids

Precision = Literal["fp32", "int8"]

VERSION = 1
MODEL, TOKENIZER, SETTINGS = "text.onnx", "text_tokenizer.json", "text.json"
LARGEST_DIFFERENCE = 1e-3
LEAST_COSINE = {"fp32": 0.9999, "int8": 0.9}
_LARGEST_FILE = 1_900_000_000
_PROBES = ("a", "red dress", "跑步鞋 running shoes for the trail, size 42", "word " * 60)


def export_text_encoder(
    source: Path, target: Path, *, precision: Precision = "fp32", name: str | None = None
) -> Path:
    """Write `source`, a Hugging Face folder, as `target`: ONNX, tokenizer and settings; return `target`.

    `name` is what the vectors' space is called, the folder's name if None.

    Pooling and normalisation are part of the graph. Linear weights of int8 are quantised per channel,
    activations when they arrive (dynamic).

    Raises
    ------
    EncoderError
        When the folder holds no text encoder, or the ONNX model differs from torch: cosine below .9999
        on any of a few probing texts for fp32, and .9 for int8.
    MissingExtraError
        When torch, transformers or onnx is not installed.
    """
    recipe = read_recipe(source)
    require("torch", "transformers", "onnx")
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".export-", dir=target.parent))
    try:
        model = torch_encoder(source, recipe)
        inputs = _write_tokenizer(source, beside / TOKENIZER, recipe)
        _write_onnx(model, beside, inputs, precision)
        least = _least_cosine(model, beside / MODEL, inputs)
        _check(least, precision, source)
        settings = _settings(source, recipe, precision) | {
            "name": name or source.name,
            "least_cosine_to_torch": round(least, 6),
        }
        (beside / SETTINGS).write_text(json.dumps(settings, indent=1), encoding="utf-8")
        beside.chmod(0o755)
        _rename(beside, target)
    except OSError as error:
        raise StorageError("encoder can't be written", file=str(target), remedy="free some space") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def fingerprint(source: Path) -> str:
    """Return a hash of everything in a model folder that decides its vectors."""
    total = hashlib.sha256()
    wanted = ("*.safetensors", "*.bin", "*.json", "*.txt", "*.model")
    files = sorted({file for pattern in wanted for file in source.rglob(pattern) if file.is_file()})
    for file in files:
        total.update(str(file.relative_to(source)).encode() + b"\0")
        with file.open("rb") as content:
            total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()[:16]


def torch_encoder(source: Path, recipe: Recipe, *, attention: str = "eager") -> torch.nn.Module:
    """Return the module (input ids, attention mask) → unit vectors of a local folder.

    `attention` is transformers' name of an implementation; ONNX Runtime fuses the eager one.
    """
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForTextEncoding
    from transformers.utils import logging as their_logging

    from huaxiang.encoders.pooled import Pooled, dense_layers
    from huaxiang.encoders.pretraining.networks import keep_all_attention

    their_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(source, local_files_only=True)
        keep_all_attention(config)
        kind: Any = AutoModelForTextEncoding if config.is_encoder_decoder else AutoModel
        model = kind.from_pretrained(
            source,
            config=config,
            local_files_only=True,
            attn_implementation=attention,
            dtype=torch.float32,
            use_safetensors=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise EncoderError(
            f"text encoder can't be loaded ({type(error).__name__})",
            file=str(source),
            remedy="give a folder with config.json, model.safetensors and tokenizer of one text encoder",
        ) from error
    finally:
        their_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    return Pooled(model, recipe.pooling, dense_layers(source, recipe.dense)).eval()


def export_checked(
    module: torch.nn.Module,
    inputs: Mapping[str, Ids],
    file: Path,
    *,
    output: str,
    output_axes: Mapping[int, str] = MappingProxyType({0: "texts"}),
) -> None:
    """Write a module (ids, mask, … → numbers) as ONNX, and check it against torch on these very inputs.

    Raises
    ------
    EncoderError
        The two differ by more than a thousandth of the largest number.
    """
    import torch

    from huaxiang.encoders.text import onnx_session

    arguments = tuple(torch.from_numpy(array) for array in inputs.values())
    with quiet_export(), torch.inference_mode():
        torch.onnx.export(
            module,
            arguments,
            str(file),
            dynamo=False,
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in inputs} | {output: dict(output_axes)},
            opset_version=17,
        )
        theirs = module(*arguments).numpy()
    ours = onnx_session(file, threads=None).run([output], dict(inputs))[0]
    most = float(np.abs(ours - theirs).max())
    if most > LARGEST_DIFFERENCE * max(1.0, float(np.abs(theirs).max())):
        raise EncoderError(
            f"ONNX model differs from torch by {most:.2g}",
            file=str(file),
            remedy="choose another model, and tell us which one this was",
        )


def _write_tokenizer(source: Path, file: Path, recipe: Recipe) -> dict[str, list[list[int]]]:
    """Write the fast tokenizer; return the token ids of the probing texts."""
    from huaxiang.encoders.tokens import Tokens

    if (source / "tokenizer.json").is_file():
        shutil.copyfile(source / "tokenizer.json", file)
    else:
        _converted_tokenizer(source).save(str(file))
    pad_id = pad_id_of(source)
    tokens = Tokens(file, max_tokens=recipe.max_tokens, pad_id=pad_id)
    batch = tokens.padded([recipe.prompt + text for text in _PROBES])
    return {name: array.tolist() for name, array in batch.items()}


def _converted_tokenizer(source: Path) -> Any:
    from transformers import AutoTokenizer

    problem = EncoderError(
        "no tokenizer in the folder", file=str(source), remedy="add the encoder's tokenizer.json"
    )
    if not any(any(source.glob(name)) for name in ("vocab.*", "*.model")):
        raise problem  # transformers would make up an empty one
    try:
        return AutoTokenizer.from_pretrained(source, local_files_only=True).backend_tokenizer
    except (OSError, ValueError, AttributeError) as error:
        raise problem from error


def pad_id_of(source: Path) -> int:
    """Return the id that fills short rows; its attention is masked, so 0 will do where none is stated."""
    stated = read_json(source / "config.json", otherwise={}).get("pad_token_id")
    return int(stated) if stated is not None else 0


def _write_onnx(
    model: torch.nn.Module, folder: Path, inputs: dict[str, list[list[int]]], precision: Precision
) -> None:
    import torch

    raw, file = folder / "raw.onnx", folder / MODEL
    arguments = tuple(torch.tensor(array) for array in inputs.values())
    axes = {name: {0: "texts", 1: "tokens"} for name in inputs} | {"vectors": {0: "texts"}}
    with quiet_export(), torch.inference_mode():
        # The older exporter: its graphs are the ones whose attention ONNX Runtime knows how to fuse.
        torch.onnx.export(
            model,
            arguments,
            str(raw),
            dynamo=False,
            input_names=list(inputs),
            output_names=["vectors"],
            dynamic_axes=axes,
            opset_version=17,
        )
        _optimise(raw, file, model)
        if precision == "int8":
            quantise(file)
    for leftover in folder.glob("raw.onnx*"):
        leftover.unlink()


def _optimise(raw: Path, file: Path, model: Any) -> None:
    """Fuse attention, normalisation and activation, exactly, where the family allows it."""
    import onnx
    from onnxruntime.transformers.optimizer import optimize_model

    config = model.model.config
    heads, width = getattr(config, "num_attention_heads", 0), getattr(config, "hidden_size", 0)
    fused = optimize_model(str(raw), model_type="bert", num_heads=heads, hidden_size=width, opt_level=0)
    if all(imported.domain != "com.microsoft" for imported in fused.model.opset_import):
        fused.model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    is_large = raw.stat().st_size > _LARGEST_FILE
    onnx.save_model(
        fused.model, str(file), save_as_external_data=is_large, location=f"{MODEL}.data" if is_large else None
    )


def quantise(file: Path) -> None:
    """Put int8 weights in the place of fp32 ones, embeddings included: linear ones per channel."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    small = file.with_name("int8.onnx")
    floats = {"DefaultTensorType": onnx.TensorProto.FLOAT}  # what fused nodes return; not inferred
    quantize_dynamic(
        str(file), str(small), per_channel=True, weight_type=QuantType.QInt8, extra_options=floats
    )
    small.replace(file)


def _least_cosine(model: torch.nn.Module, file: Path, inputs: dict[str, list[list[int]]]) -> float:
    """Return the smallest cosine between torch and ONNX: short, long, alone and padded."""
    import torch

    from huaxiang.encoders.text import onnx_session

    session = onnx_session(file, threads=None)
    ids_IT, mask_IT = (np.array(array, np.int64) for array in inputs.values())
    alone = [(ids_IT[[row], :n], mask_IT[[row], :n]) for row, n in enumerate(mask_IT.sum(1))]
    least = 1.0
    for ids, mask in [(ids_IT, mask_IT), *alone]:
        ours: Matrix = session.run(["vectors"], {"input_ids": ids, "attention_mask": mask})[0]
        with torch.inference_mode():
            theirs = model(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        least = min(least, float((ours * theirs).sum(1).min()))
    return least


def _check(least: float, precision: Precision, source: Path) -> None:
    if not least >= LEAST_COSINE[precision]:
        raise EncoderError(
            f"ONNX model differs from torch: least cosine {least:.5f}, wanted {LEAST_COSINE[precision]}",
            file=str(source),
            remedy="use precision fp32" if precision == "int8" else "choose another encoder",
        )


def _settings(source: Path, recipe: Recipe, precision: Precision) -> dict[str, Any]:
    return {
        "version": VERSION,
        "kind": "onnx",
        "fingerprint": fingerprint(source),
        "precision": precision,
        "pooling": recipe.pooling,
        "max_tokens": recipe.max_tokens,
        "prompt": recipe.prompt,
        "pad_id": pad_id_of(source),
    }


def _rename(beside: Path, target: Path) -> None:
    """Put the finished folder in place; another process may have been quicker, with the same result."""
    if target.exists():
        shutil.rmtree(target)
    os.replace(beside, target)


@contextmanager
def quiet_export() -> Iterator[None]:
    """Keep the exporters' deprecation notes and tracing remarks to themselves: the check is by numbers."""
    names = ("onnxruntime", "onnxruntime.transformers", "root", "torch.onnx")
    before = {name: logging.getLogger(name).level for name in names}
    root_before = logging.getLogger().level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            logging.getLogger().setLevel(logging.ERROR)
            for name in names:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            logging.getLogger().setLevel(root_before)
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)

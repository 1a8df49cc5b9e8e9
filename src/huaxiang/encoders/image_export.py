"""An image encoder in torch → one ONNX file, once, checked against torch."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huaxiang.encoders.export import fingerprint
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.preprocessing import Preprocessing, preprocessing_of
from huaxiang.errors import EncoderError, StorageError
from huaxiang.training import require

if TYPE_CHECKING:
    from torch import nn

Precision = Literal["fp32", "int8"]

VERSION = 1
MODEL, SETTINGS = "image.onnx", "image.json"
LEAST_COSINE = {"fp32": 0.9999, "int8": 0.9}


def export_image_encoder(
    source: Path, target: Path, *, precision: Precision = "fp32", name: str | None = None
) -> Path:
    """Write `source`, a Hugging Face or Inception-v3 folder, as `target`: ONNX and settings; return `target`.

    Raises
    ------
    EncoderError
        When the folder holds no image encoder, its preprocessing is not known here, or the ONNX model
        differs from torch: cosine below .9999 on any probing picture for fp32, and .9 for int8.
    MissingExtraError
        When torch, transformers or onnx is not installed.
    """
    require("torch", "transformers", "onnx")
    config = read_json(source / "config.json", otherwise=None)
    if config is None:
        remedy = "give a folder with config.json, weights and preprocessor_config.json"
        raise EncoderError("no model in the folder", file=str(source), remedy=remedy)
    model, preprocessing = _load(source, str(config.get("model_type")))
    named = {"name": name or source.name, "fingerprint": fingerprint(source)}
    return write_export(model, preprocessing, target, named=named, precision=precision)


def write_export(
    model: nn.Module,
    preprocessing: Preprocessing,
    target: Path,
    *,
    named: dict[str, str],
    precision: Precision = "fp32",
) -> Path:
    """Write a torch module, pixels (I, 3, H, W) → features (I, D), as `target`; return `target`.

    Features get unit length in the graph. `named` has "name" and "fingerprint".
    """
    from huaxiang.encoders.image_torch import Unit

    unit = Unit(model).eval()
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".export-", dir=target.parent))
    try:
        probes = np.stack([preprocessing.apply(picture) for picture in probing_pictures()])
        with quiet():
            _write_onnx(unit, probes, beside / MODEL)
            if precision == "int8":
                _quantise(beside / MODEL, probes)
        least = _least_cosine(unit, beside / MODEL, probes)
        _check(least, precision, target)
        settings = {
            "version": VERSION,
            **named,
            "precision": precision,
            "preprocessing": preprocessing.as_json(),
            "least_cosine_to_torch": round(least, 6),
        }
        (beside / SETTINGS).write_text(json.dumps(settings, indent=1), encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        os.replace(beside, target)
    except OSError as error:
        raise StorageError("encoder can't be written", file=str(target), remedy="free some space") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def probing_pictures(*, seed: int = 0) -> list[Image.Image]:
    """Return 16 small pictures of several shapes: plain colours, slopes, spots and noise."""
    rng = np.random.default_rng(seed)
    pictures = []
    for row in range(16):
        height, width = rng.integers(40, 160, size=2)
        slope = np.linspace(0, 1, width)[None, :, None] * rng.random(3)
        noise = rng.random((height, width, 3)) * (row % 4) / 4
        inside = np.hypot(*np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]) < 0.6
        spot = inside[..., None] * rng.random(3)
        pictures.append(Image.fromarray(np.uint8(255 * np.clip(slope + noise + spot, 0, 2) / 2)))
    return pictures


def _load(source: Path, model_type: str) -> tuple[nn.Module, Preprocessing]:
    from huaxiang.encoders.inception import MODEL_TYPE, load_inception

    if model_type == MODEL_TYPE:
        inception = load_inception(source)
        return inception, inception.config.preprocessing
    from huaxiang.encoders.image_torch import image_model, image_processor

    processor = image_processor(source)
    preprocessing = preprocessing_of(processor)
    for picture in probing_pictures()[:4]:
        theirs = processor(images=picture, return_tensors="np")["pixel_values"][0]
        ours = preprocessing.apply(picture)
        if theirs.shape != ours.shape or np.abs(theirs - ours).max() > 1e-4:
            remedy = "choose an encoder that resizes, cuts the middle and normalises"
            raise EncoderError("preprocessing is not supported", file=str(source), remedy=remedy)
    return image_model(source, model_type), preprocessing


def _write_onnx(model: nn.Module, probes: NDArray[np.float32], file: Path) -> None:
    import torch

    with torch.inference_mode():
        torch.onnx.export(
            model,
            (torch.from_numpy(probes[:2]),),
            str(file),
            dynamo=False,
            input_names=["pixels"],
            output_names=["vectors"],
            dynamic_axes={"pixels": {0: "photos"}, "vectors": {0: "photos"}},
            opset_version=17,
        )


def _quantise(file: Path, probes: NDArray[np.float32]) -> None:
    """Store weights as 8-bit, per channel; convolutions also need to know how large their inputs get."""
    import onnx
    from onnxruntime import quantization as q

    small = file.with_name("int8.onnx")
    n_convolutions = sum(node.op_type == "Conv" for node in onnx.load(str(file)).graph.node)
    if n_convolutions <= 2:  # a vision transformer
        q.quantize_dynamic(
            str(file),
            str(small),
            per_channel=True,
            weight_type=q.QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm"],
        )
    else:
        prepared = file.with_name("prepared.onnx")
        q.quant_pre_process(str(file), str(prepared), skip_symbolic_shape=True)
        q.quantize_static(str(prepared), str(small), _Probes(probes), per_channel=True)
        prepared.unlink()
    small.replace(file)


class _Probes:
    """Hands out pictures one by one, as the quantiser wants them."""

    def __init__(self, probes: NDArray[np.float32]) -> None:
        self._left = iter(probes)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        picture = next(self._left, None)
        return None if picture is None else {"pixels": picture[None]}


def _least_cosine(model: nn.Module, file: Path, probes: NDArray[np.float32]) -> float:
    """Return the smallest cosine between torch and ONNX, in a batch and alone."""
    import torch

    from huaxiang.encoders.text import onnx_session

    session = onnx_session(file, threads=None)
    least = 1.0
    for batch in (probes, probes[:1]):
        ours: Any = session.run(["vectors"], {"pixels": batch})[0]
        with torch.inference_mode():
            theirs = model(torch.from_numpy(batch)).numpy()
        least = min(least, float((ours * theirs).sum(1).min()))
    return least


def _check(least: float, precision: Precision, target: Path) -> None:
    if not least >= LEAST_COSINE[precision]:
        raise EncoderError(
            f"ONNX model differs from torch: least cosine {least:.5f}, wanted {LEAST_COSINE[precision]}",
            file=str(target),
            remedy="use precision fp32" if precision == "int8" else "choose another encoder",
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' deprecation notes and tracing remarks to themselves: the check is by numbers."""
    loggers = [logging.getLogger(name) for name in (None, "onnxruntime", "torch.onnx")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)

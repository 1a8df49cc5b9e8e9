"""How much faster ONNX Runtime encodes texts than torch: same batches, same threads, interleaved.

    python benchmarks/text_encoding.py [--cache runs/cache] [--texts 1024] [--repeats 7] [--threads 2]

Wanted: fp32 ≥ 1.2×, int8 ≥ 2.2×, as medians of the ratios of neighbouring repeats. Texts are drawn from
our own words, as long as shop titles and descriptions are.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from huaxiang.encoders.bundled import bundled_folder
from huaxiang.encoders.export import torch_encoder
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.pooling import read_recipe
from huaxiang.encoders.text import OnnxTextEncoder, length_buckets, onnx_session
from huaxiang.encoders.tokens import Ids, pad
from huaxiang.evaluate.hardware import hardware
from huaxiang.records import Matrix

WANTED = {"torch fp32": 1.0, "ONNX Runtime fp32": 1.2, "ONNX Runtime int8": 2.2}
LEXICON = Path(__file__).parents[1] / "src/huaxiang/shop/lexicon.toml"

Batch = dict[str, Ids]
Encode = Callable[[Batch], Matrix]
Seconds = dict[str, list[float]]


def main() -> None:
    """Print seconds, ratios and agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--texts", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    encoders = {precision: _encoder(asked.cache, precision) for precision in ("fp32", "int8")}
    batches = batches_of(encoders["fp32"], shop_texts(asked.texts))
    ways: dict[str, Encode] = {"torch fp32": _torch_way()}
    ways |= {
        f"ONNX Runtime {precision}": _onnx_way(encoder, threads=asked.threads)
        for precision, encoder in encoders.items()
    }
    wall, cpu, vectors = measured(ways, batches, repeats=asked.repeats)
    n_tokens = sum(int(batch["attention_mask"].sum()) for batch in batches)
    print(f"{hardware()}; {asked.threads} threads")
    print(f"{asked.texts} texts, {n_tokens} tokens, {len(batches)} batches, {asked.repeats} repeats")
    for name in ways:
        cosine = float((vectors[name] * vectors["torch fp32"]).sum(1).min())
        print(_line(name, wall, cpu, n_texts=asked.texts), f"least cosine {cosine:.5f}")


def _line(name: str, wall: Seconds, cpu: Seconds, *, n_texts: int) -> str:
    ratios = [theirs / ours for theirs, ours in zip(wall["torch fp32"], wall[name], strict=True)]
    seconds, cpu_s = statistics.median(wall[name]), statistics.median(cpu[name])
    return (
        f"{name:18} {seconds:6.2f} s ({n_texts / seconds:5.0f}/s), {cpu_s:6.2f} CPU-s; "
        f"{statistics.median(ratios):.2f}x torch [{min(ratios):.2f}, {max(ratios):.2f}], "
        f"CPU {statistics.median(cpu['torch fp32']) / cpu_s:.2f}x, wanted {WANTED[name]}x;"
    )


def shop_texts(n: int) -> list[str]:
    """Return texts of 3 to 60 words, half of them short as titles are."""
    rng = np.random.default_rng(7)
    with LEXICON.open("rb") as file:
        dimensions = tomllib.load(file)
    dimensions = [dimension for dimension in dimensions.values() if isinstance(dimension, dict)]
    words = [ways["en"][0] for values in dimensions for ways in values.values() if "en" in ways]
    lengths = np.where(rng.random(n) < 0.5, rng.integers(3, 9, n), rng.integers(20, 61, n))
    return [" ".join(rng.choice(words, length)) for length in lengths]


def batches_of(encoder: OnnxTextEncoder, texts: list[str]) -> list[Batch]:
    """Return the padded batches that every way gets."""
    ids = [encoding.ids for encoding in encoder.tokens.encoded(texts)]
    return [pad([ids[row] for row in rows], pad_id=0) for rows in length_buckets([len(row) for row in ids])]


def measured(
    ways: dict[str, Encode], batches: list[Batch], *, repeats: int
) -> tuple[Seconds, Seconds, dict[str, Matrix]]:
    """Return wall seconds, CPU seconds and vectors of each way, the ways taking turns; one turn warms up."""
    wall: Seconds = {name: [] for name in ways}
    cpu: Seconds = {name: [] for name in ways}
    vectors = {}
    for repeat in range(repeats + 1):
        for name, encode in ways.items():
            wall_before, cpu_before = time.perf_counter(), time.process_time()
            vectors[name] = np.concatenate([encode(batch) for batch in batches])
            if repeat:
                wall[name].append(time.perf_counter() - wall_before)
                cpu[name].append(time.process_time() - cpu_before)
    return wall, cpu, vectors


def _encoder(cache: Path, precision: str) -> OnnxTextEncoder:
    encoder = text_encoder("minilm", cache_folder=cache, precision=precision)
    assert isinstance(encoder, OnnxTextEncoder)
    return encoder


def _onnx_way(encoder: OnnxTextEncoder, *, threads: int) -> Encode:
    session = onnx_session(encoder.folder / "text.onnx", threads=threads)
    return lambda batch: session.run(["vectors"], batch)[0]


def _torch_way() -> Encode:
    """Return torch as transformers runs it by default: its fastest attention, no gradients."""
    folder = bundled_folder()
    model = torch_encoder(folder, read_recipe(folder), attention="sdpa")

    def encode(batch: Batch) -> Matrix:
        with torch.inference_mode():
            return model(*(torch.from_numpy(array) for array in batch.values())).numpy()

    return encode


if __name__ == "__main__":
    main()

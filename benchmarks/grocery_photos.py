"""Claim: a photo taken with a phone in a shop finds its product among 81 catalogue photos.

    python benchmarks/grocery_photos.py [--seeds 0,1,2] [--epochs 30] [--model FOLDER] [--out runs/grocery]

`grocery.zip`: phone photos, and one clean photo of each product. A phone photo is compared with the 81 clean
photos; reported is how often its product is the first, and among the first five (chance: 5 of 81).

No training on the product's phone photos: colours alone; an untrained network; `--model`, any photo encoder;
and a network that `huaxiang pretrain image` taught the phone and catalogue photos of the other half of the
products (in two halves, each asked by the network that never saw it; classes are drawn by the seed).
After fine-tuning: the same network taught the training photos of all products, asked on the validation ones.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from huaxiang.encoders.image import image_encoder
from huaxiang.encoders.pretraining.photo_served import PhotoTagger
from huaxiang.evaluate.hardware import hardware

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "grocery.zip"
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Photo:
    """A photo, the product on it, and the part it is in: train, val or iconic."""

    name: str
    product: str
    part: str


def main() -> None:
    """Print one Markdown table."""
    asked = arguments()
    if not asked.data.exists():
        sys.exit(f"skipped: needs {asked.data}")
    print(hardware())
    photos = unpacked(asked.data, asked.out / "photos", asked.limit)
    clean = [one for one in photos if one.part == "iconic"]
    phone = [one for one in photos if one.part != "iconic"]
    colours = {one.name: histogram(asked.out / "photos" / one.name) for one in photos}
    found: dict[str, list[tuple[float, float]]] = {}
    tell(found, "colours alone", ranks(phone, clean, colours))
    if asked.model:
        tell(found, asked.model, ranks(phone, clean, vectors(asked.model, photos, asked.out)))
    for seed in (int(part) for part in asked.seeds.split(",")):
        by_others(found, photos, colours, asked, seed)
        fine_tuned(found, photos, asked, seed)
        show(found)


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--epochs", type=float, default=30)
    parser.add_argument("--network", default="resnet18_small")
    parser.add_argument("--size", default="96")
    parser.add_argument("--model", help="photo encoder to begin with, and to measure as it is")
    parser.add_argument("--limit", type=int, help="photos of a product at most, for a quick look")
    parser.add_argument("--out", type=Path, default=Path("runs/grocery"))
    return parser.parse_args()


def by_others(
    found: dict[str, list[tuple[float, float]]],
    photos: Sequence[Photo],
    colours: Mapping[str, Vectors],
    asked: argparse.Namespace,
    seed: int,
) -> None:
    """Ask about each half of the products the network that was taught the other half."""
    clean = [one for one in photos if one.part == "iconic"]
    products = np.array(sorted({one.product for one in clean}))
    half = set(np.random.default_rng(seed).permutation(products)[: len(products) // 2].tolist())
    alone, with_colours = [], []
    for name, learnt in (("first", half), ("second", set(products.tolist()) - half)):
        out = asked.out / f"seed-{seed}-{name}-half"
        taught([one for one in photos if one.product in learnt], out, asked, seed)
        known = vectors(str(out), photos, asked.out)
        rest = [one for one in photos if one.part != "iconic" and one.product not in learnt]
        both = {one.name: np.concatenate([known[one.name], colours[one.name]]) for one in photos}
        alone.append(ranks(rest, clean, known))
        with_colours.append(ranks(rest, clean, both))
    tell(found, "taught other products", np.concatenate(alone))
    tell(found, "taught other products, and colours", np.concatenate(with_colours))


def fine_tuned(
    found: dict[str, list[tuple[float, float]]],
    photos: Sequence[Photo],
    asked: argparse.Namespace,
    seed: int,
) -> None:
    """Ask a network that was taught the training photos of all products about the validation ones."""
    out = asked.out / f"seed-{seed}-all"
    taught([one for one in photos if one.part != "val"], out, asked, seed)
    held_out = [one for one in photos if one.part == "val"]
    clean = [one for one in photos if one.part == "iconic"]
    known = vectors(str(out), photos, asked.out)
    tell(found, "fine-tuned on its photos, by likeness", ranks(held_out, clean, known))
    tell(found, "fine-tuned on its photos, as classes", told(out, held_out, asked.out / "photos"))


def unpacked(data: Path, folder: Path, limit: int | None) -> list[Photo]:
    """Write the photos of the zip file under plain names, and return what is on them."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Photo] = []
    counted: dict[tuple[str, str], int] = {}
    with zipfile.ZipFile(data) as archive:
        for name in sorted(archive.namelist()):
            path = PurePosixPath(name)
            if path.suffix != ".jpg":
                continue
            part = "iconic" if path.parts[0].startswith("iconic") else path.parts[0]
            product = path.parent.name
            counted[part, product] = counted.get((part, product), 0) + 1
            if limit and counted[part, product] > limit:
                continue
            plain = f"{part}-{path.name}"
            (folder / plain).write_bytes(archive.read(name))
            found.append(Photo(plain, product, part))
    return found


def histogram(file: Path) -> Vectors:
    """Return the colours of the middle of a photo: roots of shares in 6 × 4 × 4 boxes of hue and so on."""
    with Image.open(BytesIO(file.read_bytes())) as opened:
        picture = opened.convert("HSV").resize((64, 64)).crop((8, 8, 56, 56))
    pixels = np.asarray(picture, np.float32).reshape(-1, 3)
    boxes = np.floor(pixels / 256 * (6, 4, 4)).astype(int)
    counts = np.bincount(boxes @ (16, 4, 1), minlength=96).astype(np.float32)
    return np.asarray(np.sqrt(counts / counts.sum()), np.float32)


def taught(photos: Sequence[Photo], out: Path, asked: argparse.Namespace, seed: int) -> None:
    """Teach a network which product is on each of the photos, unless it is there."""
    if (out / "metrics.json").exists():
        return
    table = asked.out / f"{out.name}.csv"
    rows = {"id": [one.name for one in photos], "product": [one.product for one in photos]}
    pl.DataFrame({**rows, "title": rows["id"]}).write_csv(table)
    command: list[object] = [sys.executable, "-m", "huaxiang", "pretrain", "image", "--objective", "tags"]
    command += [
        "--json",
        "--table",
        table,
        "--photos",
        asked.out / "photos",
        "--photo",
        "id",
        "--tags",
        "product",
    ]
    command += ["--from", asked.model] if asked.model else ["--from-scratch", asked.network]
    command += ["--size", asked.size, "--epochs", asked.epochs, "--batch", 64, "--seed", seed, "--out", out]
    command += ["--set", "fewest_of_a_tag=2", "--set", "test_share=0.02", "--set", "validation_share=0.08"]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout)


def vectors(model: str, photos: Sequence[Photo], out: Path) -> dict[str, Vectors]:
    """Return what a photo encoder makes of each photo, what all have in common taken off."""
    encoder = image_encoder(model, cache_folder=out / "cache")
    encoded = encoder.encode([out / "photos" / one.name for one in photos]).vectors_ID
    own = encoded - encoded.mean(0)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    return {one.name: row for one, row in zip(photos, own, strict=True)}


def ranks(asked: Sequence[Photo], clean: Sequence[Photo], known: Mapping[str, Vectors]) -> NDArray[np.int64]:
    """Return at which place each photo finds its product, from 0."""
    queries = np.stack([known[one.name] for one in asked])
    products = np.stack([known[one.name] for one in clean])
    scores = queries @ products.T
    names = [one.product for one in clean]
    own = scores[np.arange(len(asked)), [names.index(one.product) for one in asked]]
    return np.asarray((scores > own[:, None]).sum(1), np.int64)


def told(model: Path, asked: Sequence[Photo], folder: Path) -> NDArray[np.int64]:
    """Return at which place a network that was taught them puts the product of each photo."""
    tagger = PhotoTagger(model)
    likely, _ = tagger.likely([folder / one.name for one in asked])
    names = [value for _, value in tagger.tags]
    own = np.array([names.index(one.product) if one.product in names else -1 for one in asked])
    mine = np.where(own < 0, -1, likely[np.arange(len(asked)), own])
    return np.asarray((likely > mine[:, None]).sum(1), np.int64)


def tell(found: dict[str, list[tuple[float, float]]], way: str, places: NDArray[np.int64]) -> None:
    """Keep the share found first, and among five."""
    found.setdefault(way, []).append((float((places < 1).mean()), float((places < 5).mean())))


def show(found: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Print mean and range over the seeds."""
    print("\n| way | first | among five |\n| --- | --- | --- |\n| chance | .0123 | .0617 |")
    for way, figures in found.items():
        cells = [spread([one[at] for one in figures]) for at in (0, 1)]
        print(f"| {way} | {cells[0]} | {cells[1]} |", flush=True)


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation."""
    middle = f"{statistics.mean(values):.3f}"
    return middle if len(values) < 2 else f"{middle} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    main()

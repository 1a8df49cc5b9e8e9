"""Claim: convolutions with a few pixels left, as matrix products, let a ResNet-18 learn faster on a CPU.

    python benchmarks/small_maps.py [--rounds 5] [--seconds 6]

Forward and backward passes of 128 photos on one thread in bf16, with and without `SmallMaps`, taking turns;
photos a second of CPU time, and the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import AbstractContextManager, nullcontext

import torch
from torch.nn import functional

from huaxiang.encoders.pretraining.photo_networks import new_backbone
from huaxiang.encoders.pretraining.small_maps import SmallMaps
from huaxiang.evaluate.hardware import hardware

PHOTOS = 128
SIZES = ((80, 60), (64, 64), (96, 96))


def main() -> None:
    """Print one row per network and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{hardware()}; torch {torch.__version__}\n")
    print("| network | height × width | plain, photos/s | products, photos/s | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for name in ("resnet18", "resnet18_small"):
        for size in SIZES:
            rounds = [
                [speed(name, size, way, asked.seconds) for way in (nullcontext(), SmallMaps())]
                for _ in range(asked.rounds)
            ]
            plain, quick = (statistics.median(one) for one in zip(*rounds, strict=True))
            ratios = [after / before for before, after in rounds]
            spread = f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
            print(f"| {name} | {size[0]} × {size[1]} | {plain:.0f} | {quick:.0f} | {spread} |", flush=True)


def speed(name: str, size: tuple[int, int], way: AbstractContextManager[object], seconds: float) -> float:
    """Return how many photos a second of CPU time are learnt from."""
    network = new_backbone(name, size=size).module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    photos = torch.rand(PHOTOS, 3, *size).contiguous(memory_format=torch.channels_last)

    def step() -> None:
        with way, torch.autocast("cpu", torch.bfloat16):
            features = network(photos)
        functional.normalize(features.float(), dim=1).sum().backward()

    step()
    n_steps, started = 0, time.process_time()
    while time.process_time() - started < seconds:
        step()
        n_steps += 1
    return n_steps * PHOTOS / (time.process_time() - started)


if __name__ == "__main__":
    main()

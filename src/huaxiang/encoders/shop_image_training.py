"""How the shop's own photo encoder learns: a photo should rank all the shop's texts as its own text does.

The texts stand still, so every photo is compared with all of them, and not only with those of its batch.
A text that says nearly the same (a variant, another size) is nearly as right: what is wanted is how near
the texts are to the photo's own text, not one text alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.records import Matrix

if TYPE_CHECKING:
    from huaxiang.encoders.shop_image import Config

FEWEST_OF_A_TAG = 5
SHARPNESS = 20.0
MOST_TEXTS = 4096


class Network(nn.Module):
    """A ResNet with basic blocks, a projection to the texts' space, and one logit per tag."""

    def __init__(self, *, width: int, dimensions: int, n_tags: int) -> None:
        from transformers import ResNetConfig, ResNetModel

        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        shape = ResNetConfig(
            layer_type="basic", depths=[2, 2, 2, 2], hidden_sizes=widths, embedding_size=width
        )
        self.backbone = ResNetModel(shape)
        self.to_text = nn.Linear(widths[-1], dimensions)
        self.to_tags = nn.Linear(widths[-1], n_tags) if n_tags else None

    def features(self, pixels: Tensor) -> Tensor:
        """Return the pooled features."""
        return torch.flatten(self.backbone(pixel_values=pixels).pooler_output, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return what is served: a vector in the texts' space, of any length."""
        projected: Tensor = self.to_text(self.features(pixels))
        return projected

    def weights_hash(self) -> str:
        """Return 16 characters that differ whenever the weights do."""
        total = hashlib.sha256()
        for name, weight in sorted(self.state_dict().items()):
            total.update(name.encode() + weight.numpy().tobytes())
        return total.hexdigest()[:16]


class Lesson:
    """The shop's pictures (I, S, S, 3), texts (I, D) and tags, and what a network gets wrong about them."""

    def __init__(
        self,
        pixels_IHWC: NDArray[np.uint8],
        texts_ID: Matrix,
        tags: Sequence[Sequence[str]] | None,
        *,
        config: Config,
    ) -> None:
        self.config = config
        self.pixels = torch.from_numpy(pixels_IHWC)
        self.tags = torch.from_numpy(tag_matrix(tags, len(pixels_IHWC)))
        # What all texts share tells nothing; without it they spread over the whole space.
        centred = texts_ID - texts_ID.mean(axis=0)
        self.texts = functional.normalize(torch.from_numpy(np.asarray(centred, np.float32)), dim=1)
        self.bank = torch.unique(self.texts, dim=0)

    def network(self, *, seed: int) -> Network:
        """Return an untrained network."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            n_tags, dimensions = self.tags.shape[1], self.texts.shape[1]
            return Network(width=self.config.width, dimensions=dimensions, n_tags=n_tags)

    def loss(self, network: Network, rows_B: NDArray[np.int64]) -> Tensor:
        """Return the mean surprise at some photos."""
        rows = torch.from_numpy(rows_B)
        features = network.features(augmented(self.pixels[rows]))
        loss = self._text_surprise(functional.normalize(network.to_text(features), dim=1), rows)
        if network.to_tags is not None:
            loss = loss + self.config.tag_weight * tag_surprise(network.to_tags(features), self.tags[rows])
        return loss

    def _text_surprise(self, vectors: Tensor, rows: Tensor) -> Tensor:
        """Return how far the photos' ranking of the texts is from that of their own texts."""
        bank = self.bank
        if len(bank) > MOST_TEXTS:
            bank = torch.cat([self.texts[rows], bank[torch.randperm(len(bank))[:MOST_TEXTS]]])
        wanted = (SHARPNESS * self.texts[rows] @ bank.T).softmax(1)
        return functional.cross_entropy(SHARPNESS * vectors @ bank.T, wanted)


def augmented(pixels_IHWC: Tensor) -> Tensor:
    """Return the pictures cut at a random place, half of them mirrored, a little lighter or darker.

    Colours stay as they are: in a shop they are what words name. float32, shape (I, 3, S, S).
    """
    from huaxiang.encoders.shop_image import MEAN, STD

    n, whole = len(pixels_IHWC), pixels_IHWC.shape[1]
    pixels = pixels_IHWC.permute(0, 3, 1, 2).float() / 255
    cut = int((0.8 + 0.2 * float(torch.rand(()))) * whole)  # one cut for the batch keeps it one call
    top, left = torch.randint(whole - cut + 1, (2,)).tolist()
    pixels = pixels[:, :, top : top + cut, left : left + cut]
    pixels = torch.where(torch.rand(n, 1, 1, 1) < 0.5, pixels.flip(3), pixels)
    pixels = functional.interpolate(pixels, size=(whole, whole), mode="bilinear", antialias=True)
    pixels = (pixels * (0.9 + 0.2 * torch.rand(n, 1, 1, 1))).clamp(0, 1)
    normal = (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    return normal.contiguous(memory_format=torch.channels_last)  # convolutions are 1.6 times faster so


def tag_surprise(logits: Tensor, tags: Tensor) -> Tensor:
    """Return the mean surprise at a photo's tags, each of them yes or no, summed over the tags."""
    each = functional.binary_cross_entropy_with_logits(logits, tags, reduction="none")
    return each.sum(1).mean()


def tag_matrix(tags: Sequence[Sequence[str]] | None, n: int) -> NDArray[np.float32]:
    """Return which item has which of the tags that at least a few items have, (I, tags).

    Examples
    --------
    >>> tag_matrix([["red"], ["red", "rare"], [], ["red"], ["red"], ["red"]], 6).ravel()
    array([1., 1., 0., 1., 1., 1.], dtype=float32)
    """
    counted = Counter(tag for one in tags or () for tag in set(one))
    kept = sorted(tag for tag, count in counted.items() if count >= FEWEST_OF_A_TAG)
    column = {tag: at for at, tag in enumerate(kept)}
    matrix = np.zeros((n, len(kept)), np.float32)
    for row, one in enumerate(tags or ()):
        for tag in one:
            if tag in column:
                matrix[row, column[tag]] = 1
    return matrix

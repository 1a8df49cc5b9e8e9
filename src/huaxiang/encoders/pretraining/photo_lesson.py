"""What a photo encoder is taught with: heads for tags and texts on its features, and batches of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders import augment_photos
from huaxiang.encoders.augment_photos import augmented, draw, mixed
from huaxiang.encoders.preprocessing import Preprocessing
from huaxiang.encoders.pretraining.photo_networks import Backbone
from huaxiang.encoders.pretraining.photo_products import Tag
from huaxiang.encoders.pretraining.photo_rows import PhotoRows
from huaxiang.encoders.pretraining.photo_tags import TagLesson, Vocabulary
from huaxiang.encoders.pretraining.photo_text import Pairs
from huaxiang.encoders.pretraining.photo_words import Words
from huaxiang.encoders.pretraining.small_maps import SmallMaps

Rows = NDArray[np.int64]


class PhotoNetwork(nn.Module):
    """A photo encoder with what it is taught by.

    Parameters
    ----------
    backbone
        Its own features are what the tags are told from.
    tags
        The loss of telling tags; None without tags.
    words
        The texts' side; None without texts.
    shared
        Dimensions of the space of photos and texts.
    tag_weight
        Weight of the tags beside the texts.
    """

    scale: Tensor
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: Backbone,
        *,
        tags: TagLesson | None,
        words: Words | None,
        shared: int,
        tag_weight: float,
    ) -> None:
        super().__init__()
        self.backbone = backbone.module
        self.tag_lesson = tags
        self.tag_weight = tag_weight
        self.text = words.encoder if words is not None else None
        self.head = nn.ModuleDict()
        if tags is not None:
            self.head["tags"] = nn.Linear(backbone.n_features, len(tags.vocabulary.tags))
        if words is not None:
            self.head["photo"] = nn.Linear(backbone.n_features, shared, bias=False)
            self.head["text"] = nn.Linear(words.width, shared, bias=False)
            self.head["pairs"] = Pairs()
        self._keep_colours(backbone.preprocessing)

    def _keep_colours(self, preprocessing: Preprocessing) -> None:
        self.register_buffer("scale", torch.tensor(preprocessing.scale), persistent=False)
        for name in ("mean", "std"):
            values = torch.tensor(getattr(preprocessing, name))[:, None, None]
            self.register_buffer(name, values, persistent=False)

    def features(self, pixels: Tensor) -> Tensor:
        """Return the encoder's features of photos (B, 3, H, W) with values from 0 to 255."""
        prepared = (pixels.float() * self.scale - self.mean) / self.std
        with SmallMaps():
            out: Tensor = self.backbone(prepared.contiguous(memory_format=torch.channels_last))
        return out.float()

    def photo_vectors(self, features: Tensor) -> Tensor:
        """Return photos in the space that they share with texts, at unit length."""
        with torch.autocast(features.device.type, enabled=False):
            return functional.normalize(self.head["photo"](features), dim=1)

    def text_vectors(
        self,
        texts: Tensor | None = None,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Return texts in that space: of vectors that stand still, or of token ids."""
        if texts is None:
            assert self.text is not None
            texts = self.text(input_ids, attention_mask).float()
        with torch.autocast(texts.device.type, enabled=False):
            return functional.normalize(self.head["text"](texts), dim=1)

    def forward(self, pixels: Tensor, **more: Tensor) -> dict[str, Tensor]:
        """Return the mean `loss` of a batch."""
        if "cut" in more:
            pixels = augmented(pixels, *(more.pop(name) for name in augment_photos.DRAWN))
        features = self.features(pixels)
        loss = features.new_zeros(())
        if "tags" in more:
            loss = loss + self.tag_weight * self.tag_loss(features, more.pop("tags"), more.pop("stated"))
        if "same" in more:
            same, pairs = more.pop("same"), self.head["pairs"]
            loss = loss + pairs(self.photo_vectors(features), self.text_vectors(**more), same)
        return {"loss": loss}

    def tag_loss(self, features: Tensor, tags: Tensor, stated: Tensor) -> Tensor:
        """Return the mean surprise at the tags."""
        assert self.tag_lesson is not None
        with torch.autocast(features.device.type, enabled=False):
            loss: Tensor = self.tag_lesson(self.head["tags"](features), tags, stated)
        return loss


@dataclass(kw_only=True)
class PhotoLesson:
    """Photos to learn from, by row of their product.

    Parameters
    ----------
    rows
        Of the products that are learnt.
    stated
        Tags of all products; None without tags.
    words
        Texts of all products; None without texts.
    """

    photos: PhotoRows
    rows: Rows
    augment: augment_photos.Config
    vocabulary: Vocabulary | None = None
    stated: Sequence[Sequence[Tag]] = ()
    words: Words | None = None
    lengths_N: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.lengths_N = np.ones(len(self.rows), np.int64)

    def batch(self, rows_B: Rows, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return photos with what is drawn for them, their tags and their texts."""
        rows = self.rows[rows_B]
        pixels, tags = self.photos.pixels(rows), self._tags(rows)
        if "tags" in tags:
            pixels, tags["tags"] = mixed(pixels, tags["tags"], self.augment, rng)
        drawn = draw(len(rows), self.augment, rng)
        words = self.words.inputs(self.words.drawn(rows, rng)) if self.words is not None else {}
        plain = {name: torch.from_numpy(value) for name, value in {"pixels": pixels, **tags}.items()}
        return {**plain, **drawn, **words}

    def plain(self, rows: Rows) -> dict[str, Tensor]:
        """Return the photos of some products, unchanged, with their tags and first texts."""
        words = self.words.inputs(self.words.first(rows)) if self.words is not None else {}
        given: dict[str, NDArray[Any]] = {"pixels": self.photos.pixels(rows), **self._tags(rows)}
        return {**{name: torch.from_numpy(value) for name, value in given.items()}, **words}

    def _tags(self, rows: Rows) -> dict[str, NDArray[np.float32]]:
        if self.vocabulary is None:
            return {}
        stated = [self.stated[row] for row in rows]
        return {"tags": self.vocabulary.matrix(stated), "stated": self.vocabulary.stated(stated)}

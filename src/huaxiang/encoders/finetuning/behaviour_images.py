"""An image encoder learns from what shoppers do: photos of what was had together lie close."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.base import ImageInput
from huaxiang.encoders.finetuning.behaviour import Ask, BehaviourConfig, ItemTexts, PairLesson, Progress
from huaxiang.encoders.finetuning.behaviour_network import BehaviourNetwork
from huaxiang.encoders.finetuning.together import Together
from huaxiang.encoders.image_export import export_image_encoder
from huaxiang.encoders.learning.base import Learnt
from huaxiang.encoders.learning.quiet import quiet_transformers
from huaxiang.encoders.learning.trainer import train_large
from huaxiang.encoders.photos import read_photo
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.preprocessing import Preprocessing, preprocessing_of
from huaxiang.errors import EncoderError, TooFewPhotosError
from huaxiang.records import Matrix
from huaxiang.training import require

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.bi_encoder import Asked

_AT_ONCE = 64
PROCESSOR = "preprocessor_config.json"


@dataclass(frozen=True, kw_only=True)
class PhotosTuned:
    """How it went, as `Tuned` says it, by the photos alone."""

    before: Mapping[str, float]
    test: Mapping[str, float]
    learnt: Learnt
    n_pairs: int
    n_unreadable: int


class PhotoEncoder(nn.Module):
    """Photos, by their row, to unit vectors; they are read when they are asked for."""

    def __init__(self, model: nn.Module, preprocessing: Preprocessing, photos: Sequence[ImageInput]) -> None:
        super().__init__()
        self.model = model
        self.preprocessing = preprocessing
        self.photos = photos
        self.present_I = np.array([read_photo(photo).picture is not None for photo in photos], np.bool_)

    def distinct(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors of the different photos among some rows, (C, D), and which of them each row has."""
        different, which = torch.unique(rows, return_inverse=True)
        return self.vectors(different), which

    def vectors(self, rows_B: Tensor) -> Tensor:
        """Return unit vectors, (B, D), float32."""
        pixels = np.stack([self._pixels(int(row)) for row in rows_B])
        features: Tensor = self.model(torch.from_numpy(pixels).to(rows_B.device))
        return functional.normalize(features.float(), dim=-1)

    def encode(self, rows_B: NDArray[np.int64], progress: Asked | None = None) -> Matrix:
        """Return the vectors as they are served, (B, D)."""
        was_training, device = self.training, next(self.parameters()).device
        self.eval()
        parts = []
        with torch.inference_mode():
            for start in range(0, len(rows_B), _AT_ONCE):
                some = torch.from_numpy(rows_B[start : start + _AT_ONCE]).to(device)
                parts.append(self.vectors(some).cpu().numpy())
                if progress is not None:
                    progress(min(start + _AT_ONCE, len(rows_B)), len(rows_B), "photos encoded")
        self.train(was_training)
        return np.concatenate(parts)

    def _pixels(self, row: int) -> NDArray[np.float32]:
        picture = read_photo(self.photos[row], at_least=self.preprocessing.at_least).picture
        assert picture is not None
        return self.preprocessing.apply(picture)


def tune_photos(  # noqa: PLR0913 - what, from where, and how
    together: Together,
    photos: Sequence[ImageInput],
    *,
    model: Path,
    folder: Path,
    checkpoint: Path,
    config: BehaviourConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> PhotosTuned:
    """Tune the image encoder of a folder on what shoppers have together, and write it into another one.

    Queries have no part in it: they lie in another space.

    Parameters
    ----------
    photos
        One per item, None where it has none; unreadable ones are left out and counted.

    Raises
    ------
    EncoderError
        `model` holds no image encoder whose photos can be prepared here.
    TooFewPhotosError
        Fewer than 16 pairs of the training part have photos.
    """
    require("torch", "transformers", "accelerate", "onnx")
    config = config or BehaviourConfig()
    tell = progress or (lambda stage, done, total, note: None)
    network, preprocessing = image_network(model)
    encoder = PhotoEncoder(network, preprocessing, photos)
    shown = _as_texts(together, encoder.present_I)
    learnt_from = together.take(shown.has_text_P(together) & together.is_item_P)
    if len(learnt_from.pairs_P2) < 16:
        value = f"{len(learnt_from.pairs_P2)} pairs"
        raise TooFewPhotosError("too few photos of what shoppers had together", value=value)
    lesson = PairLesson(learnt_from, shown, np.ones(len(photos), np.int64))
    ask = _AskPhotos(together, shown, most_items=config.most_items, seed=seed)
    before = ask.figures(ask.test, ask.vectors(encoder), seed=seed)
    taught = BehaviourNetwork(
        encoder,
        known=lesson.known,
        log_shares_I=lesson.log_shares,
        n_items=together.n_items,
        past_ND=None,
        config=replace(config, anchor=0.0),
    )
    learnt = train_large(
        taught,
        lesson,
        config=config.training,
        checkpoint=checkpoint,
        seed=seed,
        validate=lambda: ask.quick(encoder),
        best="recall@10",
        of=json.dumps([together.fingerprint, asdict(config), str(model)], sort_keys=True),
        progress=lambda done, total, note: tell("tune the image encoder", done, total, note),
    )
    test = ask.figures(ask.test, ask.vectors(encoder), seed=seed)
    write_image_encoder(network, folder, source=model)
    return PhotosTuned(
        before=before,
        test=test,
        learnt=learnt,
        n_pairs=len(learnt_from.pairs_P2),
        n_unreadable=sum(
            photo is not None and not present
            for photo, present in zip(photos, encoder.present_I, strict=True)
        ),
    )


def image_network(source: Path) -> tuple[nn.Module, Preprocessing]:
    """Return pixels → features of a folder, and how its photos are prepared.

    Raises
    ------
    EncoderError
        The folder holds none that is known here.
    """
    from huaxiang.encoders.image_torch import image_model, image_processor
    from huaxiang.encoders.inception import MODEL_TYPE, load_inception

    config: dict[str, Any] | None = read_json(source / "config.json", otherwise=None)
    if config is None:
        remedy = "give a folder with config.json, weights and preprocessor_config.json"
        raise EncoderError("no model in the folder", file=str(source), remedy=remedy)
    if config.get("model_type") == MODEL_TYPE:
        inception = load_inception(source)
        return inception, inception.config.preprocessing
    preprocessing = preprocessing_of(image_processor(source))
    return image_model(source, str(config.get("model_type"))), preprocessing


def write_image_encoder(network: Any, folder: Path, *, source: Path) -> None:
    """Write a network of `image_network` as the folder it came from, and its ONNX."""
    from huaxiang.encoders.inception import InceptionV3, save_inception

    folder.mkdir(parents=True, exist_ok=True)
    network = network.to("cpu").eval()
    if isinstance(network, InceptionV3):
        save_inception(network, folder)
    else:
        with quiet_transformers():
            network.model.save_pretrained(folder)
        shutil.copyfile(source / PROCESSOR, folder / PROCESSOR)
    exported = export_image_encoder(folder, folder / "exported", name="shop-image-tuned")
    for file in exported.iterdir():
        shutil.move(file, folder / file.name)
    exported.rmdir()


class _AskPhotos(Ask):
    """The same questions, asked of photos."""

    def vectors(self, encoder: PhotoEncoder) -> Matrix:
        """Return the vectors of all items that have a photo, zero for others."""
        wanted = np.flatnonzero(encoder.present_I)
        found = encoder.encode(wanted)
        vectors_ID = np.zeros((len(encoder.present_I), found.shape[1]), np.float32)
        vectors_ID[wanted] = found
        return vectors_ID

    def quick(self, encoder: Any) -> dict[str, float]:
        """Return the means on the validation part."""
        wanted = np.flatnonzero(encoder.present_I & self.among_I)
        found = encoder.encode(wanted)
        vectors_ID = np.zeros((len(encoder.present_I), found.shape[1]), np.float32)
        vectors_ID[wanted] = found
        return {
            prefix + name: value
            for prefix, one in self._found(self.validation, vectors_ID).items()
            for name, value in one.means().items()
        }


def _as_texts(together: Together, present_I: NDArray[np.bool_]) -> ItemTexts:
    """Return photos as if each were a text of one language: the row of an item is that of its photo."""
    rows = np.where(present_I, np.arange(len(present_I)), -1)[None]
    return ItemTexts(texts=[], rows_LI=rows, rows_Q=np.full(len(together.queries), -1, np.int64))

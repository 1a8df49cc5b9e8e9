"""What a taught photo encoder answers without torch: the tags of a photo, and texts in the photos' space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from huaxiang.encoders.base import Encoded, ImageInput, Progress, TextEncoder
from huaxiang.encoders.hashed import unit_rows
from huaxiang.encoders.image_export import SETTINGS
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.photos import read_photo
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.preprocessing import Preprocessing
from huaxiang.encoders.product_tags import Likely
from huaxiang.encoders.text import onnx_session
from huaxiang.errors import ArtefactError
from huaxiang.records import Matrix

HEADS, HEADS_SAID, TAGS, TEXT = "heads.safetensors", "heads.json", "tags.onnx", "text"
VERSION = 1
_BATCH = 32


class PhotoTagger:
    """Photos → how likely each of the learnt tags is.

    Parameters
    ----------
    folder
        What `huaxiang pretrain image --objective tags` made.
    threads
        Cores; None leaves it to ONNX Runtime.

    Raises
    ------
    ArtefactError
        There are no tags in the folder, or it is of another version.
    """

    def __init__(self, folder: str | Path, *, threads: int | None = None) -> None:
        self.folder = Path(folder)
        said = _said(self.folder)
        if "tags" not in said:
            remedy = "pretrain it with --objective tags or tags+contrastive"
            raise ArtefactError("photo encoder has learnt no tags", file=str(folder), remedy=remedy)
        self.tags: tuple[tuple[str, str], ...] = tuple((d, v) for d, v in said["tags"]["tags"])
        self.choices = {d["name"]: slice(d["start"], d["stop"]) for d in said["tags"]["dimensions"]}
        self._one_at_most = {d["name"]: bool(d["is_choice"]) for d in said["tags"]["dimensions"]}
        settings = read_json(self.folder / SETTINGS, otherwise={})
        self.preprocessing = Preprocessing.from_json(settings.get("preprocessing", {}))
        self._session = onnx_session(self.folder / TAGS, threads=threads)

    def dimensions(
        self, images: Sequence[ImageInput], *, progress: Progress | None = None
    ) -> dict[str, Likely]:
        """Return for each dimension how likely its values are."""
        likely_IT, present_I = self.likely(images, progress=progress)
        return {
            name: Likely(
                values=tuple(value for _, value in self.tags[columns]),
                shares_IV=likely_IT[:, columns],
                present_I=present_I,
                is_choice=self._one_at_most[name],
            )
            for name, columns in self.choices.items()
        }

    def likely(
        self, images: Sequence[ImageInput], *, progress: Progress | None = None
    ) -> tuple[Matrix, NDArray[np.bool_]]:
        """Return the likelihood of each tag, (I, T), 0 where a photo can't be read, and which could be."""
        likely_IT = np.zeros((len(images), len(self.tags)), np.float32)
        present_I = np.zeros(len(images), np.bool_)
        for start in range(0, len(images), _BATCH):
            read = [
                read_photo(image, at_least=self.preprocessing.at_least).picture
                for image in images[start : start + _BATCH]
            ]
            rows = [start + at for at, picture in enumerate(read) if picture is not None]
            if rows:
                pixels = [self.preprocessing.apply(picture) for picture in read if picture is not None]
                likely_IT[rows] = self._session.run(["tags"], {"pixels": np.stack(pixels)})[0]
                present_I[rows] = True
            if progress is not None:
                progress(min(start + _BATCH, len(images)), len(images), "")
        return likely_IT, present_I


class SharedTextEncoder:
    """Texts → the space that a photo encoder shares with them: a still encoder, and the learnt projection."""

    def __init__(self, still: TextEncoder, projection_DW: Matrix, *, name: str) -> None:
        self._still = still
        self._projection = projection_DW
        self.space = f"{name}|{still.space}"
        self.dimensions = len(projection_DW)

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        """Return one vector per text; None and texts without a letter or digit are absent."""
        encoded = self._still.encode(texts)
        vectors_ID = unit_rows((encoded.vectors_ID @ self._projection.T).astype(np.float32))
        return Encoded(vectors_ID=vectors_ID, present_I=encoded.present_I, problems=encoded.problems)


def shared_text_encoder(folder: str | Path, *, cache_folder: str | Path) -> TextEncoder:
    """Return the encoder that puts texts where the photo encoder of a folder puts photos.

    Raises
    ------
    ArtefactError
        The photo encoder has learnt no texts, or the text encoder it learnt with has changed since.
    """
    folder = Path(folder)
    said = _said(folder)
    if "text" not in said:
        remedy = "pretrain it with --objective contrastive or tags+contrastive"
        raise ArtefactError("photo encoder has learnt no texts", file=str(folder), remedy=remedy)
    if said["text"]["is_taught"]:
        return text_encoder(folder / TEXT, cache_folder=cache_folder)
    still = text_encoder(said["text"]["encoder"], cache_folder=cache_folder)
    if still.space != said["text"]["space"]:
        remedy = "give back the text encoder it was pretrained with, or pretrain it again"
        raise ArtefactError("text encoder has changed", file=str(folder), value=still.space, remedy=remedy)
    try:
        projection = load_file(folder / HEADS)["text.weight"]
    except (OSError, KeyError, SafetensorError) as error:
        remedy = "pretrain it again"
        raise ArtefactError("heads can't be read", file=str(folder / HEADS), remedy=remedy) from error
    name = read_json(folder / SETTINGS, otherwise={}).get("fingerprint", "")
    return SharedTextEncoder(still, projection, name=str(name))


def _said(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = read_json(folder / HEADS_SAID, otherwise={})
    if said.get("version") != VERSION:
        raise ArtefactError(
            "no pretrained photo encoder, or of another version",
            file=str(folder / HEADS_SAID),
            value=str(said.get("version")),
            remedy="make it with huaxiang pretrain image",
        )
    return said

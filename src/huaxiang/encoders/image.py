"""Any image encoder, served by ONNX Runtime without torch."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from huaxiang.encoders.base import Encoded, ImageInput, Progress
from huaxiang.encoders.export import fingerprint
from huaxiang.encoders.image_export import MODEL, SETTINGS, VERSION, Precision, export_image_encoder
from huaxiang.encoders.named import model_folder
from huaxiang.encoders.photos import read_photo
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.preprocessing import Preprocessing
from huaxiang.encoders.text import onnx_session
from huaxiang.errors import ArtefactError, EncoderError, StorageError
from huaxiang.notes import Note

BATCH = 32


class OnnxImageEncoder:
    """Photos to unit vectors by an exported encoder.

    Parameters
    ----------
    folder
        What `export_image_encoder` or `fit_shop_image` wrote.
    threads
        How many cores to use; None leaves it to ONNX Runtime.
    progress
        Called with (photos done, photos, note).

    Raises
    ------
    ArtefactError
        When the folder is not a whole export, or was made by a newer version.
    """

    def __init__(
        self, folder: str | Path, *, threads: int | None = None, progress: Progress | None = None
    ) -> None:
        self.folder = Path(folder)
        settings = _read_settings(self.folder)
        self.precision = str(settings["precision"])
        self.space = f"{settings['name']}/{settings['fingerprint']}/{self.precision}"
        self.preprocessing = Preprocessing.from_json(settings["preprocessing"])
        self._session = onnx_session(self.folder / MODEL, threads=threads)
        self.dimensions = int(self._session.get_outputs()[0].shape[-1])
        self._progress = progress

    def encode(self, images: Sequence[ImageInput]) -> Encoded:
        """Return one vector per photo; unreadable ones are absent and listed in `problems`."""
        vectors_ID = np.zeros((len(images), self.dimensions), np.float32)
        present_I = np.zeros(len(images), np.bool_)
        problems: dict[int, Note] = {}
        for start in range(0, len(images), BATCH):
            rows, pixels = [], []
            for row in range(start, min(start + BATCH, len(images))):
                picture, problem = read_photo(images[row], at_least=self.preprocessing.at_least)
                if problem:
                    problems[row] = problem
                if picture is not None:
                    rows.append(row)
                    pixels.append(self.preprocessing.apply(picture))
            if rows:
                vectors_ID[rows] = self._session.run(["vectors"], {"pixels": np.stack(pixels)})[0]
                present_I[rows] = True
            if self._progress:
                self._progress(min(start + BATCH, len(images)), len(images), "photos encoded")
        return Encoded(vectors_ID=vectors_ID, present_I=present_I, problems=problems)

    def save(self, folder: Path) -> None:
        """Copy the export, so that a run can be served where the encoder isn't."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file in self.folder.glob("image*"):
                shutil.copyfile(file, folder / file.name)
        except OSError as error:
            raise StorageError(
                "encoder can't be written", file=str(folder), remedy="free some space"
            ) from error


def image_encoder(
    name_or_folder: str | Path,
    *,
    cache_folder: str | Path,
    precision: Precision = "fp32",
    allow_download: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> OnnxImageEncoder:
    """Return an image encoder, ready to use; what has to be exported is exported once, into `cache_folder`.

    Parameters
    ----------
    name_or_folder
        A Hugging Face name, a folder with a Hugging Face or Inception-v3 model, or a folder that an
        encoder was saved in.
    precision
        fp32, or int8 (weights per channel; convolutions are calibrated on drawn pictures). Spaces differ.
    allow_download
        Whether a name that is not on this machine may be fetched. HF_HUB_OFFLINE forbids it.

    Raises
    ------
    EncoderError
        When nothing of that name or in that folder can be used.
    MissingExtraError
        When an export is needed, and torch or transformers is not installed.
    """
    source = model_folder(str(name_or_folder), allow_download=allow_download)
    if not (source / SETTINGS).is_file():
        source = _exported(source, Path(cache_folder), precision, name=str(name_or_folder))
    return OnnxImageEncoder(source, threads=threads, progress=progress)


def _exported(source: Path, cache: Path, precision: Precision, *, name: str) -> Path:
    if not (source / "config.json").is_file():
        remedy = "give a folder with config.json, weights and preprocessor_config.json"
        raise EncoderError("no model in the folder", file=str(source), remedy=remedy)
    shown = re.sub(r"[^\w.-]+", "-", name.rstrip("/")).strip("-")[-60:]
    target = cache / f"{shown}-{fingerprint(source)}-image-v{VERSION}-{precision}"
    if not (target / SETTINGS).is_file():
        export_image_encoder(source, target, precision=precision, name=Path(name).name)
    return target


def _read_settings(folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = read_json(folder / SETTINGS, otherwise={})
    needed = {"name", "fingerprint", "precision", "preprocessing"}
    if settings.get("version") != VERSION or not needed <= set(settings):
        raise ArtefactError(
            "not an exported image encoder, or of another version",
            file=str(folder / SETTINGS),
            value=str(settings.get("version")),
            remedy="export it again, or upgrade huaxiang",
        )
    return settings

"""What reads items' words and photos into vectors, each once: they lie beside the run, by their content.

Without them an item that came after the last retraining would be read again at every start.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huaxiang.encoders import CachedEncoder, image_content
from huaxiang.encoders.cache import Encoder
from huaxiang.fusion.renewed import Readers
from huaxiang.model import Model


class ItemReaders:
    """The readers of one shop's items, whichever version of its model is served.

    Parameters
    ----------
    folder
        Where vectors are kept; several processes may share it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._words: dict[str, CachedEncoder[Any]] = {}
        self._eyes: dict[str, CachedEncoder[Any]] = {}

    def of(self, model: Model) -> Readers:
        """Return what reads a model's items."""
        words, eyes = model.text_encoder, model.image_encoder
        if words.space not in self._words:
            self._words[words.space] = CachedEncoder(words, self._folder)
        if eyes is not None and eyes.space not in self._eyes:
            seen: Encoder[Any] = eyes
            self._eyes[eyes.space] = CachedEncoder(seen, self._folder, content=image_content)
        return Readers(
            words=self._words[words.space],
            eyes=None if eyes is None else self._eyes[eyes.space],
            fusion=model.fusion,
        )

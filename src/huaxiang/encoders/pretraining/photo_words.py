"""The texts' side of photo and text: vectors of an encoder that stands still, or an encoder taught along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from huaxiang.encoders.base import Progress
from huaxiang.encoders.bundled import bundled_folder
from huaxiang.encoders.export import SETTINGS, pad_id_of, torch_encoder
from huaxiang.encoders.named import model_folder, text_encoder
from huaxiang.encoders.pooled import Pooled
from huaxiang.encoders.pooling import read_json, read_recipe
from huaxiang.encoders.pretraining.networks import attention
from huaxiang.encoders.tokens import Tokens, pad
from huaxiang.errors import EncoderError
from huaxiang.shop.clean import clean_text, has_words

MOST_TOKENS = 64


@dataclass(frozen=True, kw_only=True)
class Words:
    """The products' texts, ready to be compared with photos.

    Parameters
    ----------
    place_LN
        Which of the distinct texts each product has in each language, −1 where it has none.
    vectors
        One row per distinct text, of an encoder that stands still; None where it is taught.
    ids
        Token ids of each distinct text, for an encoder that is taught.
    encoder
        The one that is taught, (ids, mask) → vectors; None where it stands still.
    said
        What a folder says of the encoder: its name, and its space where it stands still.
    """

    languages: tuple[str, ...]
    place_LN: NDArray[np.int64]
    width: int
    said: Mapping[str, Any]
    vectors: NDArray[np.float32] | None = None
    ids: Sequence[Sequence[int]] = ()
    pad_id: int = 0
    encoder: nn.Module | None = None
    source: Path | None = None

    def described(self) -> NDArray[np.bool_]:
        """Return which products have a text in any language, (N,)."""
        return np.asarray((self.place_LN >= 0).any(0))

    def first(self, rows_B: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the text of each product in the first language that it has one in."""
        place_LB = self.place_LN[:, rows_B]
        return np.asarray(place_LB[(place_LB >= 0).argmax(0), np.arange(len(rows_B))])

    def drawn(self, rows_B: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return a text of each product in any of its languages."""
        place_LB = self.place_LN[:, rows_B]
        luck_LB = np.where(place_LB >= 0, rng.random(place_LB.shape), -1)
        return np.asarray(place_LB[luck_LB.argmax(0), np.arange(len(rows_B))])

    def inputs(self, places_B: NDArray[np.int64]) -> dict[str, Tensor]:
        """Return what the network takes of some texts."""
        same = {"same": torch.from_numpy(places_B)}
        if self.vectors is not None:
            return same | {"texts": torch.from_numpy(self.vectors[places_B])}
        padded = pad([self.ids[place] for place in places_B], pad_id=self.pad_id)
        return same | {name: torch.from_numpy(array) for name, array in padded.items()}


def words_of(
    texts: Mapping[str, Sequence[str | None]],
    *,
    encoder: str,
    is_taught: bool,
    cache: Path,
    progress: Progress | None = None,
) -> Words:
    """Return the texts of products, language by language.

    Parameters
    ----------
    encoder
        As `text_encoder` takes it; "minilm", or a Hugging Face folder, where it is taught.

    Raises
    ------
    EncoderError
        The encoder can't be used, or its tokenizer is of another model.
    """
    cleaned = [[_clean(text) for text in one] for one in texts.values()]
    distinct = sorted({text for one in cleaned for text in one if text})
    place = {text: at for at, text in enumerate(distinct)}
    place_LN = np.array([[place.get(text, -1) for text in one] for one in cleaned], np.int64)
    shared: dict[str, Any] = {"languages": tuple(texts), "place_LN": place_LN}
    if is_taught:
        return _taught(distinct, encoder, shared)
    if (folder := _folder(encoder)) is not None and not (folder / SETTINGS).is_file():
        check_tokenizer(folder)
    still = text_encoder(encoder, cache_folder=cache, progress=progress)
    vectors = still.encode(distinct).vectors_ID
    said = {"encoder": encoder, "space": still.space, "is_taught": False}
    return Words(**shared, width=still.dimensions, said=said, vectors=vectors)


def check_tokenizer(folder: Path) -> int:
    """Return the number of tokens, or raise `EncoderError` where the model has fewer rows."""
    tokens = Tokens(folder / "tokenizer.json", max_tokens=MOST_TOKENS, pad_id=pad_id_of(folder))
    n_tokens = tokens.n_tokens
    n_rows = int(read_json(folder / "config.json", otherwise={}).get("vocab_size") or n_tokens)
    if n_tokens > n_rows:
        raise EncoderError(
            f"tokenizer does not match the model: {n_tokens} tokens, and the model knows {n_rows}",
            file=str(folder),
            remedy="put the tokenizer.json of this very model beside it",
        )
    return n_tokens


def _taught(distinct: Sequence[str], encoder: str, shared: dict[str, Any]) -> Words:
    folder = _folder(encoder)
    if folder is None or not (folder / "config.json").is_file():
        remedy = "name minilm, or a Hugging Face folder with config.json, weights and tokenizer.json"
        raise EncoderError("text encoder can't be taught", value=encoder, remedy=remedy)
    recipe = read_recipe(folder)
    module: Any = torch_encoder(folder, recipe, attention=attention())
    check_tokenizer(folder)
    tokens = Tokens(
        folder / "tokenizer.json", max_tokens=min(MOST_TOKENS, recipe.max_tokens), pad_id=pad_id_of(folder)
    )
    ids = [encoding.ids for encoding in tokens.encoded([recipe.prompt + text for text in distinct])]
    return Words(
        **shared,
        width=_width(module),
        said={"encoder": encoder, "is_taught": True},
        ids=ids,
        pad_id=pad_id_of(folder),
        encoder=module,
        source=folder,
    )


def _width(module: Pooled) -> int:
    one = torch.ones((1, 3), dtype=torch.int64)
    with torch.inference_mode():
        return int(module(one, one).shape[1])


def _folder(encoder: str) -> Path | None:
    if encoder == "minilm":
        return bundled_folder()
    return None if encoder in ("default", "student", "hashed") else model_folder(encoder)


def _clean(text: str | None) -> str:
    cleaned = clean_text(text)
    return cleaned if has_words(cleaned) else ""

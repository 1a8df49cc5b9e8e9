"""A text encoder that learns from texts known by their rows: token ids are made once, vectors often.

What is read from a folder, pooling and dense layers included, is written as such a folder, with its ONNX.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.finetuning.fit import token_ids
from huaxiang.encoders.learning.base import even_width
from huaxiang.encoders.learning.quiet import quiet_transformers
from huaxiang.encoders.pooled import Pooled, pooled
from huaxiang.encoders.pooling import read_recipe
from huaxiang.encoders.pretraining.networks import attention, check_vocabulary
from huaxiang.encoders.pretraining.tokenizer import read_tokenizer
from huaxiang.records import Matrix

_AT_ONCE = 128
_EVEN_ROWS = 16
"""Numbers of texts are filled up to a multiple: each new shape would be compiled anew."""
_KEPT = ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json")

Asked = Callable[[int, int, str], None]


class BiEncoder(nn.Module):
    """Texts, by their row in a table, to unit vectors.

    Parameters
    ----------
    encoder
        Transformer, pooling and dense layers.
    ids
        Token ids of each text with its marks.
    pad
        Id that fills short rows.
    """

    ids_NT: Tensor
    lengths_N: Tensor

    def __init__(self, encoder: Pooled, ids: Sequence[NDArray[np.int64]], *, pad: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dimensions = _dimensions(encoder)
        lengths_N = np.array([len(one) for one in ids], np.int64)
        ids_NT = np.full((len(ids), max(1, int(lengths_N.max(initial=1)))), pad, np.int32)
        for row, one in enumerate(ids):
            ids_NT[row, : len(one)] = one
        self.register_buffer("ids_NT", torch.from_numpy(ids_NT), persistent=False)
        self.register_buffer("lengths_N", torch.from_numpy(lengths_N), persistent=False)

    def vectors(self, rows_B: Tensor) -> Tensor:
        """Return unit vectors of some texts, (B, D), float32."""
        lengths_B = self.lengths_N[rows_B]
        width = min(even_width(int(lengths_B.max())), self.ids_NT.shape[1])
        mask_BT = (torch.arange(width, device=rows_B.device) < lengths_B[:, None]).long()
        ids_BT = self.ids_NT[rows_B, :width].long()
        tokens_BTD = self.encoder.model(input_ids=ids_BT, attention_mask=mask_BT).last_hidden_state
        vectors_BD = self.encoder.dense(pooled(tokens_BTD.float(), mask_BT, self.encoder.pooling))
        return functional.normalize(vectors_BD.float(), dim=-1)

    def distinct(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors of the different texts among some rows, (C, D), and which of them each row has.

        A text that is there several times is read once.
        """
        different, which = torch.unique(rows, return_inverse=True)
        missing = -len(different) % _EVEN_ROWS
        filled = torch.cat([different, different[:1].expand(missing)])
        return self.vectors(filled)[: len(different)], which

    def encode(self, rows_B: NDArray[np.int64], progress: Asked | None = None) -> Matrix:
        """Return the vectors of some texts as they are served, (B, D): in evaluation mode, no gradients."""
        was_training, device = self.training, self.ids_NT.device
        self.eval()
        order = np.argsort(self.lengths_N.cpu().numpy()[rows_B], kind="stable")
        vectors_BD = np.zeros((len(rows_B), self.dimensions), np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), _AT_ONCE):
                some = order[start : start + _AT_ONCE]
                vectors_BD[some] = self.vectors(torch.from_numpy(rows_B[some]).to(device)).cpu().numpy()
                if progress is not None:
                    progress(min(start + _AT_ONCE, len(order)), len(order), "texts encoded")
        self.train(was_training)
        return vectors_BD


def cosines(first_AD: Tensor, second_BD: Tensor) -> Tensor:
    """Return the products of unit vectors, (A, B), in float32 whatever the rest is learnt in.

    bf16 has three digits: what is multiplied by a sharpness afterwards would come in steps of a tenth.
    """
    with torch.autocast(first_AD.device.type, enabled=False):
        return first_AD.float() @ second_BD.float().T


def bi_encoder(folder: Path, texts: Sequence[str], *, max_tokens: int, seed: int) -> tuple[BiEncoder, Any]:
    """Return the encoder of a folder over a table of texts, and its tokenizer.

    Raises
    ------
    EncoderError
        The folder holds no text encoder, or its tokenizer is another model's.
    """
    from huaxiang.encoders.export import torch_encoder

    recipe = read_recipe(folder)
    tokenizer = read_tokenizer(folder)
    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder: Any = torch_encoder(folder, recipe, attention=attention())
    n_rows = encoder.model.get_input_embeddings().num_embeddings
    check_vocabulary(folder, n_tokens=len(tokenizer), n_rows=n_rows)
    encoder.dense.requires_grad_(False)
    if getattr(encoder.model, "pooler", None) is not None:
        encoder.model.pooler.requires_grad_(False)  # it has no part in the vectors
    ids = token_ids(
        [recipe.prompt + text for text in texts],
        tokenizer,
        max_tokens=min(max_tokens, recipe.max_tokens),
    )
    return BiEncoder(encoder, ids, pad=int(tokenizer.pad_token_id or 0)), tokenizer


def write_encoder(network: BiEncoder, tokenizer: Any, folder: Path, *, source: Path) -> None:
    """Write the encoder as transformers keeps it, with what `source` says of its pooling, and its ONNX."""
    from huaxiang.encoders.export import export_text_encoder

    folder.mkdir(parents=True, exist_ok=True)
    for name in _KEPT:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    for place in (*read_recipe(source).dense, "1_Pooling"):
        if (source / place).is_dir():
            shutil.copytree(source / place, folder / place, dirs_exist_ok=True)
    with quiet_transformers():
        encoder: Any = network.encoder
        encoder.model.to("cpu").save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        exported = export_text_encoder(folder, folder / "exported", name=folder.name.removesuffix(".partial"))
    for file in exported.iterdir():
        shutil.move(file, folder / file.name)
    exported.rmdir()


def _dimensions(encoder: Any) -> int:
    linear = [layer for layer in encoder.dense.modules() if isinstance(layer, nn.Linear)]
    return int(linear[-1].out_features if linear else encoder.model.config.hidden_size)

"""A causal language model of a local folder as writer: ours of `pretrain text`, or any of Hugging Face's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from huaxiang.encoders.export import fingerprint
from huaxiang.encoders.learning.base import in_range
from huaxiang.encoders.learning.quiet import quiet_transformers
from huaxiang.errors import EncoderError
from huaxiang.training import require
from huaxiang.writing.base import Subject
from huaxiang.writing.endpoint import instructions

_AT_ONCE = 16
_FEWEST = 4
"""Tokens that are written before a text may end: a model that only goes on with texts would end at once."""


@dataclass(frozen=True, kw_only=True)
class FolderConfig:
    """How a model is let write.

    Parameters
    ----------
    max_tokens
        Longest text; ≥ 8.
    temperature
        0 always takes the likeliest token; higher ones differ more. ≥ 0.
    top_p
        Tokens drawn from: the likeliest ones that hold this share of the belief. 0 to 1.
    """

    max_tokens: int = 96
    temperature: float = 0.7
    top_p: float = 0.9

    def __post_init__(self) -> None:
        in_range("max_tokens", self.max_tokens, self.max_tokens >= 8, "8 or more")
        in_range("temperature", self.temperature, self.temperature >= 0, "0 or more")
        in_range("top_p", self.top_p, 0 < self.top_p <= 1, "above 0, up to 1")


class FolderWriter:
    """Texts by a model of a folder; nothing is downloaded, nothing is sent.

    A model whose tokenizer has a chat template is told what to do; any other goes on with the start.

    Raises
    ------
    EncoderError
        The folder holds no causal language model with its tokenizer.
    MissingExtraError
        torch or transformers is not installed.
    """

    def __init__(self, folder: str | Path, config: FolderConfig | None = None) -> None:
        require("torch", "transformers")
        self.config = config or FolderConfig()
        self.failed: Counter[str] = Counter()
        self._tokenizer, self._model = _loaded(Path(folder))
        self.name = f"{fingerprint(Path(folder))} {self.config} {self._tokenizer.chat_template or ''}"

    def write(self, subjects: Sequence[Subject], rng: np.random.Generator) -> list[str | None]:
        """Return a text for each; None where the model said nothing."""
        with quiet_transformers():
            prompts = [self._prompt(one) for one in subjects]
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
        found: list[str | None] = [None] * len(subjects)
        for start in range(0, len(order), _AT_ONCE):
            rows = order[start : start + _AT_ONCE]
            for row, said in zip(rows, self._said([prompts[row] for row in rows], rng), strict=True):
                found[row] = said or None
                self.failed["nothing was written"] += not said
        self.failed = +self.failed
        return found

    def _prompt(self, subject: Subject) -> list[int]:
        """Return the tokens that the model goes on from, the newest ones where they are too many."""
        if self._tokenizer.chat_template:
            told = [
                {"role": "system", "content": instructions(subject.kind, subject.language)},
                {"role": "user", "content": "\n".join(subject.facts)},
            ]
            ids = self._tokenizer.apply_chat_template(told, add_generation_prompt=True, return_dict=False)
        else:
            marks = self._tokenizer
            first = marks.bos_token_id if marks.bos_token_id is not None else marks.cls_token_id
            ids = [] if first is None else [first]
            ids += marks(subject.start, add_special_tokens=False)["input_ids"]
        room = max(self._room() - self.config.max_tokens, self._room() // 2)
        return list(ids)[-room:]

    def _room(self) -> int:
        return int(getattr(self._model.config, "max_position_embeddings", 0) or 1 << 20)

    def _said(self, prompts: list[list[int]], rng: np.random.Generator) -> list[str]:
        import torch

        self._tokenizer.padding_side = "left"
        batch = self._tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(self._model.device)
        width = batch["input_ids"].shape[1]
        how: dict[str, Any] = {"do_sample": False}
        if self.config.temperature > 0:
            how = {"do_sample": True, "temperature": self.config.temperature, "top_p": self.config.top_p}
        devices = [self._model.device] if self._model.device.type == "cuda" else []
        with torch.random.fork_rng(devices), torch.inference_mode():
            torch.manual_seed(int(rng.integers(2**31)))
            said = self._model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                min_new_tokens=_FEWEST,
                max_new_tokens=max(_FEWEST, min(self.config.max_tokens, self._room() - width)),
                max_length=None,
                pad_token_id=self._tokenizer.pad_token_id,
                eos_token_id=self._ends(),
                **how,
            )
        texts = self._tokenizer.batch_decode(said[:, width:], skip_special_tokens=True)
        return [text.strip() for text in texts]

    def _ends(self) -> list[int]:
        """Return the tokens that end a text."""
        own = self._model.generation_config.eos_token_id
        listed = own if isinstance(own, list) else [own]
        return [one for one in {*listed, self._tokenizer.sep_token_id} if one is not None]


def _loaded(folder: Path) -> tuple[Any, Any]:
    import torch
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    kind: Any = transformers.AutoModelForCausalLM
    remedy = "give a folder of huaxiang pretrain text --objective causal, or a causal model's"
    try:
        with quiet_transformers():
            model = kind.from_pretrained(folder, local_files_only=True, use_safetensors=True)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise EncoderError(
            "model that writes can't be loaded", file=str(folder), value=type(error).__name__, remedy=remedy
        ) from error
    saved_as = (model.config.architectures or [type(model).__name__])[0]
    if saved_as not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values():
        raise EncoderError("model can't write", file=str(folder), value=saved_as, remedy=remedy)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, model.eval().to("cuda" if torch.cuda.is_available() else "cpu")

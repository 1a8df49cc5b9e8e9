"""A tiny fine-tuned model, written without a fit: what is tested here needs one, not a good one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from huaxiang.encoders.finetuning.fit import Parts
from huaxiang.encoders.finetuning.network import TextNetwork
from huaxiang.encoders.finetuning.stored import write_served, write_weights
from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks import Classify, Task
from huaxiang.encoders.learning.quiet import quiet_transformers
from huaxiang.encoders.pretraining.tokenizer import train_tokenizer, wrapped

GOOD = ("很好 喜欢 red dress", "质量 好 推荐", "lovely shoes 很舒服", "好看 又 便宜", "fits well 很好")
BAD = ("很差 退货 了", "质量 差 不推荐", "bad shoes 不舒服", "难看 又 贵", "does not fit 很差")
TASK = Classify(labels=("bad", "good"))
MAX_TOKENS = 32
FAMILIES = ("bert", "distilbert")


def rows_of(n: int = 40, *, start: int = 0, labels: tuple[str, str] = ("bad", "good")) -> Rows:
    """Return texts that are good and bad in turn, each with a number of its own."""
    texts = [f"{(BAD, GOOD)[at % 2][at % 5]} {at}" for at in range(start, start + n)]
    said = [labels[at % 2] for at in range(start, start + n)]
    return Rows(
        file="rows.csv",
        texts=tuple(texts),
        labels=tuple(said),
        keys=tuple(texts),
        lines=np.arange(n, dtype=np.int64) + 2,
    )


def parts_of() -> Parts:
    return Parts(train=rows_of(40), validation=rows_of(20, start=100), test=rows_of(20, start=200))


def tokenizer_of() -> Any:
    texts = [*rows_of(40).texts, *rows_of(20, start=100).texts, *rows_of(20, start=200).texts]
    return wrapped(
        train_tokenizer([*texts, *texts, "电脑 屏幕 键盘 laptop keyboard"] * 2, size=300),
        max_tokens=MAX_TOKENS,
    )


def network_of(family: str = "bert", *, task: Task = TASK, n_layers: int = 2, seed: int = 0) -> TextNetwork:
    """Return a network whose outputs differ between texts."""
    n_tokens = len(tokenizer_of())
    configs: dict[str, Any] = {
        "bert": lambda: transformers.BertConfig(
            vocab_size=n_tokens,
            hidden_size=32,
            num_hidden_layers=n_layers,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=MAX_TOKENS,
            pad_token_id=0,
        ),
        "distilbert": lambda: transformers.DistilBertConfig(
            vocab_size=n_tokens,
            dim=32,
            n_layers=n_layers,
            n_heads=4,
            hidden_dim=64,
            max_position_embeddings=MAX_TOKENS,
            pad_token_id=0,
        ),
    }
    torch.manual_seed(seed)
    with quiet_transformers():
        model = transformers.AutoModel.from_config(configs[family](), attn_implementation="eager")
    for name, weight in model.named_parameters():
        if "LayerNorm" not in name and "layer_norm" not in name:
            torch.nn.init.normal_(weight, std=0.15)
    model.pooler = None
    return TextNetwork(model, task, dropout=0.0).eval()


def teacher_folder(folder: Path, family: str = "bert", *, task: Task = TASK, n_layers: int = 2) -> Path:
    """Write a network as `finetune` does, weights alone where ONNX is not needed."""
    network, tokenizer = network_of(family, task=task, n_layers=n_layers), tokenizer_of()
    write_weights(network, tokenizer, folder)
    write_served(network, tokenizer, folder, task=task, columns=["review"], max_tokens=MAX_TOKENS)
    return folder

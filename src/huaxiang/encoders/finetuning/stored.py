"""A fine-tuned model's folder: weights as transformers keeps them, its head, its task, and ONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.encoders.finetuning.fit import FinetuneConfig, Finetuned, token_ids
from huaxiang.encoders.finetuning.linear import NgramModel
from huaxiang.encoders.finetuning.predictor import MODEL, TASK, TOKENIZER, VERSION, read_task
from huaxiang.encoders.finetuning.tagging import Tagger
from huaxiang.encoders.finetuning.tasks import Tag, Task, task_from_json
from huaxiang.encoders.learning.quiet import quiet_transformers
from huaxiang.encoders.pretraining.tokenizer import read_tokenizer
from huaxiang.errors import EncoderError
from huaxiang.training import require

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.network import HeadedNetwork, TextNetwork

HEAD = "head.safetensors"
_PROBES = ("a", "red dress", "跑步鞋 running shoes, size 42", "很好 " * 20)


def write_finetuned(
    made: Finetuned | Tagger, folder: Path, *, columns: list[str], config: FinetuneConfig
) -> None:
    """Write everything that `load_predictor`, further fine-tuning and compression read.

    Raises
    ------
    EncoderError
        The ONNX model's outputs differ from those of torch.
    """
    if isinstance(made.network, NgramModel):
        folder.mkdir(parents=True, exist_ok=True)
        made.network.save(folder)
        _write_task(folder, {"model": "ngrams"}, made.task, columns)
        return
    network = made.network.to("cpu").eval()
    write_weights(network, made.tokenizer, folder)
    write_served(
        network, made.tokenizer, folder, task=made.task, columns=columns, max_tokens=config.max_tokens
    )


def write_weights(network: HeadedNetwork, tokenizer: Any, folder: Path) -> None:
    """Write what torch reads again: the model as transformers keeps it, its tokenizer, and the head."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    with quiet_transformers():
        network.model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    save_file({name: value.contiguous() for name, value in network.head.state_dict().items()}, folder / HEAD)


def write_served(
    network: HeadedNetwork,
    tokenizer: Any,
    folder: Path,
    *,
    task: Task | Tag,
    columns: list[str],
    max_tokens: int,
) -> None:
    """Write what `Predictor` reads: ONNX, tokenizer and task."""
    folder.mkdir(parents=True, exist_ok=True)
    token_ids(_PROBES, tokenizer, max_tokens=max_tokens)  # sets where it cuts
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    further = {
        "model": "onnx",
        "max_tokens": max_tokens,
        "pad_id": int(tokenizer.pad_token_id or 0),
        "precision": "fp32",
    }
    _write_task(folder, further, task, columns)
    export_onnx(network, folder / MODEL, tokenizer, max_tokens=max_tokens)


def _write_task(folder: Path, further: dict[str, Any], task: Task | Tag, columns: list[str]) -> None:
    said = {"version": VERSION, "task": task.as_json(), "columns": columns, **further}
    (folder / TASK).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")


def read_finetuned(folder: Path, *, dropout: float = 0.0) -> tuple[TextNetwork, Any]:
    """Return the network of a folder with its task and head, in evaluation mode, and its tokenizer.

    Raises
    ------
    MissingExtraError
        torch or transformers is not installed.
    ArtefactError
        The folder holds no fine-tuned model, a newer one, or one of an unknown task.
    EncoderError
        It has no weights that torch reads, or they are damaged.
    """
    require("torch", "transformers")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from huaxiang.encoders.finetuning.network import TextNetwork, text_network

    task = task_from_json(read_task(folder)["task"])
    tokenizer = read_tokenizer(folder)
    with quiet_transformers():
        network = text_network(
            folder,
            task,
            n_tokens=len(tokenizer),
            dropout=dropout,
            is_untrained=False,
            seed=0,
            kind=TextNetwork,
        )
    try:
        network.head.load_state_dict(load_file(folder / HEAD))
    except (OSError, SafetensorError, RuntimeError) as error:
        remedy = "fine-tune the model again"
        raise EncoderError(
            "head of the model can't be read", file=str(folder / HEAD), remedy=remedy
        ) from error
    return network.eval(), tokenizer


def export_onnx(network: Any, file: Path, tokenizer: Any, *, max_tokens: int) -> None:
    """Write the network as ONNX, and check it against torch on a few texts."""
    from huaxiang.encoders.export import export_checked
    from huaxiang.encoders.finetuning.network import Served
    from huaxiang.encoders.tokens import pad

    batch = pad(
        [ids.tolist() for ids in token_ids(_PROBES, tokenizer, max_tokens=max_tokens)],
        pad_id=int(tokenizer.pad_token_id or 0),
    )
    export_checked(Served(network).eval(), batch, file, output="outputs")

"""A text model with a head on top: the mean and the largest of its tokens → the outputs of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from huaxiang.encoders.finetuning.tasks import Task
from huaxiang.encoders.pooled import pooled
from huaxiang.encoders.pretraining.networks import attention, check_vocabulary
from huaxiang.errors import EncoderError, SettingsError
from huaxiang.training import require


class TextNetwork(nn.Module):
    """Token ids to the outputs of a task."""

    def __init__(self, model: Any, task: Task, *, dropout: float) -> None:
        super().__init__()
        self.model = model
        self.task = task
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * model.config.hidden_size, task.n_outputs)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, targets: Tensor, soft: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the mean loss."""
        return {"loss": self.task.loss(self.outputs(input_ids, attention_mask), targets).mean()}

    def outputs(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the outputs, (B, C), float32."""
        tokens_BTD = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.outputs_from(tokens_BTD, attention_mask)

    def outputs_from(self, tokens_BTD: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the outputs from the last states of the tokens, (B, C), float32."""
        ways = [pooled(tokens_BTD, attention_mask, way) for way in ("mean", "max")]
        head: Tensor = self.head(self.dropout(torch.cat(ways, 1)))
        return head.float()

    def get_input_embeddings(self) -> nn.Module:
        """Return the vectors of the tokens."""
        found: nn.Module = self.model.get_input_embeddings()
        return found


class Served(nn.Module):
    """A network as it is exported: ids and mask to outputs."""

    def __init__(self, network: TextNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the outputs."""
        return self.network.outputs(input_ids, attention_mask)


def text_network(
    folder: Path, task: Task, *, n_tokens: int, dropout: float, is_untrained: bool, seed: int
) -> TextNetwork:
    """Return the model of a folder with a new head; with `is_untrained` only its shape is taken.

    Raises
    ------
    EncoderError
        It holds no text encoder, or its tokenizer is another model's.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForTextEncoding

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
            _set_dropout(config, dropout)
            kind: Any = AutoModelForTextEncoding if config.is_encoder_decoder else AutoModel
            if is_untrained:
                model = kind.from_config(config)
                model.set_attn_implementation(attention())
            else:
                model = kind.from_pretrained(
                    folder,
                    config=config,
                    local_files_only=True,
                    use_safetensors=True,
                    dtype=torch.float32,
                    attn_implementation=attention(),
                )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise EncoderError(
                f"no text encoder that can be fine-tuned ({type(error).__name__})",
                file=str(folder),
                remedy="give a folder with config.json, model.safetensors and tokenizer.json of one model",
            ) from error
        model.pooler = None if hasattr(model, "pooler") else model.__dict__.get("pooler")
        check_vocabulary(folder, n_tokens=n_tokens, n_rows=model.get_input_embeddings().num_embeddings)
        return TextNetwork(model, task, dropout=dropout)


def _set_dropout(config: Any, dropout: float) -> None:
    """Set the share that is left out while learning, by the names that the families give it."""
    for name in ("hidden_dropout_prob", "dropout", "resid_pdrop", "embd_pdrop"):
        if hasattr(config, name):
            setattr(config, name, dropout)


def freeze(network: TextNetwork) -> None:
    """Let the head learn alone."""
    network.model.requires_grad_(False)


def with_lora(network: TextNetwork, *, rank: int, seed: int) -> TextNetwork:
    """Let small matrices of `rank` learn beside each linear layer of the model, which stands still.

    Source
    ------
    Hu et al., LoRA, ICLR 2022.
    """
    require("peft")
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        said = LoraConfig(
            r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules=_linear_layers(network)
        )
        network.model = get_peft_model(network.model, said)
    return network


def without_lora(network: TextNetwork) -> TextNetwork:
    """Add what was learnt beside the layers to the layers themselves."""
    if hasattr(network.model, "merge_and_unload"):
        network.model = network.model.merge_and_unload()
    return network


def _linear_layers(network: TextNetwork) -> list[str]:
    names = {
        name.rpartition(".")[2] for name, part in network.model.named_modules() if isinstance(part, nn.Linear)
    }
    if not names:
        raise SettingsError(
            "model has no linear layers for LoRA",
            column="method",
            value="lora",
            remedy="choose full or frozen",
        )
    return sorted(names)

"""A text model with a head on top: the mean and the largest of its tokens → the outputs of a task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.finetuning.tasks import Tag, Task
from huaxiang.encoders.pooled import pooled
from huaxiang.encoders.pretraining.networks import attention, check_vocabulary, keep_all_attention
from huaxiang.errors import EncoderError, SettingsError
from huaxiang.training import require

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.fit import FinetuneConfig


class HeadedNetwork(nn.Module):
    """A model with dropout and a linear head."""

    def __init__(self, model: Any, *, width: int, n_outputs: int, dropout: float) -> None:
        super().__init__()
        self.model = model
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, n_outputs)

    def get_input_embeddings(self) -> nn.Module:
        """Return the vectors of the tokens."""
        found: nn.Module = self.model.get_input_embeddings()
        return found

    def merged(self) -> Self:
        """Add what LoRA learnt beside the layers to the layers themselves."""
        return without_lora(self)


AnyNetwork = TypeVar("AnyNetwork", bound=HeadedNetwork)


class TextNetwork(HeadedNetwork):
    """Token ids to the outputs of a task."""

    def __init__(self, model: Any, task: Task, *, dropout: float) -> None:
        width = 2 * model.config.hidden_size
        super().__init__(model, width=width, n_outputs=task.n_outputs, dropout=dropout)
        self.task = task

    def forward(self, input_ids: Tensor, attention_mask: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return the mean loss, and the outputs that it is of."""
        outputs = self.outputs(input_ids, attention_mask)
        return {"loss": self.task.loss(outputs, targets).mean(), "outputs": outputs}

    def outputs(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the outputs, (B, C), float32."""
        tokens_BTD = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.outputs_from(tokens_BTD, attention_mask)

    def outputs_from(self, tokens_BTD: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the outputs from the last states of the tokens, (B, C), float32."""
        ways = [pooled(tokens_BTD, attention_mask, way) for way in ("mean", "max")]
        head: Tensor = self.head(self.dropout(torch.cat(ways, 1)))
        return head.float()


class TokenNetwork(HeadedNetwork):
    """Token ids to the outputs of every token."""

    def __init__(self, model: Any, task: Tag, *, dropout: float) -> None:
        width = model.config.hidden_size
        super().__init__(model, width=width, n_outputs=task.n_outputs, dropout=dropout)
        self.task = task

    def forward(self, input_ids: Tensor, attention_mask: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return the mean loss over the tokens that are asked."""
        outputs = self.outputs(input_ids, attention_mask)
        return {"loss": functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())}

    def outputs(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the outputs, (B, T, C), float32."""
        tokens_BTD = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        head: Tensor = self.head(self.dropout(tokens_BTD))
        return head.float()


class Served(nn.Module):
    """A network as it is exported: ids and mask to outputs."""

    network: TextNetwork | TokenNetwork

    def __init__(self, network: TextNetwork | TokenNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the outputs."""
        return self.network.outputs(input_ids, attention_mask)


def text_network(
    folder: Path,
    task: Any,
    *,
    n_tokens: int,
    dropout: float,
    is_untrained: bool,
    seed: int,
    kind: Callable[..., AnyNetwork],
) -> AnyNetwork:
    """Return the model of a folder with a new head; with `is_untrained` only its shape is taken.

    `kind` is `TextNetwork`, or `TokenNetwork` for a head on every token.

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
            family: Any = AutoModelForTextEncoding if config.is_encoder_decoder else AutoModel
            if is_untrained:
                model = family.from_config(config)
                model.set_attn_implementation(attention())
            else:
                model = family.from_pretrained(
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
        return kind(model, task, dropout=dropout)


def _set_dropout(config: Any, dropout: float) -> None:
    """Set the share that is left out while learning, by the names that the families give it."""
    for name in ("hidden_dropout_prob", "dropout", "resid_pdrop", "embd_pdrop"):
        if hasattr(config, name):
            setattr(config, name, dropout)
    keep_all_attention(config)


def made_ready(network: AnyNetwork, config: FinetuneConfig, *, seed: int) -> AnyNetwork:
    """Return the network with the weights that shall learn: all, the head's, or LoRA's and the head's."""
    if config.method == "frozen":
        network.model.requires_grad_(False)
    elif config.method == "lora":
        return with_lora(network, rank=config.lora_rank, seed=seed)
    return network


def with_lora(network: AnyNetwork, *, rank: int, seed: int) -> AnyNetwork:
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


def without_lora(network: AnyNetwork) -> AnyNetwork:
    """Add what was learnt beside the layers to the layers themselves."""
    if hasattr(network.model, "merge_and_unload"):
        network.model = network.model.merge_and_unload()
    return network


def _linear_layers(network: HeadedNetwork) -> list[str]:
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

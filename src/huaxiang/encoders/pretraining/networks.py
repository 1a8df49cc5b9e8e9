"""Language models in torch: from scratch in a few sizes, or going on from a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.pretraining.masked import IGNORED
from huaxiang.errors import EncoderError

SIZES: Mapping[str, tuple[int, int, int]] = {
    "tiny": (2, 128, 2),
    "small": (4, 256, 4),
    "medium": (6, 384, 6),
    "base": (12, 768, 12),
}
"""Name → layers, width, heads; the middle of a layer is four times as wide."""


_EVEN = 128
"""Hidden tokens of a batch are filled up to a multiple: each new shape would be compiled anew."""


class MaskedNetwork(nn.Module):
    """A masked language model with a yes-or-no on top: whether the second passage follows the first.

    Only hidden tokens are scored over the vocabulary: six sevenths of that work are saved.
    """

    def __init__(self, model: Any, *, pair_weight: float = 1.0) -> None:
        super().__init__()
        self.model = model
        self.pair_weight = pair_weight
        self.follows = nn.Linear(model.config.hidden_size, 2) if pair_weight else None

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        labels: Tensor,
        follows: Tensor,
    ) -> dict[str, Tensor]:
        """Return the mean loss; beside it, for the held-out part, what was right."""
        further = {"token_type_ids": token_type_ids} if _has_types(self.model) else {}
        states = self.model.base_model(input_ids=input_ids, attention_mask=attention_mask, **further)
        tokens_BTD = states.last_hidden_state
        places_A, wanted_A = _asked(labels)
        logits_AV = vocabulary_scores(self.model, tokens_BTD.flatten(0, 1)[places_A]).float()
        loss = functional.cross_entropy(logits_AV, wanted_A, ignore_index=IGNORED)
        is_right = (logits_AV.argmax(1) == wanted_A)[wanted_A != IGNORED]
        seen = {"mlm_loss": loss.detach(), "mlm_right": is_right.float().mean()}
        if self.follows is not None and bool((follows != IGNORED).any()):
            scores_B2 = self.follows(tokens_BTD[:, 0]).float()
            pair_loss = functional.cross_entropy(scores_B2, follows, ignore_index=IGNORED)
            loss = loss + self.pair_weight * pair_loss
            is_asked = follows != IGNORED
            seen["nsp_right"] = (scores_B2.argmax(1) == follows)[is_asked].float().mean()
        return {"loss": loss, **seen}


class CausalNetwork(nn.Module):
    """A model of the next token."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """Return the mean surprise at each next token."""
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits[:, :-1].float()
        wanted = input_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, IGNORED)
        loss = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED)
        is_asked = wanted != IGNORED
        right = (logits.argmax(-1) == wanted)[is_asked].float().mean()
        return {"loss": loss, "next_right": right}

    def scores(self) -> nn.Module:
        """Return what is exported."""
        return _NextTokens(self.model)


class _NextTokens(nn.Module):
    """Ids and mask → scores of the next token at each place, (B, T, V)."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the scores."""
        scores: Tensor = self.model(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False
        ).logits
        return scores


def _asked(labels_BT: Tensor) -> tuple[Tensor, Tensor]:
    """Return where tokens are hidden and which they were, filled up to an even number with ignored ones."""
    flat = labels_BT.flatten()
    places = (flat != IGNORED).nonzero()[:, 0]
    missing = -len(places) % _EVEN
    wanted = functional.pad(flat[places], (0, missing), value=IGNORED)
    return functional.pad(places, (0, missing)), wanted


def vocabulary_scores(model: Any, tokens_AD: Tensor) -> Tensor:
    """Return the score of each token of the vocabulary at some places, (A, V).

    Raises
    ------
    EncoderError
        The head of this family is not known here.
    """
    for name in ("cls", "lm_head", "generator_lm_head"):
        if hasattr(model, name):
            scored: Tensor = getattr(model, name)(tokens_AD)
            return scored
    if hasattr(model, "vocab_projector"):
        middle = model.vocab_layer_norm(model.activation(model.vocab_transform(tokens_AD)))
        projected: Tensor = model.vocab_projector(middle)
        return projected
    if hasattr(model, "head") and hasattr(model, "decoder"):
        decoded: Tensor = model.decoder(model.head(tokens_AD))
        return decoded
    kind = type(model).__name__
    remedy = "give a BERT, RoBERTa, DistilBERT, ELECTRA or ModernBERT"
    raise EncoderError("head of the model is not known", value=kind, remedy=remedy)


def from_scratch(size: str, *, n_tokens: int, max_tokens: int, pad: int, dropout: float, causal: bool) -> Any:
    """Return an untrained BERT, or GPT if `causal`.

    Raises
    ------
    EncoderError
        There is no such size.
    """
    from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

    if size not in SIZES:
        remedy = f"choose {', '.join(SIZES)}"
        raise EncoderError("no such size", column="--from-scratch", value=size, remedy=remedy)
    layers, width, heads = SIZES[size]
    model: Any
    if causal:
        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=n_tokens,
                n_positions=max_tokens,
                n_embd=width,
                n_layer=layers,
                n_head=heads,
                resid_pdrop=dropout,
                embd_pdrop=dropout,
                attn_pdrop=0.0,
                bos_token_id=2,
                eos_token_id=3,
                pad_token_id=pad,
            )
        )
    else:
        model = BertForMaskedLM(
            BertConfig(
                vocab_size=n_tokens,
                max_position_embeddings=max_tokens,
                hidden_size=width,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                intermediate_size=4 * width,
                hidden_dropout_prob=dropout,
                attention_probs_dropout_prob=0.0,
                pad_token_id=pad,
            )
        )
    model.set_attn_implementation(attention())
    return model


def from_folder(folder: Path, *, n_tokens: int, causal: bool) -> Any:
    """Return the model of a local folder with its language-modelling head, a new one where it has none.

    Raises
    ------
    EncoderError
        It holds no such model, or its tokenizer is another model's.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

    kind: Any = AutoModelForCausalLM if causal else AutoModelForMaskedLM
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        keep_all_attention(config)
        model = kind.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation=attention(),
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        objective = "causal" if causal else "mlm"
        raise EncoderError(
            f"checkpoint is of another architecture, or not whole ({type(error).__name__})",
            file=str(folder),
            remedy=f"give a folder that {objective} can go on from, with config.json and model.safetensors",
        ) from error
    check_vocabulary(folder, n_tokens=n_tokens, n_rows=model.get_input_embeddings().num_embeddings)
    return model


def check_vocabulary(folder: Path, *, n_tokens: int, n_rows: int) -> None:
    """Raise `EncoderError` where a tokenizer has tokens that the model has no vector for."""
    if n_tokens > n_rows:
        raise EncoderError(
            "tokenizer doesn't match the model",
            file=str(folder),
            value=f"{n_tokens} tokens, {n_rows} vectors",
            remedy="copy tokenizer.json of the very model into its folder",
        )


def attention() -> str:
    """Return the quickest way of attention: short rows on a CPU are quicker without the fused one."""
    return "sdpa" if torch.cuda.is_available() else "eager"


def keep_all_attention(config: Any) -> None:
    """Leave nothing of the attention out while learning, in the settings of a model of transformers.

    To draw what is left out, for each pair of tokens, is slow on a CPU: it draws one number after the other.
    """
    for name in ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop"):
        if hasattr(config, name):
            setattr(config, name, 0.0)


def _has_types(model: Any) -> bool:
    return int(getattr(model.config, "type_vocab_size", 0) or 0) > 1

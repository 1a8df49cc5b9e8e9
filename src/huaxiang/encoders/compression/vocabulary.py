"""Tokens that a shop's texts never use, dropped from the tokenizer and from the embedding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.fit import token_ids
from huaxiang.errors import EncoderError

_ONE_TOKEN = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def trim(network: Any, tokenizer: Any, texts: Sequence[str], *, max_tokens: int, fewest: int = 1) -> Any:
    """Drop from a network, in place, the tokens that are rare in the texts; return the tokenizer of the rest.

    What is made of kept tokens is read as before, in the same tokens, with the same outputs.

    Parameters
    ----------
    network
        A `TextNetwork`.
    fewest
        How often a token must occur to be kept; ≥ 1.

    Raises
    ------
    EncoderError
        The tokenizer is of a kind that can't be trimmed.
    """
    kept = tokens_used(tokenizer, texts, max_tokens=max_tokens, fewest=fewest)
    trimmed, old_V = trimmed_tokenizer(tokenizer, kept)
    _trim_embedding(network.model, old_V)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        _renumber(network.model.config, name, old_V)
    return trimmed


def tokens_used(tokenizer: Any, texts: Sequence[str], *, max_tokens: int, fewest: int = 1) -> set[str]:
    """Return the tokens that occur so often in the texts, as they are cut in training."""
    n_ids = max(tokenizer.get_vocab().values()) + 1
    counts_V = np.zeros(n_ids, np.int64)
    for ids in token_ids(texts, tokenizer, max_tokens=max_tokens):
        counts_V += np.bincount(ids, minlength=n_ids)
    return {token for token, at in tokenizer.get_vocab().items() if counts_V[at] >= fewest}


def trimmed_tokenizer(tokenizer: Any, kept: set[str]) -> tuple[Any, NDArray[np.int64]]:
    """Return a tokenizer of these tokens and its marks, and for each new id the old one, (V,).

    Raises
    ------
    EncoderError
        Its model is none of BPE, WordPiece, WordLevel and Unigram.
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    said = json.loads(tokenizer.backend_tokenizer.to_str())
    old_ids = tokenizer.get_vocab()
    kept = kept | {token["content"] for token in said["added_tokens"]} | _needed(said["model"])
    if said["model"]["type"] == "BPE":
        kept = _with_parts(said["model"]["merges"], kept)
    order = sorted((token for token in old_ids if token in kept), key=lambda token: old_ids[token])
    new_ids = {token: at for at, token in enumerate(order)}
    _keep_in_model(said["model"], new_ids)
    for token in said["added_tokens"]:
        token["id"] = new_ids[token["content"]]
    _renumber_marks(said, {old_ids[token]: at for token, at in new_ids.items()})
    marks = {name: getattr(tokenizer, name) for name in _ONE_TOKEN if getattr(tokenizer, name, None)}
    kind: Any = PreTrainedTokenizerFast
    made = kind(
        tokenizer_object=Tokenizer.from_str(json.dumps(said)),
        model_max_length=tokenizer.model_max_length,
        **marks,
    )
    return made, np.array([old_ids[token] for token in order], np.int64)


def _needed(model: dict[str, Any]) -> set[str]:
    """Return what a tokenizer can't do without: its unknown token, or else its single letters or bytes."""
    if model["type"] == "Unigram":
        unknown = model.get("unk_id")
        return {model["vocab"][unknown][0]} if unknown is not None else set()
    vocabulary: set[str] = set(model.get("vocab", ()))
    needed = {token for token in vocabulary if token == model.get("unk_token")}
    if not needed or model.get("byte_fallback"):
        needed |= {token for token in vocabulary if len(token) == 1 or token.startswith("<0x")}
    return needed


def _pairs(merges: Iterable[Any]) -> list[tuple[str, str]]:
    """Return the two parts of each merge, however the file writes them."""
    parts = [merge.split(" ") if isinstance(merge, str) else merge for merge in merges]
    return [(left, right) for left, right in parts]


def _with_parts(merges: Iterable[Any], kept: set[str]) -> set[str]:
    """Return the tokens and all that they are merged from, else they would never come about.

    Examples
    --------
    >>> sorted(_with_parts([("a", "b"), ("ab", "c"), ("x", "y")], {"abc"}))
    ['a', 'ab', 'abc', 'b', 'c']
    """
    made_of: dict[str, set[str]] = {}
    for left, right in _pairs(merges):
        made_of.setdefault(left + right, set()).update((left, right))
    found, open_ = set(kept), list(kept)
    while open_:
        for part in made_of.get(open_.pop(), ()):
            if part not in found:
                found.add(part)
                open_.append(part)
    return found


def _keep_in_model(model: dict[str, Any], new_ids: dict[str, int]) -> None:
    kind = model["type"]
    if kind == "Unigram":
        unknown = model.get("unk_id")
        name = model["vocab"][unknown][0] if unknown is not None else None
        model["vocab"] = [entry for entry in model["vocab"] if entry[0] in new_ids]
        places = {entry[0]: at for at, entry in enumerate(model["vocab"])}
        model["unk_id"] = places[name] if name is not None else None
    elif kind in ("BPE", "WordPiece", "WordLevel"):
        model["vocab"] = {token: new_ids[token] for token in model["vocab"] if token in new_ids}
    else:
        remedy = "leave --trim-vocabulary away"
        raise EncoderError("tokenizer can't be trimmed", value=str(kind), remedy=remedy)
    if kind == "BPE":
        pairs = _pairs(model["merges"])
        model["merges"] = [
            [left, right]
            for left, right in pairs
            if left in new_ids and right in new_ids and left + right in new_ids
        ]


def _renumber_marks(said: Any, new_of: dict[int, int]) -> None:
    """Put new ids wherever the description of a tokenizer names the marks by number."""
    if isinstance(said.get("padding"), dict):
        said["padding"]["pad_id"] = new_of.get(said["padding"]["pad_id"], 0)
    for processor in _processors(said.get("post_processor")):
        if processor["type"] == "TemplateProcessing":
            for mark in processor["special_tokens"].values():
                mark["ids"] = [new_of[at] for at in mark["ids"]]
        elif processor["type"] in ("BertProcessing", "RobertaProcessing"):
            for name in ("sep", "cls"):
                token, at = processor[name]
                processor[name] = [token, new_of[at]]


def _processors(processor: Any) -> list[Any]:
    if processor is None:
        return []
    if processor["type"] == "Sequence":
        return [part for inner in processor["processors"] for part in _processors(inner)]
    return [processor]


def _trim_embedding(model: Any, old_V: NDArray[np.int64]) -> None:
    import torch
    from torch import nn

    before = model.get_input_embeddings()
    pad = before.padding_idx
    after = nn.Embedding(len(old_V), before.embedding_dim, padding_idx=_new_id(pad, old_V))
    with torch.no_grad():
        after.weight.copy_(before.weight[torch.from_numpy(old_V)])
    model.set_input_embeddings(after.to(before.weight.device))
    model.config.vocab_size = len(old_V)


def _renumber(config: Any, name: str, old_V: NDArray[np.int64]) -> None:
    new = _new_id(getattr(config, name, None), old_V)
    if new is not None:
        setattr(config, name, new)


def _new_id(old: object, old_V: NDArray[np.int64]) -> int | None:
    places = np.flatnonzero(old_V == old) if isinstance(old, int) else np.zeros(0)
    return int(places[0]) if len(places) else None

"""How well photos nobody learnt from are told and found."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from huaxiang.encoders.base import Progress
from huaxiang.encoders.pretraining.photo_lesson import PhotoLesson, PhotoNetwork, Rows
from huaxiang.encoders.pretraining.photo_tags import probabilities, tag_figures
from huaxiang.encoders.pretraining.photo_text import one_of_each, retrieval_figures
from huaxiang.encoders.pretraining.photo_words import Words
from huaxiang.records import Matrix

BATCH = 128
BEST = "quality"
"""By this the weights to keep are chosen: the mean of `tags_map` and `recall@10`, or the one there is."""


def photo_figures(
    network: PhotoNetwork,
    lesson: PhotoLesson,
    rows: Rows,
    *,
    most_found: int,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Return the figures of some products' photos; call it in evaluation mode, without gradients.

    Parameters
    ----------
    most_found
        Products with different texts that are looked for among each other at most.
    """
    told = _told(network, lesson, rows, progress)
    figures: dict[str, float] = {"loss": float(np.average(told["loss"], weights=told["size"]))}
    if lesson.vocabulary is not None:
        likely = probabilities(told["logits"], lesson.vocabulary)
        figures |= tag_figures(likely, [lesson.stated[row] for row in rows], lesson.vocabulary)
    if lesson.words is not None:
        chosen = one_of_each(lesson.words.first(rows), most=most_found)
        figures |= retrieval_figures(told["photos"][chosen], told["texts"][chosen])
        figures |= _by_language(network, lesson.words, rows, told["photos"], most_found=most_found)
    main = [figures[name] for name in ("tags_map", "recall@10") if name in figures]
    return {BEST: float(np.mean(main)), **figures, "n_products": float(len(rows))}


def watched(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the few figures that are worth a curve.

    Examples
    --------
    >>> watched({"quality": 0.5, "colour_accuracy": 0.4, "colour_macro_f1": 0.2, "n_products": 9})
    {'quality': 0.5, 'colour_accuracy': 0.4}
    """
    return {
        name: value
        for name, value in figures.items()
        if name in (BEST, "loss", "tags_map", "recall@10") or name.endswith("_accuracy")
    }


def _told(
    network: PhotoNetwork, lesson: PhotoLesson, rows: Rows, progress: Progress | None
) -> Mapping[str, NDArray[np.float32]]:
    """Return what the network says of each photo, batch by batch."""
    device = next(network.parameters()).device
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for start in range(0, len(rows), BATCH):
        batch = {name: value.to(device) for name, value in lesson.plain(rows[start : start + BATCH]).items()}
        size = len(batch["pixels"])
        for name, value in _said(network, batch).items():
            parts.setdefault(name, []).append(value.float().cpu().numpy())
        parts.setdefault("size", []).append(np.array([size], np.float32))
        if progress is not None:
            progress(min(start + BATCH, len(rows)), len(rows), "photos asked")
    return {name: np.concatenate(values) for name, values in parts.items()}


def _by_language(
    network: PhotoNetwork, words: Words, rows: Rows, photos_ND: Matrix, *, most_found: int
) -> dict[str, float]:
    """Return how often texts of each language find their photo and are found, where there are several."""
    figures: dict[str, float] = {}
    for language, place_N in zip(words.languages, words.place_LN, strict=True):
        said_in = np.flatnonzero(place_N[rows] >= 0)
        if len(words.languages) > 1 and len(said_in):
            chosen = said_in[one_of_each(place_N[rows[said_in]], most=most_found)]
            texts_ND = _text_vectors(network, words, place_N[rows[chosen]])
            figures[f"recall@10_{language}"] = retrieval_figures(photos_ND[chosen], texts_ND)["recall@10"]
    return figures


def _text_vectors(network: PhotoNetwork, words: Words, places_N: Rows) -> Matrix:
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(places_N), BATCH):
        given = words.inputs(places_N[start : start + BATCH])
        del given["same"]
        vectors = network.text_vectors(**{name: value.to(device) for name, value in given.items()})
        parts.append(vectors.float().cpu().numpy())
    return np.concatenate(parts)


def _said(network: PhotoNetwork, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    features = network.features(batch["pixels"])
    said: dict[str, torch.Tensor] = {}
    loss = features.new_zeros(())
    if "tags" in batch:
        said["logits"] = network.head["tags"](features)
        loss = loss + network.tag_weight * network.tag_loss(features, batch["tags"], batch["stated"])
    if "same" in batch:
        given = {name: batch[name] for name in ("texts", "input_ids", "attention_mask") if name in batch}
        said["photos"], said["texts"] = network.photo_vectors(features), network.text_vectors(**given)
        loss = loss + network.head["pairs"](said["photos"], said["texts"], batch["same"])
    return said | {"loss": loss[None]}

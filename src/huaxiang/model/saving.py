"""A model as the files of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file

from huaxiang.config import settings_toml
from huaxiang.knowledge.graph.stored import save_graph
from huaxiang.model.search_relevance import RELEVANCE
from huaxiang.profile.contents import Contents
from huaxiang.shop.stored import save_shop

if TYPE_CHECKING:
    from huaxiang.model.whole import Model


def save(model: Model, folder: Path) -> None:
    """Write every part of a model into a folder; `loading.load` reads it back."""
    save_shop(model.shop, folder)
    (folder / "settings.toml").write_text(settings_toml(model.settings), encoding="utf-8")
    model.states.save(folder / "states.parquet")
    model.population.save(folder / "population")
    model.reference.save(folder / "population")
    save_file(
        {name: np.ascontiguousarray(rows) for name, rows in model.vectors.items()},
        _made(folder / "vectors") / "items.safetensors",
    )
    save_file({"popularity": model.popularity}, folder / "vectors" / "popularity.safetensors")
    save_file(_content_vectors(model.contents), folder / "vectors" / "contents.safetensors")
    save_graph(model.graph.together, model.graph_view, folder / "graph")
    model.fusion.save(_made(folder / "fusion"))
    model.text_encoder.save(_made(folder / "encoders" / "text"))
    if model.image_encoder is not None:
        model.image_encoder.save(_made(folder / "encoders" / "image"))
    model.recommenders.save(_made(folder / "recommender"))
    model.index.save(folder / "index.faiss")
    model.search_index.save(_made(folder / "search"))
    if model.relevance is not None:
        model.relevance.save(folder / RELEVANCE)
    if model.trial is not None:
        model.trial.ensembles.save(_made(folder / "heldout"))


def _content_vectors(contents: Contents) -> dict[str, Any]:
    numbers = [
        number for number in (*contents.texts, *contents.images) if contents.vector(number) is not None
    ]
    vectors = [vector for number in numbers if (vector := contents.vector(number)) is not None]
    return {
        "contents": np.array(numbers, dtype=np.int64),
        "vectors": np.stack(vectors) if vectors else np.zeros((0, 0), dtype=np.float32),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""A model from the files of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load_file

from huaxiang.config import read_settings
from huaxiang.encoders import load_text_encoder
from huaxiang.encoders.image import OnnxImageEncoder
from huaxiang.errors import ArtefactError
from huaxiang.evaluate.trial import Ensembles
from huaxiang.fusion import load as load_fusion
from huaxiang.knowledge.graph.stored import load_graph
from huaxiang.model.search_relevance import RELEVANCE, SearchRelevance
from huaxiang.model.whole import Model
from huaxiang.profile.contents import Contents
from huaxiang.profile.population import Population
from huaxiang.profile.reference import Reference
from huaxiang.profile.states import States
from huaxiang.recommend.similar import SimilarItems
from huaxiang.runs import read_manifest
from huaxiang.search.index import SearchIndex
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.stored import load_shop


def load(folder: str | Path) -> Model:
    """Return the model of a run; needs neither torch nor the shop's own files.

    Raises
    ------
    ArtefactError
        There is no complete run, a part is truncated, or it was made by a newer version.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    shop = load_shop(folder)
    catalogue = build_catalogue(shop)
    contents = Contents.of_events(shop.events)
    spoken = _read_arrays(folder / "vectors" / "contents.safetensors")
    contents.add_vectors(spoken["contents"].tolist(), spoken["vectors"])
    has_photos = (folder / "encoders" / "image").exists()
    together, graph_view = load_graph(folder / "graph")
    model = Model(
        name=manifest["name"],
        settings=read_settings(folder / "settings.toml"),
        shop=shop,
        catalogue=catalogue,
        states=States.load(folder / "states.parquet"),
        contents=contents,
        population=Population.load(folder / "population", catalogue),
        reference=Reference.load(folder / "population"),
        vectors=_read_arrays(folder / "vectors" / "items.safetensors"),
        fusion=load_fusion(folder / "fusion"),
        recommenders=Ensembles.load(folder / "recommender"),
        text_encoder=load_text_encoder(folder / "encoders" / "text"),
        image_encoder=OnnxImageEncoder(folder / "encoders" / "image") if has_photos else None,
        together=together,
        graph_view=graph_view,
    )
    model.__dict__["index"] = SimilarItems.load(folder / "index.faiss")
    if (
        folder / "search"
    ).exists():  # a run of an earlier release has none: it is made when it is first needed
        model.__dict__["search_index"] = SearchIndex.load(folder / "search")
    if model.settings.search.relevance:
        model.__dict__["relevance"] = SearchRelevance.of(folder / RELEVANCE, model)
    model.__dict__["popularity"] = _read_arrays(folder / "vectors" / "popularity.safetensors")["popularity"]
    return model


def _read_arrays(file: Path) -> dict[str, Any]:
    try:
        return dict(load_file(file))
    except (OSError, SafetensorError) as error:
        raise ArtefactError("vectors can't be read", file=str(file), remedy="build the run again") from error

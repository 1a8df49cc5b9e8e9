"""Fits one model of the package `implicit` and lists items; run by `peers_amazon.py` in the peers' own venv.

    python implicit_lists.py FOLDER '{"method": "als", "factors": 64}'

`FOLDER` has `training.*.npy`, from which the model learns, and `histories.*.npy`, for which it lists: rows of
items and offsets of shoppers. Written into it are `top.npy`, item rows best first, and `cost.json`.
"""

import json
import sys
import time
from pathlib import Path

import implicit.als
import implicit.nearest_neighbours
import numpy as np
from scipy.sparse import csr_matrix

KNN = {
    "cosine": implicit.nearest_neighbours.CosineRecommender,
    "tfidf": implicit.nearest_neighbours.TFIDFRecommender,
    "bm25": implicit.nearest_neighbours.BM25Recommender,
}


def bought(folder: Path, name: str, n_items: int) -> csr_matrix:
    """Return which items each shopper has had, (U, I)."""
    offsets = np.load(folder / f"{name}.offsets.npy")
    items = np.load(folder / f"{name}.items.npy")
    ones = np.ones(len(items), dtype=np.float32)
    return csr_matrix((ones, items, offsets), shape=(len(offsets) - 1, n_items))


def model_of(asked: dict, seed: int):
    """Return the model asked for, yet to be fitted."""
    settings = {name: value for name, value in asked.items() if name != "method"}
    if asked["method"] == "als":
        return implicit.als.AlternatingLeastSquares(**settings, random_state=seed)
    return KNN[asked["method"]](**settings)


def main() -> None:
    """Fit, list, and write the lists with what they cost."""
    folder, asked, seed = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
    n_items, n_listed = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))
    training, histories = (bought(folder, name, n_items) for name in ("training", "histories"))
    model = model_of(asked, seed)
    began, began_cpu = time.perf_counter(), time.process_time()
    model.fit(training, show_progress=False)
    fitted, fitted_cpu = time.perf_counter(), time.process_time()
    more = {"recalculate_user": True} if asked["method"] == "als" else {}
    shoppers = np.arange(histories.shape[0])
    top_UK, scores_UK = model.recommend(
        shoppers, histories, N=n_listed, filter_already_liked_items=True, **more
    )
    # Fillers, where a model can list no more, are given the lowest score.
    top_UK = np.where(scores_UK > np.finfo(np.float32).min, top_UK, -1)
    cost = {
        "train_s": fitted - began,
        "train_cpu_s": fitted_cpu - began_cpu,
        "rank_s": time.perf_counter() - fitted,
        "rank_cpu_s": time.process_time() - fitted_cpu,
    }
    np.save(folder / "top.npy", top_UK.astype(np.int32), allow_pickle=False)
    (folder / "cost.json").write_text(json.dumps(cost), encoding="utf-8")


if __name__ == "__main__":
    main()

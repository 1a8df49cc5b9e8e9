"""Fits a transformer of the package `RecTools` and lists items; run by `peers_amazon.py` in its own venv.

    python rectools_lists.py FOLDER '{"layers": "ligr", "n_factors": 128, "loss": "sampled_softmax"}' SEED

`FOLDER` has `training.*.npy`, from which the model learns, `validation.*.npy` with
`validation.wanted.npy`, on which it is looked at after each epoch, and `histories.*.npy`, for which it
lists: rows of items and offsets of shoppers. It stops when no epoch in `patience` was better, or after
`minutes` of fitting by the clock. Written into it are `top.npy`, item rows of the best epoch, best first
and -1 where there are fewer, and `cost.json` with the NDCG@10 and the seconds at each epoch.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from pytorch_lightning import Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.item_net import IdEmbeddingsItemNet
from rectools.models.nn.transformers.ligr import LiGRLayers
from rectools.models.nn.transformers.sasrec import SASRecTransformerLayers

LAYERS = {"sasrec": SASRecTransformerLayers, "ligr": LiGRLayers}
K = 10
EPOCHS = 200


def trainer() -> Trainer:
    """Return a loop that writes nothing."""
    return Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def dataset(folder: Path, name: str) -> Dataset:
    """Return what each shopper had, oldest first."""
    offsets, items = (np.load(folder / f"{name}.{part}.npy") for part in ("offsets", "items"))
    return Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)),
                Columns.Item: items,
                Columns.Weight: 1.0,
                Columns.Datetime: pd.Timestamp("2000-01-01")
                + pd.to_timedelta(np.arange(len(items)), unit="s"),
            }
        )
    )


def lists(model: SASRecModel, known: Dataset, n_shoppers: int, k: int) -> np.ndarray:
    """Return the best items of each shopper that they have not had, (U, k)."""
    told = model.recommend(known.user_id_map.external_ids, known, k=k, filter_viewed=True)
    top_UK = np.full((n_shoppers, k), -1, dtype=np.int32)
    rows, ranks = told[Columns.User].to_numpy(int), told[Columns.Rank].to_numpy(int)
    top_UK[rows, ranks - 1] = told[Columns.Item].to_numpy(np.int32)
    return top_UK


def main() -> None:
    """Fit, list, and write the lists with what they cost."""
    warnings.simplefilter("ignore")
    folder, asked, seed = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
    n_listed = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))[1]
    layers, patience, limit_s = LAYERS[asked.pop("layers")], asked.pop("patience"), 60 * asked.pop("minutes")
    seed_everything(seed, verbose=False)
    model = SASRecModel(
        **asked,
        transformer_layers_type=layers,
        item_net_block_types=(IdEmbeddingsItemNet,),
        deterministic=True,
        get_trainer_func=trainer,
    )
    training, validation, test = (dataset(folder, name) for name in ("training", "validation", "histories"))
    wanted_U = np.load(folder / "validation.wanted.npy")
    n_test = len(np.load(folder / "histories.offsets.npy")) - 1
    looks, best, best_epoch, top_UK, rank = [], -1.0, 0, None, {}
    train_s = train_cpu_s = 0.0
    while len(looks) < EPOCHS and len(looks) - best_epoch < patience and train_s < limit_s:
        began, began_cpu = time.perf_counter(), time.process_time()
        model.fit_partial(training, min_epochs=1, max_epochs=1)
        train_s += time.perf_counter() - began
        train_cpu_s += time.process_time() - began_cpu
        hits_UK = lists(model, validation, len(wanted_U), K) == wanted_U[:, None]
        ndcg = float((hits_UK / np.log2(np.arange(2, K + 2))).sum(axis=1).mean())
        looks.append({"ndcg": ndcg, "train_s": train_s, "train_cpu_s": train_cpu_s})
        print(f"epoch {len(looks)}: validation NDCG@10 {ndcg:.4f}, {train_cpu_s:.0f} CPU-s", file=sys.stderr)
        if ndcg > best:
            best, best_epoch = ndcg, len(looks)
            began, began_cpu = time.perf_counter(), time.process_time()
            top_UK = lists(model, test, n_test, n_listed)
            rank = {
                "rank_s": time.perf_counter() - began,
                "rank_cpu_s": time.process_time() - began_cpu,
            }
    np.save(folder / "top.npy", top_UK, allow_pickle=False)
    cost = {"train_s": train_s, "train_cpu_s": train_cpu_s, **rank, "looks": looks}
    (folder / "cost.json").write_text(json.dumps(cost), encoding="utf-8")


if __name__ == "__main__":
    main()

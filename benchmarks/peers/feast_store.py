"""Feast, in its own environment: fill an online store with shoppers' facets, or read them in process.

python feast_store.py fill FOLDER         FOLDER/facets.json goes into the store of FOLDER/feature_store.yaml
python feast_store.py read FOLDER         each line of shoppers' ids is answered by a line of seconds
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Float64, Int64, String

KINDS = {
    "dimension": Array(String),
    "value": Array(String),
    "side": Array(String),
    "share": Array(Float64),
    "lift": Array(Float64),
    "confidence": Array(Float64),
    "last_seen": Array(String),
    "source": Array(String),
    "n_events": Int64,
}


def fill(folder: Path) -> None:
    """Define the features and write them."""
    table = pd.DataFrame(json.loads((folder / "facets.json").read_text()))
    table["moment"] = datetime.now(UTC)
    file = folder / "facets.parquet"
    table.head(1).to_parquet(file)  # Feast wants a source; what is served is written below
    shopper = Entity(name="shopper", join_keys=["shopper_id"], value_type=ValueType.STRING)
    view = FeatureView(
        name="facets",
        entities=[shopper],
        ttl=timedelta(days=365),
        schema=[Field(name=name, dtype=kind) for name, kind in KINDS.items()],
        source=FileSource(path=str(file), timestamp_field="moment"),
    )
    store = FeatureStore(repo_path=str(folder))
    store.apply([shopper, view])
    store.write_to_online_store("facets", table)


def read(folder: Path) -> None:
    """Answer for ever: a line of ids, a line of how long each took."""
    store = FeatureStore(repo_path=str(folder))
    features = [f"facets:{name}" for name in KINDS]
    for line in sys.stdin:
        seconds = []
        for shopper_id in json.loads(line):
            started = time.perf_counter()
            answer = store.get_online_features(features, [{"shopper_id": shopper_id}]).to_dict()
            seconds.append(time.perf_counter() - started)
            assert answer["n_events"][0], shopper_id
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    {"fill": fill, "read": read}[sys.argv[1]](Path(sys.argv[2]).absolute())

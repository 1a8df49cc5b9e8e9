"""How well a small model finds the aspects that reviews speak of, and tells how each is judged.

    python benchmarks/review_aspects.py --data ../shared/data/reviews --out models/aspects

SemEval-2014 task 4 (laptops, restaurants; training part, a fifth of the sentences held out by the hash of
their letters) and MAMS (its own parts). F1 counts terms with exactly the same ends; accuracy is of judging
the terms that are given, without those marked as praised and blamed at once. Sentences whose letters occur
in a held-out part are left out of training. Beside them the network learns from 1,500 sentences of MAMS and
from ACOS laptops, whose terms are marked by another scheme, in the first two of five epochs. Wanted: laptops
F1 ≥ .80 and accuracy ≥ .77, restaurants ≥ .85 and ≥ .83.

`--model` takes any text model by name or folder: a larger one is the way to the figures of large models.
`--networks` teaches several with as many seeds and takes their mean, as one model of all their parameters.
`--weights` measures weights that were kept beside the model (`network-SEED.pt`) without teaching anew.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import torch

from huaxiang.cli.pretraining import source_folder
from huaxiang.reviews.teaching import (
    AspectEnsemble,
    AspectNetwork,
    Marked,
    TeachConfig,
    figures,
    read_source,
    rows_of,
    teach,
    write_aspects,
)

POLARITY = {"positive": 1, "negative": -1, "neutral": 0, "conflict": None}
ACOS_POLARITY = {"0": "negative", "1": "neutral", "2": "positive"}
N_MAMS = 1500
Sets = dict[str, list[Marked]]


def marked(file: Path) -> list[Marked]:
    """Return the sentences of a file as SemEval writes it."""
    found = []
    for sentence in ET.fromstring(gzip.open(file).read()).iter("sentence"):
        terms = tuple(
            (int(one.get("from", 0)), int(one.get("to", 0)), POLARITY[one.get("polarity", "")])
            for one in sentence.iter("aspectTerm")
        )
        found.append(Marked(sentence.findtext("text") or "", terms))
    return found


def quads(file: Path) -> list[Marked]:
    """Return the sentences of a file as ACOS writes it: tokens, then the tokens of each aspect."""
    found = []
    for line in gzip.open(file, "rt", encoding="utf-8"):
        text, *said = line.rstrip("\n").split("\t")
        starts = np.cumsum([0, *(len(word) + 1 for word in text.split(" "))]).tolist()
        terms: dict[tuple[int, int], str] = {}
        for one in said:
            place, _, polarity, _ = one.split(" ")
            first, last = map(int, place.split(","))
            if first >= 0:
                span = (starts[first], starts[last] - 1)
                named = ACOS_POLARITY[polarity]
                terms[span] = named if terms.get(span, named) == named else "conflict"
        found.append(Marked(text, tuple((*span, POLARITY[named]) for span, named in terms.items()), True))
    return found


def letters(text: str) -> str:
    """Return what makes two sentences the same."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def is_held_out(text: str) -> bool:
    """Return whether a sentence is one of the fifth that is measured on."""
    return int(hashlib.sha256(letters(text).encode()).hexdigest(), 16) % 5 == 0


def read_sets(data: Path) -> tuple[Sets, Sets]:
    """Return what is learnt from and what is measured on."""
    whole = {
        "laptops": marked(data / "semeval14/Laptops_Train_v2.xml.gz"),
        "restaurants": marked(data / "semeval14/Restaurants_Train_v2.xml.gz"),
    }
    held = {name: [one for one in rows if is_held_out(one.text)] for name, rows in whole.items()}
    held["mams"] = marked(data / "mams/MAMS-ATSA_val.xml.gz")
    whole["acos"] = quads(data / "acos/laptop_quad_train.tsv.gz")
    whole["mams"] = marked(data / "mams/MAMS-ATSA_train.xml.gz")
    seen = {letters(one.text) for rows in held.values() for one in rows}
    taught = {name: [one for one in rows if letters(one.text) not in seen] for name, rows in whole.items()}
    return taught, held


def options() -> argparse.Namespace:
    """Return what was asked."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--model", default="minilm")
    asked.add_argument("--epochs", type=int, default=5)
    asked.add_argument("--learning-rate", type=float, default=2e-4)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--limit", type=int, help="sentences of each part, for a quick look")
    asked.add_argument("--networks", type=int, default=1)
    asked.add_argument("--weights", type=Path, nargs="+", default=[])
    return asked.parse_args()


def main() -> None:
    """Teach, measure, write the model and its figures."""
    given = options()
    torch.set_num_threads(given.threads)
    wide = min(2, given.epochs)
    config = TeachConfig(epochs=given.epochs, wide_epochs=wide, learning_rate=given.learning_rate)
    source = source_folder(given.model)
    _, tokenizer = read_source(source)
    rows, measured = (
        {
            name: rows_of(part[: given.limit], tokenizer, max_tokens=config.max_tokens)
            for name, part in sets.items()
        }
        for sets in read_sets(given.data)
    )

    def look(epoch: int, network: AspectNetwork) -> None:
        seen = {name: figures(network, measured[name]) for name in ("laptops", "restaurants")}
        print(epoch, seen, flush=True)

    started, cpu = time.perf_counter(), time.process_time()
    near = rows["laptops"] + rows["restaurants"]
    far = rows["acos"] + rows["mams"][:N_MAMS]
    given.out.mkdir(parents=True, exist_ok=True)
    networks = []
    for file in given.weights:
        networks.append(AspectNetwork(read_source(source)[0]))
        networks[-1].load_state_dict(torch.load(file, weights_only=True))
    for seed in range(given.seed, given.seed + given.networks) if not networks else ():
        model, _ = read_source(source)
        networks.append(teach(near, far, model, config=config, seed=seed, after_epoch=look))
        torch.save(networks[-1].state_dict(), given.out / f"network-{seed}.pt")
    network = AspectEnsemble(networks)
    spent = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}
    found = {name: figures(network, part) for name, part in measured.items()}
    n_parameters = sum(weight.numel() for weight in network.parameters())
    about = {
        "figures": found,
        "n_parameters": n_parameters,
        "model": given.model,
        "seed": given.seed,
        "networks": len(networks),
        **spent,
    }
    print(json.dumps(about, indent=1))
    name = f"{given.model}-{given.seed}" + (f"-{len(networks)}" if len(networks) > 1 else "")
    write_aspects(network, tokenizer, given.out, name=name, about=about, max_tokens=config.max_tokens)


if __name__ == "__main__":
    main()

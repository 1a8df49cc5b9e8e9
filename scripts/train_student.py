"""Train the bilingual student that ships in `src/huaxiang/encoders/student/`.

    python scripts/train_student.py --taxonomy ../shared/data/shopify_taxonomy --cache /tmp/huaxiang

It learns to put a Chinese name where MiniLM puts its English one, from nine tenths of the names of the
taxonomy, from names put together ("red" + "dress"), and from our own lexicon; the other tenth is what
`benchmarks/chinese_names.py` asks. No text of the taxonomy is kept: only hashed n-grams, as numbers.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from parallel_names import HAN, Pair, Split, read_descriptions, read_pairs, split
from torch import nn
from torch.nn import functional

from huaxiang.encoders.cache import CachedEncoder, write_beside
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.ngrams import hashed_ngrams
from huaxiang.encoders.student import SHIPPED, StudentEncoder, student_file
from huaxiang.records import Matrix

LEXICON = Path(__file__).parents[1] / "src/huaxiang/shop/lexicon.toml"
LOOKS = ("color", "pattern", "material", "fabric", "target gender", "age group", "style", "theme", "season")
"""Attributes (by a word of their English name) whose values stand before a product's name in a title."""

Example = tuple[str, str]
"""Chinese, English."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """How the student is built and trained. What else was tried is said in its card."""

    seed: int = 7
    n_buckets: int = 65_536
    width: int = 128
    hidden: int = 512
    longest_ngram: int = 4
    epochs: int = 8
    batch: int = 512
    learning_rate: float = 4e-3
    ngram_dropout: float = 0.3
    """Share of n-grams hidden in each step, so that none is relied on alone."""
    temperature: float = 0.05
    n_titles: int = 24_000
    """Composed titles: a look and a category, from the taxonomy and from the lexicon."""


class Student(nn.Module):
    """The network of `huaxiang.encoders.student`, with a learnt weight per n-gram while it trains."""

    def __init__(self, config: Config, dimensions: int) -> None:
        super().__init__()
        self.rows = nn.EmbeddingBag(config.n_buckets, config.width, mode="sum")
        self.row_weight = nn.Embedding(config.n_buckets, 1)
        self.norm = nn.LayerNorm(config.width)
        self.hidden = nn.Linear(config.width, config.hidden)
        self.out = nn.Linear(config.hidden, dimensions)
        self.straight = nn.Linear(config.width, dimensions, bias=False)
        self.ngram_dropout = config.ngram_dropout
        nn.init.normal_(self.rows.weight, std=0.05)
        nn.init.zeros_(self.row_weight.weight)

    def forward(self, buckets: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of the bags that start at `offsets[:-1]`."""
        weights = self.row_weight(buckets).squeeze(-1).exp()
        if self.training:
            weights = weights * (torch.rand_like(weights) > self.ngram_dropout)
        counts = offsets.diff().clamp(min=1).sqrt()[:, None]
        bags = self.norm(self.rows(buckets, offsets[:-1], per_sample_weights=weights) / counts)
        hidden = functional.gelu(
            self.hidden(functional.dropout(bags, 0.1, self.training)), approximate="tanh"
        )
        return functional.normalize(self.straight(bags) + self.out(hidden), dim=-1)

    def arrays(self) -> dict[str, Matrix]:
        """Return the weights as `student_file` takes them."""
        rows = self.rows.weight * self.row_weight.weight.exp()
        tensors = {
            "rows": rows,
            "norm_gain": self.norm.weight,
            "norm_bias": self.norm.bias,
            "hidden": self.hidden.weight.T,
            "hidden_bias": self.hidden.bias,
            "out": self.out.weight.T,
            "straight": self.straight.weight.T,
            "bias": self.out.bias,
        }
        return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def examples(parts: Split, folder: Path, config: Config) -> list[Example]:
    """Return everything the student learns from; nothing in it is the Chinese text of a question."""
    asked = {chinese for chinese, _ in parts.questions}
    names = sorted({(pair.chinese, pair.english) for pair in parts.train})
    described = read_descriptions(folder)
    train_ids = {pair.gid for pair in parts.train}
    descriptions = [both for gid, both in described.items() if gid in train_ids]
    words = [example for ways in lexicon().values() for example in ways]
    rng = np.random.default_rng(config.seed)
    titles = composed(parts.train, n=config.n_titles, rng=rng)
    found = names + descriptions + under_parents(parts.train, asked) + titles + 3 * words
    return [example for example in found if example[0] not in asked]


def under_parents(pairs: Sequence[Pair], asked: Container[str]) -> list[Example]:
    """Return categories after the name of the one above, 鞋 跑步鞋: unless that one is asked for."""
    found = set()
    for pair in pairs:
        chinese, english = (path.lower().split(" > ")[-2:] for path in pair[4:6])
        if pair.kind == "categories" and len(chinese) == len(english) == 2 and chinese[0] not in asked:
            found.add((" ".join(chinese), " ".join(english)))
    return sorted(found)


def lexicon() -> dict[str, list[Example]]:
    """Return dimension → our own words: each Chinese word with the first English one."""
    with LEXICON.open("rb") as file:
        dimensions = tomllib.load(file)
    return {
        dimension: [
            (chinese.lower(), ways["en"][0].lower()) for ways in values.values() for chinese in ways["zh"]
        ]
        for dimension, values in dimensions.items()
        if all(isinstance(ways, dict) and {"en", "zh"} <= ways.keys() for ways in values.values())
    }


def composed(pairs: Sequence[Pair], *, n: int, rng: np.random.Generator) -> list[Example]:
    """Return product titles: one or two looks before a category, as Chinese and English both do.

    Half are from the taxonomy, half from the lexicon.
    """
    values = [pair for pair in pairs if pair.kind == "attribute_values" and HAN.search(pair.chinese)]
    looks = [p[2:4] for p in values if any(look in p.english_context.lower() for look in LOOKS)]
    products = [pair[2:4] for pair in pairs if pair.kind == "categories" and len(pair.chinese) <= 8]
    ours = lexicon()
    our_products = ours["category"]
    our_looks = [ours[name] for name in ("colour", "material", "style")]
    titles = [_title([_pick(looks, rng)], _pick(products, rng), rng) for _ in range(n // 2)]
    for _ in range(n // 2):
        kinds = rng.permutation(len(our_looks))[: rng.integers(1, 3)]
        titles.append(_title([_pick(our_looks[kind], rng) for kind in kinds], _pick(our_products, rng), rng))
    return titles


def _pick(options: Sequence[Example], rng: np.random.Generator) -> Example:
    return options[rng.integers(len(options))]


def _title(looks: Sequence[Example], product: Example, rng: np.random.Generator) -> Example:
    joint = str(rng.choice(["", "", "的", " "]))
    chinese = "".join(look[0] for look in looks) + joint + product[0]
    return chinese, " ".join([*(look[1] for look in looks), product[1]])


def student_of(file: Path, config: Config) -> Student:
    """Return a student that goes on from weights that were written."""
    shipped = StudentEncoder(file).weights
    student = Student(config, len(shipped["bias"]))
    kept = {
        "rows.weight": shipped["rows"] * shipped["scales"][:, None],
        "row_weight.weight": np.zeros((config.n_buckets, 1)),
        "norm.weight": shipped["norm_gain"],
        "norm.bias": shipped["norm_bias"],
        "hidden.weight": shipped["hidden"].T,
        "hidden.bias": shipped["hidden_bias"],
        "out.weight": shipped["out"].T,
        "out.bias": shipped["bias"],
        "straight.weight": shipped["straight"].T,
    }
    student.load_state_dict(
        {name: torch.from_numpy(np.array(array, np.float32)) for name, array in kept.items()}
    )
    return student


def train(
    found: Sequence[Example],
    targets: Matrix,
    config: Config,
    *,
    student: Student | None = None,
    after_epoch: Callable[[int, Student], None] | None = None,
) -> Student:
    """Return a student whose vectors of the Chinese texts lie near `targets`, and nearer than others.

    Loss: contrast with the other English texts of the batch, and ten times one minus the cosine.

    Parameters
    ----------
    student
        One to go on from; None begins a new one.
    after_epoch
        Called with the epoch's number and the student as it is then, to be read only.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    buckets, offsets = hashed_ngrams(
        [chinese for chinese, _ in found], n_buckets=config.n_buckets, longest=config.longest_ngram
    )
    _, english_rows = np.unique([english for _, english in found], return_inverse=True)
    student = Student(config, targets.shape[1]) if student is None else student
    optimiser = torch.optim.Adam(student.parameters(), lr=config.learning_rate, betas=(0.9, 0.98))
    n_steps = len(found) // config.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.epochs * n_steps + 1, pct_start=0.1
    )
    for epoch in range(config.epochs):
        order, total = rng.permutation(len(found)), 0.0
        for rows in np.array_split(order[: n_steps * config.batch], n_steps):
            vectors = student(*_bags(buckets, offsets, rows))
            loss = _loss(vectors, torch.from_numpy(targets[rows]), english_rows[rows], config.temperature)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        sys.stderr.write(f"epoch {epoch + 1} of {config.epochs}: loss {total / n_steps:.3f}\n")
        if after_epoch is not None:
            after_epoch(epoch + 1, student)
    return student.eval()


def _loss(
    vectors: torch.Tensor, targets: torch.Tensor, english_rows: NDArray[np.int64], temperature: float
) -> torch.Tensor:
    same = torch.from_numpy(english_rows[:, None] == english_rows[None])
    same.fill_diagonal_(False)
    scores = (vectors @ targets.T / temperature).masked_fill(same, -1e9)
    contrast = functional.cross_entropy(scores, torch.arange(len(targets)))
    return 0.5 * contrast + 5 * (1 - (vectors * targets).sum(1).mean())


def _bags(
    buckets: NDArray[np.int64], offsets: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[torch.Tensor, torch.Tensor]:
    starts, lengths = offsets[rows], offsets[rows + 1] - offsets[rows]
    ends = np.cumsum(lengths)
    places = np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1])
    return torch.from_numpy(buckets[places]), torch.from_numpy(np.concatenate([[0], ends]))


def main() -> None:
    """Train, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--taxonomy", type=Path, default=Path("../shared/data/shopify_taxonomy"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--out", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    config = Config()
    teacher = CachedEncoder(text_encoder("minilm", cache_folder=arguments.cache), arguments.cache / "vectors")
    found = examples(split(read_pairs(arguments.taxonomy)), arguments.taxonomy, config)
    sys.stderr.write(f"{len(found)} examples\n")
    targets = teacher.encode([english for _, english in found]).vectors_ID
    student = train(found, targets, config)
    settings = {
        "teacher": teacher.space,
        "data": "Shopify product taxonomy 2025-01, MIT",
        "config": repr(config),
    }
    write_beside(
        arguments.out, student_file(student.arrays(), longest_ngram=config.longest_ngram, settings=settings)
    )


if __name__ == "__main__":
    main()

"""Go on training the bilingual student on a shop's own parallel texts.

    python scripts/adapt_student.py --shop shops/demo --out models/demo-text [--taxonomy …] [--cache …]
    huaxiang build --shop shops/demo --text models/demo-text --out runs/demo

Needs a shop whose items are told in Chinese and in English. Products, with all their variants, are divided by
a hash of their id: seven tenths are learnt from, one decides when to stop, two are measured at the end. The
names of the taxonomy that the student was made from are repeated meanwhile, so that it doesn't forget them,
all but a tenth: the epochs taken are those after which the shop's own titles are found best among those
that cost no more than 1 % of that tenth. The taxonomy's own test tenth is measured once, at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl
from parallel_names import HAN, Pair, Split, measure, ranks, read_pairs, split
from train_student import Config, Example, Student, examples, student_of, train

from huaxiang.encoders.base import TextEncoder
from huaxiang.encoders.bilingual import BilingualEncoder
from huaxiang.encoders.cache import CachedEncoder
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.student import SHIPPED, WEIGHTS, StudentEncoder, student_file
from huaxiang.encoders.text import OnnxTextEncoder
from huaxiang.records import Matrix
from huaxiang.shop.read import read_shop

Part = Literal["train", "validation", "test"]
MOST_FORGOTTEN = 0.01
"""Share of the taxonomy's top-10 that may be lost."""
ADAPTING = Config(epochs=6, batch=256, learning_rate=1e-3, n_titles=6_000)
REPEATED = 3
"""Names of the taxonomy repeated in each epoch, for one text of the shop."""


class OwnTexts(NamedTuple):
    """A shop's texts in both languages: to learn from, and titles to ask for by part."""

    learnt: list[Example]
    asked: dict[Part, list[Example]]
    titles: list[str]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How well Chinese finds its English: the shop's titles, and the taxonomy's names."""

    shop_top1: float
    shop_top10: float
    shop_mrr: float
    names_top10: float

    def __str__(self) -> str:
        shop = f"shop top-1 {self.shop_top1:.3f}, top-10 {self.shop_top10:.3f}, MRR {self.shop_mrr:.3f}"
        return f"{shop}; taxonomy top-10 {self.names_top10:.3f}"


def own_texts(items: pl.DataFrame) -> OwnTexts:
    """Return a shop's parallel texts; variants of one product are in one part."""
    learnt: list[Example] = []
    asked: dict[Part, list[Example]] = {"train": [], "validation": [], "test": []}
    columns = ["item_id", "group_id", "title_zh", "title_en", "description_zh", "description_en"]
    for item_id, group_id, *texts in items.select(columns).iter_rows():
        chinese, english, *described = [(text or "").lower() for text in texts]
        if not (HAN.search(chinese) and english):
            continue
        part = part_of(group_id or item_id)
        asked[part].append((chinese, english))
        if part == "train":
            learnt += [(chinese, english), *([(described[0], described[1])] if all(described) else [])]
    return OwnTexts(learnt, asked, sorted({english for part in asked.values() for _, english in part}))


def part_of(product_id: str) -> Part:
    """Return where a product belongs: by its id alone, so that a rerun divides alike."""
    tenth = int.from_bytes(hashlib.blake2b(product_id.encode(), digest_size=8).digest(), "little") % 10
    return "train" if tenth < 7 else "validation" if tenth < 8 else "test"


def names_to_repeat(parts: Split, folder: Path) -> tuple[list[Example], Split]:
    """Return what the student is reminded of, and a tenth of the names it knows that are left out of it."""
    kept = [pair for pair in parts.train if not _is_watched(pair)]
    watched = [pair for pair in parts.train if _is_watched(pair) and HAN.search(pair.chinese)]
    known = {pair.chinese for pair in kept}
    questions = sorted({(pair.chinese, pair.english) for pair in watched if pair.chinese not in known})
    both = sorted({*parts.questions, *questions})
    reminded = examples(Split(kept, both, parts.candidates), folder, ADAPTING)
    return reminded, Split(kept, questions, parts.candidates)


def _is_watched(pair: Pair) -> bool:
    return hashlib.blake2b(pair.gid.encode(), digest_size=8).digest()[-1] % 10 == 1


def figures(student: TextEncoder, teacher: TextEncoder, shop: OwnTexts, part: Part, names: Split) -> Figures:
    """Return how a reader of Chinese does on a part of the shop, and on names of the taxonomy."""
    titles = teacher.encode(shop.titles).vectors_ID
    asked = student.encode([chinese for chinese, _ in shop.asked[part]]).vectors_ID
    rank = ranks(shop.asked[part], shop.titles, asked, titles)
    return Figures(
        shop_top1=float((rank < 1).mean()),
        shop_top10=float((rank < 10).mean()),
        shop_mrr=float((1 / (1 + rank)).mean()),
        names_top10=measure(student, teacher, names)["top10"],
    )


def encoder_of(student: Student, folder: Path) -> StudentEncoder:
    """Return a student as it would ship."""
    settings = {"teacher": "all-MiniLM-L6-v2", "data": "the shipped student's, and a shop's own texts"}
    file = folder / WEIGHTS
    file.write_bytes(student_file(student.arrays(), longest_ngram=ADAPTING.longest_ngram, settings=settings))
    return StudentEncoder(file)


def adapted(
    shop: OwnTexts,
    reminded: Sequence[Example],
    targets_of: Callable[[Sequence[str]], Matrix],
    judge: Callable[[StudentEncoder], Figures],
) -> StudentEncoder | None:
    """Return the student after the best epoch, None where none is better than the shipped one."""
    start = judge(StudentEncoder())
    print(f"validation, shipped: {start}", flush=True)
    best: tuple[float, StudentEncoder | None] = (start.shop_mrr, None)
    own = list(shop.learnt) * max(1, round(len(reminded) / REPEATED / len(shop.learnt)))
    found = [*own, *reminded]

    def judged(epoch: int, student: Student) -> None:
        nonlocal best
        with tempfile.TemporaryDirectory() as folder:
            encoder = encoder_of(student, Path(folder))
        now = judge(encoder)
        print(f"validation, epoch {epoch}: {now}", flush=True)
        is_kept = now.names_top10 >= start.names_top10 * (1 - MOST_FORGOTTEN)
        if is_kept and now.shop_mrr > best[0]:
            best = now.shop_mrr, encoder

    targets = targets_of([english for _, english in found])
    train(found, targets, ADAPTING, student=student_of(SHIPPED, ADAPTING), after_epoch=judged)
    return best[1]


def main() -> None:
    """Train, choose on the validation parts, measure once on the others, and write the encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shop", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--taxonomy", type=Path, default=Path("../shared/data/shopify_taxonomy"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    asked = parser.parse_args()
    minilm = text_encoder("minilm", cache_folder=asked.cache)
    assert isinstance(minilm, OnnxTextEncoder)
    teacher = CachedEncoder(minilm, asked.cache / "vectors")
    items = read_shop(asked.shop).items
    if not {"title_zh", "title_en"} <= set(items.columns):
        sys.exit(f"{asked.shop} has no titles in both Chinese and English; there is nothing to learn from")
    shop = own_texts(items)
    if not all(shop.asked.values()):
        sys.exit(f"{asked.shop} has too few titles in both languages to learn from and to measure")
    names = split(read_pairs(asked.taxonomy))
    reminded, watched = names_to_repeat(names, asked.taxonomy)
    print(f"{len(shop.learnt)} texts of the shop, {len(reminded)} of the taxonomy", flush=True)
    encoder = adapted(
        shop,
        reminded,
        lambda english: teacher.encode(english).vectors_ID,
        lambda student: figures(student, teacher, shop, "validation", watched),
    )
    if encoder is None:
        sys.exit("no epoch was better than the shipped student; nothing is written")
    for name, student in (("shipped", StudentEncoder()), ("adapted", encoder)):
        both = BilingualEncoder(minilm, student)
        print(f"test, student alone, {name}: {figures(student, teacher, shop, 'test', names)}")
        print(f"test, default encoder, {name}: {figures(both, teacher, shop, 'test', names)}")
    BilingualEncoder(minilm, encoder).save(asked.out)
    print(f"{asked.out}: huaxiang build --shop {asked.shop} --text {asked.out}")


if __name__ == "__main__":
    main()

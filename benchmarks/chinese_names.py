"""Claim: by default, a Chinese product name finds its English one: top-10 ≥ .6 on names never seen.

Protocol: names whose id occurs in both languages; a tenth of the ids, by hash, is held out; a held-out name
whose Chinese text is also that of a training name is dropped; what is left and has a Chinese letter is asked.
Each question ranks every distinct English name of the taxonomy, by cosine with MiniLM's vector of it. The
shipped student has seen none of the questions: `scripts/train_student.py` drops examples with that text.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from huaxiang.encoders.cache import CachedEncoder
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.student import StudentEncoder
from huaxiang.evaluate.hardware import hardware

HERE = Path(__file__).parents[1]
DATA = HERE.parent / "shared" / "data" / "shopify_taxonomy"
sys.path.insert(0, str(HERE / "scripts"))

from parallel_names import Split, ranks, read_pairs, split  # noqa: E402  (the folder was just named)

SHOP_WORDS = {
    "跑步鞋": "running shoes",
    "红色连衣裙": "red dress",
    "黑色真皮钱包": "black leather wallet",
    "纯棉白色T恤": "white cotton t-shirt",
    "复古实木书架": "vintage wooden shelf",
    "不锈钢保温杯": "stainless steel bottle",
    "儿童雨伞": "children's umbrella",
    "蓝牙耳机": "bluetooth headphones",
    "Nike 跑步鞋": "Nike running shoes",
    "我想要一双跑步鞋，500元以内": "I want running shoes, under 500 yuan",
}
"""Titles and wishes of our own; each should lie nearest its own English, among these."""


def main(cache: str | None = None) -> None:
    """Print the figures of the default encoder, the student alone and MiniLM alone."""
    if not DATA.exists():
        sys.exit("skipped: needs ../shared/data/shopify_taxonomy")
    with tempfile.TemporaryDirectory() as folder:
        minilm = CachedEncoder(
            text_encoder("minilm", cache_folder=cache or folder), f"{cache or folder}/vectors"
        )
        default = text_encoder("default", cache_folder=cache or folder)
        parts = split(read_pairs(DATA))
        candidates = minilm.encode(parts.candidates).vectors_ID
        print(hardware())
        print(f"{len(parts.questions)} Chinese names, each among {len(parts.candidates)} English names")
        for name, encoder in {"default": default, "student": StudentEncoder(), "MiniLM": minilm}.items():
            asked = encoder.encode([chinese for chinese, _ in parts.questions]).vectors_ID
            print(f"{name:8} {_figures(parts, asked, candidates)}")
        print("\ntitles and wishes, cosine with each English one (right one on the diagonal)")
        chinese, english = default.encode(list(SHOP_WORDS)), minilm.encode(list(SHOP_WORDS.values()))
        print(np.array2string(chinese.vectors_ID @ english.vectors_ID.T, precision=2, suppress_small=True))


def _figures(parts: Split, asked: np.ndarray, candidates: np.ndarray) -> str:
    rank = ranks(parts.questions, parts.candidates, asked, candidates)
    rng = np.random.default_rng(0)
    shown = []
    for k in (1, 10):
        hits = rank < k
        means = rng.choice(hits, (1000, len(hits))).mean(1)
        low, high = np.quantile(means, [0.025, 0.975])
        shown.append(f"top-{k} {hits.mean():.3f} [{low:.3f}, {high:.3f}]")
    return ", ".join(shown)


if __name__ == "__main__":
    main(*sys.argv[1:2])

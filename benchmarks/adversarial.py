"""Plain, FGM-taught and PGD-taught classifiers under attack, by the commands that users give.

    python benchmarks/adversarial.py [--table FILE] [--model FOLDER] [--rows 500] [--seeds 0,1,2]
        [--taught none,fgm,pgd] [--epsilon 5] [--attack-epsilon 5] [--quick]

From one pretrained folder each seed fine-tunes three models with the same settings but `adversarial`, and
`huaxiang robustness` measures them on rows that neither they nor the pretraining saw: as they are, with
typos, with synonyms (a few dozen common words of reviews, below, or --thesaurus), and under PGD. Wanted: at
least 10 points more right under PGD, for at most one point lost clean.

Without --model a net is pretrained on the table's other rows first. A folder that is there already is not
made again, so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from huaxiang.evaluate.hardware import hardware
from language_models import DATA, FINETUNE, PRETRAIN, made, print_table, separated

WAYS = ("clean", "typos", "synonyms", "pgd")
SYNONYMS: Mapping[str, str] = {
    "很好": "挺好|非常好",
    "不错": "挺好|蛮好",
    "满意": "称心|如意",
    "漂亮": "好看|美观",
    "好看": "漂亮|美观",
    "便宜": "实惠|划算",
    "实惠": "便宜|划算",
    "舒服": "舒适",
    "舒适": "舒服",
    "质量": "品质",
    "快递": "物流",
    "物流": "快递",
    "失望": "扫兴",
    "很差": "差劲|糟糕",
    "难用": "不好用",
    "后悔": "懊悔",
    "卖家": "店家|商家",
    "东西": "商品|物品",
    "购买": "购入|选购",
    "酒店": "宾馆",
    "房间": "客房",
    "衣服": "衣裳",
    "孩子": "小孩",
    "非常": "十分|特别",
    "十分": "非常|特别",
    "但是": "可是|不过",
    "可是": "但是|不过",
    "觉得": "感觉",
    "感觉": "觉得",
    "马上": "立刻|立即",
    "great": "excellent|wonderful",
    "love": "adore",
    "lovely": "charming|pretty",
    "beautiful": "gorgeous|pretty",
    "nice": "pleasant",
    "perfect": "ideal|flawless",
    "comfortable": "comfy|cosy",
    "bad": "poor",
    "poor": "bad",
    "terrible": "awful|dreadful",
    "awful": "terrible|dreadful",
    "disappointed": "let down",
    "fabric": "material|cloth",
    "material": "fabric|cloth",
    "color": "colour|shade",
    "dress": "gown",
    "small": "little",
    "large": "big",
    "bought": "purchased",
    "however": "but",
    "very": "really",
    "really": "very",
}


def main() -> None:
    """Make the models of each seed, attack them, and print one table."""
    asked = arguments()
    folder = asked.out / ("quick" if asked.quick else "whole")
    folder.mkdir(parents=True, exist_ok=True)
    rest, test = separated(asked.table, None, [asked.text], asked.label, folder, limit=asked.limit)
    if asked.quick:
        pl.read_parquet(test).sample(fraction=1, shuffle=True, seed=0).head(200).write_parquet(test)
    print(f"{hardware()}; {asked.table.name}; {asked.rows} rows attacked")
    print(f"epsilon {asked.epsilon:g} of learning, {asked.attack_epsilon:g} of the attack")
    model = asked.model or pretrained(rest, folder, asked)
    thesaurus = asked.thesaurus or written_synonyms(folder)
    records = []
    for seed in (int(part) for part in asked.seeds.split(",")):
        models = [taught(way, seed, rest, test, model, folder, asked) for way in asked.taught]
        records.append(attacked(models, test, thesaurus, seed, asked))
        print_table(figures_of(records))
    if asked.quick:
        print("a quick look: nets that learnt next to nothing say nothing of the ways")
    verdict(records, asked.taught)


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--table", type=Path, default=DATA / "online_shopping_10_cats.csv.gz")
    parser.add_argument("--text", default="review")
    parser.add_argument("--label", default="label")
    parser.add_argument("--model", help="pretrained folder or name; else one is made of the table")
    parser.add_argument("--thesaurus", type=Path, help="table with word and synonyms; else the one here")
    parser.add_argument("--rows", type=int, default=500, help="test rows that are attacked")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--taught", default="none,fgm,pgd", help="ways to learn, the first beside the others")
    parser.add_argument("--epsilon", type=float, default=5.0, help="of learning")
    parser.add_argument("--attack-epsilon", type=float, default=5.0, help="of the attack")
    parser.add_argument("--out", type=Path, default=Path("runs/adversarial"))
    parser.add_argument("--limit", type=int, help="rows of the table, for a quick look")
    parser.add_argument("--quick", action="store_true", help="a tiny net, one round, 600 rows; no result")
    asked = parser.parse_args()
    asked.taught = asked.taught.split(",")
    if asked.quick:
        asked.limit, asked.rows = asked.limit or 600, min(asked.rows, 60)
    return asked


def pretrained(rest: Path, folder: Path, asked: argparse.Namespace) -> Path:
    """Pretrain on the rows to learn from, and return the folder."""
    out = folder / "bert"
    size, fewer = ("tiny", ["training.epochs=1"]) if asked.quick else ("small", [])
    said = ["pretrain", "text", "--texts", rest, "--text", asked.text, "--from-scratch", size]
    said += ["--objective", "mlm", "--seed", 0, "--out", out]
    made([*said, *_set(*PRETRAIN, *fewer)], out)
    return out


def taught(
    way: str, seed: int, rest: Path, test: Path, model: str | Path, folder: Path, asked: argparse.Namespace
) -> Path:
    """Fine-tune one model, and return its folder."""
    out = folder / f"seed{seed}" / ("plain" if way == "none" else way)
    fewer = ["training.epochs=1"] if asked.quick else []
    said = ["finetune", "classify", "--train", rest, "--test", test, "--text", asked.text]
    said += ["--label", asked.label, "--model", model, "--seed", seed, "--out", out]
    further = [f"adversarial={way}", f"epsilon={asked.epsilon}", *fewer]
    made([*said, *_set(*FINETUNE, *further)], out)
    return out


def attacked(
    models: Sequence[Path], test: Path, thesaurus: Path, seed: int, asked: argparse.Namespace
) -> dict[str, Any]:
    """Return what `huaxiang robustness` says of the models."""
    said = [sys.executable, "-m", "huaxiang", "robustness", *_each("--model", models), "--input", test]
    said += ["--text", asked.text, "--label", asked.label, "--thesaurus", thesaurus, "--ways", ",".join(WAYS)]
    said += ["--rows", asked.rows, "--seed", seed, "--epsilon", asked.attack_epsilon, "--json"]
    shown = subprocess.run([*map(str, said)], check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def figures_of(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """Return the accuracy of each model under each way, one per seed."""
    found: dict[str, dict[str, list[float]]] = {}
    for record in records:
        for model in record["models"]:
            for number, way in enumerate(WAYS, 1):
                name = f"{number} {way}"  # the table sorts by name
                found.setdefault(model["model"], {}).setdefault(name, []).append(
                    model["ways"][way]["accuracy"]
                )
    return found


def verdict(records: Sequence[Mapping[str, Any]], taught: Sequence[str]) -> None:
    """Print what learning under attack gains and costs, in points, mean and range over the seeds."""
    for at in range(1, len(taught)):
        gaps = {
            way: [100 * record["models"][at]["ways"][way]["beside_first"]["difference"] for record in records]
            for way in WAYS
        }
        is_reached = np.mean(gaps["pgd"]) >= 10 and np.mean(gaps["clean"]) >= -1
        said = ", ".join(
            f"{way} {np.mean(values):+.1f} [{min(values):+.1f}, {max(values):+.1f}]"
            for way, values in gaps.items()
        )
        print(f"{taught[at]} - {taught[0]}, points: {said}: {'reached' if is_reached else 'missed'}")


def written_synonyms(folder: Path) -> Path:
    """Write the words above as a thesaurus, and return its file."""
    file = folder / "synonyms.csv"
    pl.DataFrame(list(SYNONYMS.items()), schema=["word", "synonyms"], orient="row").write_csv(file)
    return file


def _set(*changes: str) -> list[str]:
    return _each("--set", changes)


def _each(option: str, values: Sequence[object]) -> list[str]:
    return [part for value in values for part in (option, str(value))]


if __name__ == "__main__":
    main()

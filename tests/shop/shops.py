"""Shop folders written out once."""

from datetime import UTC, datetime
from pathlib import Path

from huaxiang.shop.base import Shop
from huaxiang.shop.read import read_shop

NOW = datetime(2025, 6, 1, tzinfo=UTC)

ITEMS = """item_id,title,category,brand,colour,price
a,Red wool scarf,Clothes > Scarves,Soft,red,20
b,Blue mug,Kitchen > Mugs,Clay,blue,8.50
c,White mug,Kitchen > Mugs,Clay,white,9
"""
EVENTS = """shopper_id,item_id,type,occurred_at,price,quantity,order_id
s1,a,view_item,2025-03-01T10:00:00Z,,,
s1,a,purchase,2025-03-01T10:05:00Z,20,1,o1
s1,b,purchase,2025-03-01T10:05:00Z,8.50,2,o1
s2,c,view_item,2025-03-02T09:00:00Z,,,
"""


def folder_of(folder: Path, **files: str) -> Path:
    """Write files named by keyword: `items_csv` is items.csv."""
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text, encoding="utf-8")
    return folder


def shop_of(folder: Path, **files: str) -> Shop:
    """Read a folder made of the given files."""
    return read_shop(folder_of(folder, **files), now=NOW)

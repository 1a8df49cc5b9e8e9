"""What reviews say: how an item is judged, on which sides, since when, and what would better it.

`words.toml` holds what people write, `rules.py` reads a text by it, `learnt.py` by fine-tuned models,
`book.py` keeps what was read of each item as reviews come and go, and `insight.py` puts one item's answer
together.
"""

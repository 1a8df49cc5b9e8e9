"""Language and image models that learn the shop's own texts and photos, before anybody labels anything.

`corpus.py` is what is read: documents of sentences. From the simplest objective to the richest: `masked.py`
(hidden words, and whether two passages belong together), `contrastive.py` (which passages belong together,
for sentence vectors), `causal.py` (the next token: a model that writes). `text.py` puts them together.
`images.py` teaches photo encoders: the shop's tags, its texts, or both.
"""

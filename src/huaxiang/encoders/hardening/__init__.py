"""Networks that hold up against bad writing and small changes: harder examples, more texts, and the test.

`adversarial.py` moves what a network is given against it while it learns, `augment_text.py` writes more
texts from those there are (the ways in `edits.py`, `thesaurus.py`, `masked.py` and `back_translation.py`,
from the simplest to the richest), and `attacks.py` measures what is left of the accuracy under typos,
synonyms and moved inputs; `robustness.py` sets fine-tuned folders beside one another that way. Simple ways
need no model at all.
"""

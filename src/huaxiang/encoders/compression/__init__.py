"""A fine-tuned model becomes smaller and quicker: fewer tokens, layers, heads and neurons, fewer bits.

`vocabulary.py` drops tokens that the shop's texts never use, `distil.py` teaches a small model what a large
one says, `prune.py` removes heads and neurons that matter least, `quantise.py` leaves eight bits of each
weight, `pareto.py` measures what is left, and `compress.py` does these in this order.
"""

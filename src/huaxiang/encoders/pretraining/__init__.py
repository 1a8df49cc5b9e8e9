"""Language and image models learn a shop's own words and photos before they learn any task.

`images.py` teaches photo encoders: the shop's tags, its texts, or both.
"""

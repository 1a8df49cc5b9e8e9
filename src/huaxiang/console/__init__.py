"""The web console, for the shop's people: the service, its shoppers, items and models.

`attach` adds it to the service's own application; `words.py` has its two languages.
"""

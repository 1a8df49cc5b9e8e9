"""The stage that answers a query or a photo with a list: by words, by meaning, by looks, then by profile.

`tokens` cuts texts into terms, `documents` says what of an item can be searched, `lexical` scores terms
(BM25), `spelling` knows the catalogue's own words, `understand` reads wishes, prices and mistakes out of a
query, `completion` finishes one, `filters` narrows and counts, `match` puts the scores together, and
`index` is what of it a run keeps. `learnt/` orders the best anew by what people judged. Nothing here knows
recommenders: how well an item fits the shopper comes in as numbers.
"""

"""The way in: a folder of files becomes a checked `Shop`, and a `Catalogue` to look items up in.

`read.read_shop` reads, checks and accounts for every line; `datasets` knows the public sets, `guess` all
other folders; `infer` finds categories, brands, colours, materials and styles in texts where none is stated;
`catalogue.build_catalogue` turns items into arrays; `splits` holds events out; `lexicon` finds the shop's
everyday words in English and Chinese; `simulate` makes a shop whose truth is known.
"""

"""Relevance learnt from judged pairs: what a query and a title have in common → how well it answers.

`wording` reads a text, `spelling` mends a query, `titles` is what a catalogue says, `features` what a query
and its candidates have in common, `surroundings` what else is found, `neighbours` what was said of similar
pairs; `trees` makes a score of all of it, `relevance` is the whole of it at work, `lesson` how it is learnt.
"""

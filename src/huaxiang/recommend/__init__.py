"""The stage that turns histories into scores for every item, and scores into lists.

A recommender reads a shopper's events and nothing else, so it works from the first click or the first
sentence. The ways, from the simplest: `popular`, `own_frequency`, `neighbours`, `closed_form`, `ease`,
`deep_belief`, `sequence`, `stacked`; `ensemble` joins several, with weights chosen on validation.
`histories` makes what they read, `top` finds the best items of each shopper, `lists` proposes categories,
brands and price bands instead of items.
"""

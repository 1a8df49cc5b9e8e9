"""The stage that turns scores into a list: rules, variety, and a reason for each item.

It takes arrays of scores and functions that score again, never a recommender, so anything that scores can
be ranked. `rules` says what may be listed, `stated` what the shopper asked for or refused, `variety` chooses
the places, `reasons` names the events behind an item, `removal` checks that those events matter, and `rank`
is all of it in a row.
"""

"""From a shopper's newest events to what they show: facets, interests, intent, vector, portrait, and why.

`update` keeps the state, one event at a time, and `bulk` builds all states at once; `population` says what
everybody likes. `derive` reads a state as of a moment: `acts` weighs its events, `said` reads their words and
photos, `facets` counts likings and dislikings into posteriors, `corrections` lets the shopper overrule them,
`interests` finds the directions, `vector` lays it all out for other models and `portrait` says it in English
and Chinese. `describe` does the same for a text or a photo without any history, `constraints` says what a
list must keep to, and `removal` tests every claim by taking its evidence away. The numbers are in `weights`.
"""

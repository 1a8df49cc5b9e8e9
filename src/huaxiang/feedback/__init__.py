"""What came of the lists: outcomes joined to slates, drift watched, exploration drawn, retraining decided.

`policies` draws some places by chance and knows each chance exactly; `outcomes` says what followed;
`drift` says whether shoppers have changed; `decision` says whether a new model may take the old one's place.
"""

"""Whether a file of texts is fit to learn from: what is wrong, what was mended, what people should look at.

Each check is one file of pure functions: `characters` (markup, encodings, what is not seen), `personal` (what
names or finds a person, masked), `languages`, `boilerplate`, `duplicates` (exact and near, by MinHash),
`leaks` (the same text on both sides of a split), `outliers` (lengths and numbers), `label_noise` (labels that
the texts speak against). `cleaning` runs them all over a table, `report` draws what they found.

What to label next: `choosing` picks rows that are uncertain and unlike each other, `label_studio` writes and
reads Label Studio's files, `joining` brings labels back to their rows. `text_model` is the quick model of
characters that both sides use. `given` reads files and checks columns.
"""

"""Texts that a language model writes from what is known, each sentence checked against it before use.

`base` has what is written about and how it comes out, `folder` and `endpoint` the models that write, `check`
the check, `subjects` what is known of products and of shoppers.
"""

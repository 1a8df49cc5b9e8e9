"""Huaxiang (画像): a live profile of each shopper, and everything a shop reads from it."""

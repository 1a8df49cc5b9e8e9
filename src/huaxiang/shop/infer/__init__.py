"""What a shop leaves unsaid about its items, inferred from their texts and marked so, with confidence.

Colours, materials, styles and categories that a title names (`mentions`); categories that the encoder is sure
of, and for the rest clusters named by their most typical words (`categories`, `clusters`); brands that lead
titles (`brands`). A public product taxonomy adds its vocabulary (`taxonomy`). What a shop states is never
touched, and where there is no evidence nothing is said. Of an item that joins later, `nearest` says what its
words and the items most like it show.
"""

from huaxiang.shop.infer.attributes import Config, infer_attributes

__all__ = ["Config", "infer_attributes"]

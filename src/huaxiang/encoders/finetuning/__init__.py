"""A pretrained model learns one of the shop's tasks: classes, ratings, tags of words, which product fits.

`tables.py` reads labelled rows and splits them without leaks, `tasks.py` says for each task what is wrong and
how well it goes, `network.py` puts a head on a text model, `fit.py` teaches it, `predictor.py` serves it by
ONNX Runtime without torch.
"""

"""Texts and photos → vectors, each of one named space, made once.

Text, from the simplest way to the richest: `hashed` (spellings only, no weights), `student` (Chinese and
English in MiniLM's space, ships here), `text` (any Hugging Face encoder through ONNX Runtime), `bilingual`
(the default: MiniLM, and aloud the student where MiniLM can't read). `named.text_encoder` finds the one that
a name or a folder stands for. `clean` reads words out of shop texts, `export` turns a torch model into
ONNX once, and `cache` keeps the vectors of texts and photos by their content.
"""

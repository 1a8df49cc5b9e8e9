"""Tokenizers: one made of the shop's own texts, Chinese and English alike, or one of a model's folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from huaxiang.errors import EncoderError

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SPACE = "▁"

# A word takes the space before it along; Chinese has none, and merges across its characters; digits and
# punctuation stay alone, so that sizes and prices don't fill the vocabulary.
_PIECES = f"{SPACE}?[^\\W\\d_\\u3400-\\u9fff]+|[\\u3400-\\u9fff]+|\\d|[^\\w\\s]|_"
_EXACT_PIECES = f"{SPACE}?(?:[^\\W\\d_\\u3400-\\u9fff]+|[\\u3400-\\u9fff]+|\\d|[^\\w\\s{SPACE}]|_)|{SPACE}"


def train_tokenizer(
    texts: Iterable[str], *, size: int = 8000, fewest: int = 2, exact: bool = False
) -> Tokenizer:
    """Return a byte-pair tokenizer whose pieces are those of the texts.

    Texts are folded to one form (NFKC), and to lower case. With pairs, it adds the marks of BERT.

    Parameters
    ----------
    size
        Most pieces in the vocabulary, the five marks included; ≥ 100.
    fewest
        How often two pieces must stand together to become one.
    exact
        Keep capitals and spaces, so that pieces can be read as the text again: for a model that writes.

    Examples
    --------
    >>> tokenizer = train_tokenizer(["红色 连衣裙 red dress"] * 9, size=200)
    >>> tokenizer.encode("红色 Red dress").tokens
    ['[CLS]', '红色', '▁red', '▁dress', '[SEP]']
    """
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    space = normalizers.Replace(Regex(r"\s+"), SPACE)
    if exact:
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), space])
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_EXACT_PIECES), "isolated")
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), space])
        spaces = Regex(f"{SPACE}(?![^\\W\\d_\\u3400-\\u9fff])")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(spaces, "removed"), pre_tokenizers.Split(Regex(_PIECES), "isolated")]
        )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=fewest,
        limit_alphabet=max(size * 3 // 5, 100),
        special_tokens=list(SPECIAL),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)],
    )
    return tokenizer


def wrapped(tokenizer: Tokenizer, *, max_tokens: int) -> Any:
    """Return the tokenizer as transformers keeps it in a model's folder."""
    from transformers import PreTrainedTokenizerFast

    kind: Any = PreTrainedTokenizerFast
    return kind(
        tokenizer_object=tokenizer,
        model_max_length=max_tokens,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        bos_token="[CLS]",
        eos_token="[SEP]",
    )


def read_tokenizer(folder: Path) -> Any:
    """Return the fast tokenizer of a folder.

    Raises
    ------
    EncoderError
        There is none.
    """
    from transformers import AutoTokenizer

    try:
        found = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        remedy = "put the model's tokenizer.json beside it"
        raise EncoderError("no tokenizer in the folder", file=str(folder), remedy=remedy) from error
    if not getattr(found, "is_fast", False):
        remedy = "convert it: the folder needs a tokenizer.json"
        raise EncoderError("tokenizer is not a fast one", file=str(folder), remedy=remedy)
    return found

import copy
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from encoders.compression.tiny_teacher import MAX_TOKENS, TASK, network_of, rows_of, tokenizer_of
from huaxiang.encoders.compression.vocabulary import tokens_used, trim, trimmed_tokenizer
from huaxiang.encoders.finetuning.fit import FinetuneConfig, TextLesson, outputs_of, token_ids

MARKS = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
TEXTS = ["红色 连衣裙 很好看", "跑步鞋 size forty two", "the red dresses are lovely"]
OTHERS = ["蓝色 电脑 键盘", "unrelated keyboards everywhere"]


def tokenizer_of_kind(kind: str) -> Any:
    trained = {
        "BPE": (models.BPE(unk_token="[UNK]"), trainers.BpeTrainer),
        "WordPiece": (models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer),
        "WordLevel": (models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer),
        "Unigram": (models.Unigram(), trainers.UnigramTrainer),
    }
    model, trainer = trained[kind]
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    more = {"unk_token": "[UNK]"} if kind == "Unigram" else {}
    tokenizer.train_from_iterator(
        [*TEXTS, *OTHERS] * 5,
        trainer(
            vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False, **more
        ),
    )
    marks = [("[CLS]", tokenizer.token_to_id("[CLS]")), ("[SEP]", tokenizer.token_to_id("[SEP]"))]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **MARKS)


@pytest.mark.parametrize("kind", ["BPE", "WordPiece", "WordLevel", "Unigram"])
def test_texts_of_kept_tokens_are_read_in_the_same_tokens(kind: str) -> None:
    tokenizer = tokenizer_of_kind(kind)
    before = [encoding.tokens for encoding in tokenizer.backend_tokenizer.encode_batch(TEXTS)]
    trimmed, old_V = trimmed_tokenizer(tokenizer, tokens_used(tokenizer, TEXTS, max_tokens=64))
    assert [encoding.tokens for encoding in trimmed.backend_tokenizer.encode_batch(TEXTS)] == before
    assert len(trimmed) == len(old_V) < len(tokenizer)
    ids, old_ids = (token_ids(TEXTS, one, max_tokens=64) for one in (trimmed, tokenizer))
    for new, old in zip(ids, old_ids, strict=True):
        assert old_V[new].tolist() == old.tolist()


@pytest.mark.parametrize("kind", ["BPE", "WordPiece", "WordLevel", "Unigram"])
def test_unknown_words_are_still_read(kind: str) -> None:
    tokenizer = tokenizer_of_kind(kind)
    trimmed, old_V = trimmed_tokenizer(tokenizer, tokens_used(tokenizer, TEXTS, max_tokens=64))
    for ids in token_ids([*OTHERS, "никогда"], trimmed, max_tokens=64):
        assert len(ids) > 2
        assert ids.max() < len(old_V)
    assert trimmed.pad_token_id == 0


def test_outputs_of_texts_in_the_vocabulary_stay_as_they_were() -> None:
    network, tokenizer, rows = network_of(), tokenizer_of(), rows_of(40)
    config = FinetuneConfig(max_tokens=MAX_TOKENS)
    before = outputs_of(network, TextLesson(rows, TASK, tokenizer, config))
    trimmed_network = copy.deepcopy(network)
    trimmed = trim(trimmed_network, tokenizer, rows.texts, max_tokens=MAX_TOKENS)
    after = outputs_of(trimmed_network, TextLesson(rows, TASK, trimmed, config))
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-6)
    assert trimmed_network.model.config.vocab_size == len(trimmed) < len(tokenizer)


def test_rare_tokens_go_too_where_that_is_asked_for() -> None:
    tokenizer, texts = tokenizer_of(), rows_of(40).texts
    sizes = [len(tokens_used(tokenizer, texts, max_tokens=MAX_TOKENS, fewest=n)) for n in (1, 10)]
    assert sizes[0] > sizes[1] > 0

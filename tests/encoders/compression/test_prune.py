import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel

from encoders.compression.tiny_teacher import FAMILIES, MAX_TOKENS, TASK, network_of, rows_of, tokenizer_of
from huaxiang.encoders.compression.layers import head_width, keep_layers, layers_of
from huaxiang.encoders.compression.prune import (
    heads_to_keep,
    importance,
    masked,
    neurons_to_keep,
    remove_heads,
    remove_neurons,
    with_zero_heads,
    without_zero_heads,
)
from huaxiang.encoders.finetuning.fit import FinetuneConfig, TextLesson, outputs_of
from huaxiang.errors import EncoderError, SettingsError

KEPT = [[0, 2], [3]]


def lesson() -> TextLesson:
    return TextLesson(rows_of(24), TASK, tokenizer_of(), FinetuneConfig(max_tokens=MAX_TOKENS))


def masks_of(kept: list[list[int]], n: int, n_rows: int) -> list[torch.Tensor]:
    return [torch.tensor([float(at in layer) for at in range(n)]).expand(n_rows, n) for layer in kept]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_without_heads_says_what_the_one_with_masked_heads_says(family: str) -> None:
    network, rows = network_of(family), lesson()
    batch = rows.inputs(np.arange(24))
    with masked(layers_of(network.model), masks_of(KEPT, 4, 24), width=8), torch.inference_mode():
        expected = network.outputs(**batch)
        assert not torch.allclose(expected, network_of(family).outputs(**batch), atol=1e-3)
    remove_heads(network.model, KEPT)
    with torch.inference_mode():
        torch.testing.assert_close(network.outputs(**batch), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_without_neurons_says_what_the_one_with_masked_neurons_says(family: str) -> None:
    network, rows = network_of(family), lesson()
    batch, kept = rows.inputs(np.arange(24)), [list(range(0, 64, 4)), list(range(16))]
    ones = [torch.ones(24, 4)] * 2
    with masked(layers_of(network.model), ones, masks_of(kept, 64, 24), width=8), torch.inference_mode():
        expected = network.outputs(**batch)
    remove_neurons(network.model, kept)
    with torch.inference_mode():
        torch.testing.assert_close(network.outputs(**batch), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_any_program_reads_the_pruned_model_and_it_says_the_same(tmp_path: Path, family: str) -> None:
    network, rows = network_of(family), lesson()
    remove_heads(network.model, KEPT)
    remove_neurons(network.model, [list(range(32))] * 2)
    expected = outputs_of(network, rows)
    written = copy.deepcopy(network)
    with_zero_heads(written.model)
    written.model.save_pretrained(tmp_path)
    network.model = AutoModel.from_pretrained(tmp_path, attn_implementation="eager")
    np.testing.assert_allclose(outputs_of(network, rows), expected, rtol=1e-4, atol=1e-5)
    assert layers_of(network.model)[0].into.out_features == 32
    assert [len(heads) for heads in without_zero_heads(network.model)] == [2, 1]
    np.testing.assert_allclose(outputs_of(network, rows), expected, rtol=1e-4, atol=1e-5)


def test_heads_that_are_zeros_stay_zeros_while_the_rest_learns() -> None:
    network, rows = network_of(), lesson()
    remove_heads(network.model, KEPT)
    with_zero_heads(network.model)
    network.train()
    network(**rows.batch(np.arange(8), np.random.default_rng(0)))["loss"].backward()
    torch.optim.AdamW(network.parameters(), lr=0.1).step()
    assert [len(heads) for heads in without_zero_heads(network.model)] == [2, 1]


def test_importance_is_the_gradient_of_each_rows_mask() -> None:
    network, rows = network_of(), lesson()
    heads, _ = importance(network, rows)
    by_hand = np.zeros(4)
    for row in range(24):
        mask = torch.ones(1, 4, requires_grad=True)
        with masked(layers_of(network.model), [mask, torch.ones(1, 4)], width=8):
            targets = torch.from_numpy(rows.targets[[row]])
            TASK.loss(network.outputs(**rows.inputs(np.array([row]))), targets).sum().backward()
        by_hand += np.abs(mask.grad[0].numpy())
    np.testing.assert_allclose(heads[0], by_hand / np.linalg.norm(by_hand), rtol=1e-3)


def test_a_head_whose_outgoing_weights_are_zero_matters_least() -> None:
    network = network_of()
    with torch.no_grad():
        layers_of(network.model)[1].joined.weight[:, 8:16] = 0
    heads, _ = importance(network, lesson())
    assert heads[1].argmin() == 1
    assert heads[1, 1] == pytest.approx(0, abs=1e-9)


@given(
    heads=st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=4),
    share=st.floats(0, 0.99),
)
def test_each_layer_keeps_a_head_and_no_more_go_than_asked(heads: list[list[float]], share: float) -> None:
    kept = heads_to_keep(np.array(heads), share)
    n_kept = sum(map(len, kept))
    assert all(kept)
    assert n_kept == max(len(heads), 3 * len(heads) - round(share * 3 * len(heads)))


def test_the_neurons_that_matter_most_stay() -> None:
    assert neurons_to_keep([np.arange(16.0), np.arange(16.0)[::-1]], 0.5) == [
        list(range(8, 16)),
        list(range(8)),
    ]


def test_all_heads_can_not_go() -> None:
    with pytest.raises(SettingsError, match="out of range"):
        heads_to_keep(np.ones((2, 2)), 1.0)


def test_a_family_whose_heads_are_kept_otherwise_is_refused() -> None:
    from transformers import MPNetConfig, MPNetModel

    tiny = MPNetConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    with pytest.raises(EncoderError, match="can't be removed"):
        layers_of(MPNetModel(tiny))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_other_layer_can_be_kept(tmp_path: Path, family: str) -> None:
    network = network_of(family, n_layers=4)
    first, last = (network.model.get_submodule(name) for name in names_of(family))
    assert keep_layers(network.model, 0.5) == [0, 3]
    assert [layers_of(network.model)[at].query for at in (0, 1)] == [first, last]
    network.model.save_pretrained(tmp_path)
    assert len(layers_of(AutoModel.from_pretrained(tmp_path))) == 2
    assert head_width(network.model) == 8


def names_of(family: str) -> tuple[str, str]:
    if family == "bert":
        return ("encoder.layer.0.attention.self.query", "encoder.layer.3.attention.self.query")
    return ("transformer.layer.0.attention.q_lin", "transformer.layer.3.attention.q_lin")

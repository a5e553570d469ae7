import pytest

from tfbind.inference.graph import build_graph
from tfbind.inference.nodes import Layer, UnconvertibleError
from tfbind.networks.outlines import binding_outline
from tfbind.training.stored_network import read_network


@pytest.fixture(scope="module")
def network(save_network):
    path, card, _ = save_network("gkm-bilstm", units=4, filters=6)
    return read_network(path, binding_outline(card.network))


def names(config):
    return [layer["name"] for layer in config["layers"]]


def test_weights_are_those_of_the_layer_that_they_stand_beside(network):
    config, weights = network
    assert {"x", "valid_length", "tracks", "strand", "both_strands"} <= set(names(config))
    assert weights["layers/functional/layers/conv1d/vars/0"].shape == (19, 5, 6)
    assert weights["layers/functional/layers/lstm_1/cell/vars/1"].shape == (4, 16)


def test_inputs_and_operations(network):
    graph = build_graph(*network)
    assert [parameter.friendly_name for parameter in graph.get_parameters()] == [
        "x",
        "valid_length",
        "tracks",
    ]
    kinds = [node.get_type_name() for node in graph.get_ops()]
    # one of either direction: both strands go through the same
    assert kinds.count("LSTMSequence") == 2
    assert kinds.count("Convolution") == 1
    assert "ReverseSequence" not in kinds


def test_without_padding_there_are_no_masks(network):
    kinds = {node.get_type_name() for node in build_graph(*network, unpadded=True).get_ops()}
    assert not kinds & {"Less", "Select", "Greater"}


def test_an_option_that_is_not_converted_is_named():
    with pytest.raises(UnconvertibleError, match="layer 'c' has strides \\[2\\], expected \\[1\\]"):
        Layer({"name": "c", "strides": [2]}, {}).demand(strides=[1], padding="same")

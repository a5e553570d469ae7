import logging
from dataclasses import replace

import h5py
import numpy as np
import pytest

from tfbind.binding.evaluation.measure import examples_from_tensors, refuse_seen
from tfbind.binding.learning.parts import Part
from tfbind.binding.learning.start import NEW_FACTOR_SHARE, Start
from tfbind.binding.model.card import ModelCard, read_card, save_model
from tfbind.binding.model.model import BindingModel
from tfbind.binding.options import START_RATE
from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.gkm import N_FEATURES
from tfbind.dna.splits import TEST, TRAIN, VALIDATION
from tfbind.errors import TfbindError
from tfbind.networks.spec import make_spec
from tfbind.tensors import open_tensors

LENGTH = 30


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """``saved(architecture, tasks)``: a model of random weights to start from, its Keras network and the builder."""
    from tfbind.networks.build import build
    from tfbind.training.device import prepare, seeded

    prepare(threads=1)

    def make(architecture, tasks, seed):
        spec = make_spec(architecture, length=LENGTH, units=2, n_tasks=len(tasks))
        with seeded(seed):
            network = build(spec)
        rng = np.random.default_rng(seed)
        for weight in network.weights:
            weight.assign(np.abs(np.asarray(weight)) + rng.random(weight.shape))
        return spec, network

    def saved(architecture, tasks):
        spec, network = make(architecture, tasks, 1)
        n = len(tasks)
        gkm = np.repeat(np.arange(1, n + 1, dtype=np.float32)[:, None], N_FEATURES, axis=1)
        card = ModelCard(
            network=spec,
            gkm=gkm if spec.tracks else None,
            encoding=DnaEncoding(encoding="onehot", length=LENGTH),
            tasks=tasks,
            calibration={"method": "platt", "slope": [1.0] * n, "intercept": [0.0] * n},
            threshold=(0.5,) * n,
            negative_method="given",
            digests=np.zeros(0, np.uint64),
            training={},
        )
        path = tmp_path_factory.mktemp("start") / "start.keras"
        save_model(path, network, card)
        return path, network, make

    return saved


def weights(network):
    """A network's weights by layer and number."""
    return {
        (layer.name, number): np.asarray(weight)
        for layer in network.get_layer("strand").layers
        for number, weight in enumerate(layer.weights)
    }


class TestFill:
    def test_of_the_same_factors_everything_is_kept(self, saved):
        path, network, make = saved("conv-bigru", ("A", "B"))
        spec, other = make("conv-bigru", ("A", "B"), 2)
        start = Start(path)
        start.fill(other, spec, ("A", "B"))
        for key, found in weights(other).items():
            np.testing.assert_array_equal(found, weights(network)[key], err_msg=str(key))
        assert start.keeps_head(("A", "B"))

    def test_a_new_factor_gets_a_new_last_layer(self, saved):
        path, network, make = saved("conv-bigru", ("A", "B"))
        spec, other = make("conv-bigru", ("B", "C", "A"), 2)
        before, start = weights(other), Start(path)
        start.fill(other, spec, ("B", "C", "A"))
        after, given = weights(other), weights(network)
        for number in (0, 1):
            head = after["logits", number]
            np.testing.assert_array_equal(head[..., [2, 0]], given["logits", number])
            np.testing.assert_array_equal(head[..., 1], before["logits", number][..., 1])
        np.testing.assert_array_equal(after["convolution", 0], given["convolution", 0])
        assert not start.keeps_head(("B", "C", "A"))

    def test_evidence_of_a_new_factor_is_read_as_the_mean(self, saved):
        path, network, make = saved("gkm-bilstm", ("A", "B"))
        spec, other = make("gkm-bilstm", ("B", "C", "A"), 2)
        slopes = weights(other)["evidence", 0]
        Start(path).fill(other, spec, ("B", "C", "A"))
        kernel, given = weights(other)["convolution", 0], weights(network)["convolution", 0]
        assert kernel.shape[1] == 7
        np.testing.assert_array_equal(kernel[:, :4], given[:, :4])
        np.testing.assert_array_equal(kernel[:, 4], given[:, 5])
        np.testing.assert_array_equal(kernel[:, 5], given[:, 4:].mean(axis=1))
        np.testing.assert_array_equal(kernel[:, 6], given[:, 4])
        np.testing.assert_array_equal(weights(other)["evidence", 0], slopes)

    def test_tables_of_a_new_factor_are_a_share_of_the_mean(self, saved):
        start = Start(saved("gkm-bilstm", ("A", "B"))[0])
        assert start.tables(("B", "C"))[:, 0].tolist() == [2, 1.5 * NEW_FACTOR_SHARE]
        assert Start(saved("conv-bigru", ("A", "B"))[0]).tables(("B",)) is None


class TestOptions:
    def test_the_network_is_the_models_own(self, saved):
        start = Start(saved("conv-bigru", ("A",))[0])
        assert start.check_options(None, {"units": None}) == "conv-bigru"
        assert start.check_options("conv-bigru", {"units": 2}) == "conv-bigru"
        with pytest.raises(TfbindError, match="its architecture is conv-bigru, but --architecture is danq"):
            start.check_options("danq", {})
        with pytest.raises(TfbindError, match=r"start\.keras: its units is 2, but --units is 3"):
            start.check_options(None, {"units": 3})

    def test_tensors_of_another_length_are_refused(self, saved, given_tensors):
        start = Start(saved("conv-bigru", ("A",))[0])
        with open_tensors(given_tensors) as tensors, pytest.raises(TfbindError, match=r"expected .*30"):
            start.fit_to(tensors)

    def test_tensors_stored_otherwise_are_refused(self, kmer_model_path, given_tensors):
        start = Start(kmer_model_path)
        with (
            open_tensors(given_tensors) as tensors,
            pytest.raises(TfbindError, match=r"given\.h5: holds onehot, but .* was trained on kmer"),
        ):
            start.fit_to(tensors)

    def test_an_ensemble_is_refused(self, ensemble_path):
        with pytest.raises(TfbindError, match=r"ensemble\.keras: is an ensemble of 2 networks, expected one"):
            Start(ensemble_path)


@pytest.fixture(scope="module")
def started(model_path, given_tensors, train_small, tmp_path_factory):
    path = tmp_path_factory.mktemp("started") / "m.keras"
    train_small(
        given_tensors,
        path,
        architecture=None,
        network={},
        start=model_path,
        learning_rate=None,
        allow_overlap=True,
    )
    return path


class TestTrain:
    def test_starts_where_the_other_has_ended(self, started, model_path):
        """A model of the same factor is judged before any training; its best epoch cannot be worse."""
        history = started.with_suffix(".history.tsv").read_text().splitlines()
        assert history[1].startswith("0\tNA\t")
        card = read_card(started)
        assert card.network == read_card(model_path).network
        assert card.training["options"]["learning_rate"] == pytest.approx(0.02 * START_RATE)
        assert card.training["start"]["model"] == "one.keras"

    def test_knows_what_either_has_seen(self, started, model_path, given_tensors, shuffle_tensors):
        card = read_card(started)
        assert set(card.digests) > set(read_card(model_path).digests)
        model = BindingModel(started, threads=1)
        for tensors in (given_tensors, shuffle_tensors):
            with pytest.raises(TfbindError, match="were in the training or validation"):
                refuse_seen(examples_from_tensors(tensors, "train", model), model, "x")
        n = [len(read_card(path).sketches.counts) for path in (started, model_path)]
        assert n[0] > n[1]

    def test_is_resumed_with_the_same_start_only(self, started, model_path, given_tensors, train_small):
        (started.with_suffix(".learning.svg")).touch()
        again = {"architecture": None, "network": {}, "learning_rate": None, "resume": True}
        same = train_small(given_tensors, started, start=model_path, allow_overlap=True, **again)
        assert same is None
        with pytest.raises(TfbindError, match=r"m\.keras: is finished, and was trained with start"):
            train_small(given_tensors, started, learning_rate=0.02 * START_RATE, resume=True)


class TestRefuseSeen:
    @pytest.fixture
    def moved(self, shuffle_tensors, tmp_path):
        """``moved(part)``: tensors whose test (or other) set holds what the model of ``shuffle_tensors`` has seen."""

        def moved(part):
            path = tmp_path / "moved.h5"
            path.write_bytes(shuffle_tensors.read_bytes())
            with h5py.File(path, "r+") as file:
                split = file["split"][:]
                rows = np.flatnonzero(split == TRAIN)[:8]
                split[rows] = part
                file["split"][:] = split
            return path

        return moved

    def test_a_test_set_that_the_model_has_seen(self, moved, model_path):
        with (
            open_tensors(moved(TEST)) as tensors,
            pytest.raises(
                TfbindError, match=r"moved\.h5: \d+ of \d+ sequences \(such as '.*'\) of its test set were in"
            ),
        ):
            Start(model_path).refuse_seen(tensors, allow=False)

    def test_can_be_allowed(self, moved, model_path, caplog):
        with open_tensors(moved(TEST)) as tensors, caplog.at_level(logging.WARNING):
            Start(model_path).refuse_seen(tensors, allow=True)
        assert "of its test set were in the training or validation set of" in caplog.text

    def test_a_validation_set_that_the_model_has_seen_is_warned_of(self, moved, model_path, caplog):
        with open_tensors(moved(VALIDATION)) as tensors, caplog.at_level(logging.WARNING):
            Start(model_path).refuse_seen(tensors, allow=False)
        assert "of its validation set were in the training or validation set of" in caplog.text

    def test_the_models_own_tensors_are_right(self, shuffle_tensors, model_path, caplog):
        with open_tensors(shuffle_tensors) as tensors, caplog.at_level(logging.WARNING):
            Start(model_path).refuse_seen(tensors, allow=False)
        assert not caplog.text


class TestPrior:
    """What the linear model takes from that of a model that has seen some of the training set."""

    @pytest.fixture
    def prior(self, saved, given_tensors):
        """``prior(n)``: of a model that was trained on the first ``n`` training sequences, among others."""

        def prior(n):
            with open_tensors(given_tensors) as tensors:
                start = Start(saved("gkm-bilstm", tensors.tasks)[0])
                digests = Part(tensors, TRAIN).digests()
                start.card = replace(start.card, digests=np.unique(digests[:n]))
                return digests, start.prior(tensors)

        return prior

    def test_of_other_sequences_everything_is_taken(self, prior, caplog):
        _, (tables, seen, n_seen) = prior(0)
        assert tables.shape == (1, N_FEATURES)
        assert (seen, n_seen) == (None, 0)
        assert not caplog.text

    def test_sequences_that_are_seen_are_told_apart(self, prior, caplog):
        digests, (tables, seen, n_seen) = prior(5)
        np.testing.assert_array_equal(seen, np.isin(digests, digests[:5]))
        assert tables is not None
        assert n_seen == seen.sum() >= 5
        assert f"{n_seen} of {len(digests)} sequences (such as '" in caplog.text
        assert "so they get evidence of a linear model that takes nothing from it" in caplog.text

    def test_of_most_of_the_same_sequences_nothing_is_taken(self, prior, caplog):
        digests, (tables, seen, n_seen) = prior(None)
        assert (tables, seen, n_seen) == (None, None, len(digests))
        assert "so nothing is taken from its linear model" in caplog.text

    def test_without_evidence_tracks_there_is_none(self, saved, given_tensors):
        with open_tensors(given_tensors) as tensors:
            assert Start(saved("conv-bigru", tensors.tasks)[0]).prior(tensors) is None


def test_the_card_says_how_many_training_sequences_the_other_model_has_seen(
    given_tensors, train_small, tmp_path
):
    """Trained again on its own data, a linear model is the one that is trained on these data alone."""
    again = {"architecture": None, "network": {}, "learning_rate": None}
    first, second = tmp_path / "first.keras", tmp_path / "second.keras"
    train_small(given_tensors, first, architecture="gkm-linear", network={}, learning_rate=None)
    train_small(given_tensors, second, start=first, allow_overlap=True, **again)
    one, other = read_card(first), read_card(second)
    np.testing.assert_array_equal(other.gkm, one.gkm)
    assert other.training["start"]["seen"] == one.training["n_train"] == other.training["n_train"]


def test_without_minimizers_only_equal_sequences_are_found(model_path, caplog):
    start = Start(model_path)
    own = start.card.sketches
    start.card = replace(start.card, sketches=None)
    with caplog.at_level(logging.WARNING):
        assert start.join_sketches(own) is own
    assert "holds no minimizers" in caplog.text

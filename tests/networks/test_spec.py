import json
import subprocess
import sys

import pytest

from tfbind.binding.options import DEFAULT_ARCHITECTURE, DEFAULT_KMER_ARCHITECTURE
from tfbind.errors import TfbindError
from tfbind.networks.spec import (
    ARCHITECTURES,
    BODY_OPTIONS,
    CELLS,
    OPTIONS,
    NetworkSpec,
    check_options,
    check_sizes,
    make_spec,
    options_of,
)


def test_the_architectures_are_there():
    plain = {"bilstm", "bigru", "conv-bilstm", "conv-bigru"}
    assert plain | {"gkm-linear", "gkm-bilstm", "gkm-bigru"} <= set(ARCHITECTURES)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_architecture_gives_its_own_values(architecture):
    spec = make_spec(architecture, length=80)
    assert (spec.architecture, spec.length, spec.n_tasks) == (architecture, 80, 1)
    assert spec.cell in CELLS
    assert bool(spec.filters) == (architecture not in ("bilstm", "bigru", "gkm-linear", "kegru"))
    assert spec.tracks == architecture.startswith("gkm")


def test_none_keeps_the_architectures_own_value():
    assert make_spec("bigru", length=80, units=None, cell=None) == make_spec("bigru", length=80)


def test_a_given_value_wins():
    spec = make_spec("conv-bilstm", length=80, cell="gru", units=7)
    assert (spec.cell, spec.units, spec.architecture) == ("gru", 7, "conv-bilstm")


class TestOptions:
    def test_which_an_architecture_takes(self):
        taken = {name: options_of(name) for name in ARCHITECTURES if options_of(name) != OPTIONS}
        assert taken == {
            "gkm-linear": (),
            "deepbind": ("units",),
            "danq": ("cell", "units"),
            "kegru": ("cell", "units"),
            "transformer": ("units", "layers"),
        }
        assert OPTIONS == options_of(DEFAULT_ARCHITECTURE) == options_of(DEFAULT_KMER_ARCHITECTURE)

    def test_every_body_is_in_the_table(self):
        assert {make_spec(name, length=80).body for name in ARCHITECTURES} == set(BODY_OPTIONS)

    @pytest.mark.parametrize(
        ("architecture", "values", "message"),
        [
            (
                "gkm-linear",
                {"layers": 2},
                "found layers 2, for which architecture gkm-linear has no use: of cell, units, layers it takes none",
            ),
            ("gkm-linear", {"units": 8}, "found units 8, .* it takes none$"),
            ("deepbind", {"units": 8, "cell": "gru"}, "found cell gru, .* it takes units$"),
            ("danq", {"layers": 2}, "found layers 2, .* it takes cell and units$"),
            ("transformer", {"cell": "gru"}, "found cell gru, .* it takes units and layers$"),
        ],
    )
    def test_what_would_be_ignored_is_refused(self, architecture, values, message):
        with pytest.raises(TfbindError, match=message):
            check_options(architecture, values)

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_an_architectures_own_value_is_right(self, architecture):
        own = make_spec(architecture, length=80)
        check_options(architecture, own.to_dict())
        check_options(architecture, dict.fromkeys(OPTIONS))
        check_options(architecture, dict.fromkeys(options_of(architecture), 7) | {"epochs": 3})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"length": 100_001}, "found length 100,001, expected at most 100,000"),
        ({"layers": 65}, "found layers 65, expected at most 64"),
        ({"units": 10**6}, "found units 1,000,000, expected at most 100,000"),
    ],
)
def test_sizes_that_no_model_file_can_name_are_refused(values, message):
    make_spec("conv-bigru", **{"length": 100_000} | {"layers": 64, "units": 100_000})
    with pytest.raises(TfbindError, match=message):
        make_spec("conv-bigru", **{"length": 80} | values)
    if "length" not in values:
        with pytest.raises(TfbindError, match=message):
            check_sizes(**values)


def test_json_brings_it_back():
    spec = make_spec("conv-bigru", length=80, vocabulary=65, k=3, stride=2)
    assert NetworkSpec(**json.loads(json.dumps(spec.to_dict()))) == spec


def test_needs_nothing_but_the_standard_library():
    code = "import sys, tfbind.networks.spec; print({'numpy', 'keras', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"

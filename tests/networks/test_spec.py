import json
import subprocess
import sys

import pytest

from tfbind.networks.spec import ARCHITECTURES, CELLS, NetworkSpec, make_spec


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


def test_json_brings_it_back():
    spec = make_spec("conv-bigru", length=80, vocabulary=65, k=3, stride=2)
    assert NetworkSpec(**json.loads(json.dumps(spec.to_dict()))) == spec


def test_needs_nothing_but_the_standard_library():
    code = "import sys, tfbind.networks.spec; print({'numpy', 'keras', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"

"""The direction of imports, read from the sources, and what the command line loads before it knows its verb."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tfbind
from tfbind.cli import VERBS

PACKAGE = Path(tfbind.__file__).parent
# rooms, left to right: a module imports from rooms to the left of its own, and from its own; rooms on one line know
# nothing of each other
ROOMS = [
    ("errors",),
    ("files", "process", "progress", "overlap", "versions", "contigs", "steps"),
    ("tables", "hdf5", "yaml_files"),
    ("resume",),
    ("dna",),
    ("genotypes",),
    ("tensor_files",),
    ("tensor_stretches",),
    ("tensors",),
    ("genotype_tensors",),
    ("networks",),
    ("training",),
    ("inference",),
    ("background",),
    ("binding.options", "recombination.options"),
    ("binding.encoding", "recombination.maps"),
    ("binding.model", "recombination.checks"),
    ("binding.learning", "recombination.mapping"),
    ("binding.scanning", "recombination.learning"),
    ("binding.evaluation", "recombination.evaluation"),
    ("binding.interpretation",),
    ("recombination.enrichment",),
    ("report",),
    ("cli",),
]
RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}
# the core takes values: what they mean is for the rooms to the right to know
CORE = {"networks", "training", "inference"}
BIOLOGY = {"dna", "genotypes", "genotype_tensors", "background", "binding", "recombination"}
PARENTS = {room.rpartition(".")[0] for room in RANK} - {""}
MODULES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py") or path.parent.name == "cli"
)
# Python's own modules start fast enough
LIGHT = {"tfbind", *sys.stdlib_module_names}
# what the help of every verb may load, modules of tfbind and of Python; it was 137 when this was written
MOST_MODULES = 180


def imports(module, *, only_at_module_level=False):
    """Absolute names that a module imports; names imported from tfbind itself count as its modules."""
    tree = ast.parse((PACKAGE / module).read_text())
    for node in tree.body if only_at_module_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} is a relative import"
            if node.module == "tfbind":
                yield from (f"tfbind.{alias.name}" for alias in node.names)
            else:
                yield node.module


def room(name):
    """`dna` for ``dna.fasta`` or ``dna/fasta.py``, and `binding.model` for ``binding.model.card``."""
    words = name.removesuffix(".py").replace("/", ".").split(".")
    return ".".join(words[:2]) if words[0] in PARENTS else words[0]


def test_every_room_has_its_place_and_every_place_its_room():
    assert {room(module) for module in MODULES} == set(RANK)


def imported_rooms(module):
    """Pairs of a room and the name that is imported from it."""
    for name in imports(module):
        if name.startswith("tfbind.") and name != "tfbind.__version__":
            yield room(name.removeprefix("tfbind.")), name


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_from_its_right(module):
    here = room(module)
    for there, name in imported_rooms(module):
        assert there == here or RANK[there] < RANK[here], f"{module} imports {name}"


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) in CORE])
def test_the_core_knows_no_biology(module):
    for there, name in imported_rooms(module):
        assert there.split(".")[0] not in BIOLOGY, f"{module} imports {name}"


def test_the_wings_know_nothing_of_each_other():
    for wing, other in (("binding", "recombination"), ("recombination", "binding")):
        for module in MODULES:
            if room(module).split(".")[0] == wing:
                for there, name in imported_rooms(module):
                    assert there.split(".")[0] != other, f"{module} imports {name}"


# a loss is all that a wing may say in TensorFlow
OBJECTIVES = {"background/objective.py", "recombination/learning/objective.py"}


@pytest.mark.parametrize(
    ("library", "rooms", "modules"),
    [
        (
            "h5py",
            {"hdf5", "tensor_files", "tensor_stretches", "tensors", "genotype_tensors", "inference"},
            set(),
        ),
        ("keras", CORE, set()),
        ("tensorflow", CORE, OBJECTIVES),
        ("openvino", {"inference"}, set()),
    ],
)
def test_one_place_for_each_heavy_library(library, rooms, modules):
    users = {module for module in MODULES if library in {name.split(".")[0] for name in imports(module)}}
    assert {module for module in users if room(module) not in rooms} == modules


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) == "cli"])
def test_a_verb_imports_nothing_heavy_at_module_level(module):
    assert {name.split(".")[0] for name in imports(module, only_at_module_level=True)} <= LIGHT


def loaded_by(code):
    """Modules that running ``code`` adds to those of a fresh interpreter."""
    code = (
        f"import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def packages(modules):
    """Top-level names of modules."""
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize("argv", [["--help"], *([verb, "--help"] for verb in VERBS)], ids=" ".join)
def test_help_loads_nothing_heavy(argv):
    loaded = loaded_by(f"from tfbind.cli import main\ntry: main({argv})\nexcept SystemExit: pass")
    assert packages(loaded) <= LIGHT
    assert len(loaded) <= MOST_MODULES


def test_importing_the_command_line_loads_nothing_heavy():
    assert packages(loaded_by("import tfbind.cli")) <= LIGHT


def test_importing_tfbind_loads_nothing_else():
    assert packages(loaded_by("import tfbind")) == {"tfbind"}


def test_tensorflow_waits_until_it_is_prepared():
    loaded = loaded_by("import tfbind.background.fitting, tfbind.binding.learning.training")
    assert not packages(loaded) & {"keras", "tensorflow"}

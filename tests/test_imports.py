"""The direction of imports, read from the sources, and what the command line loads before it knows its verb."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tfbind
from tfbind.cli import VERBS

PACKAGE = Path(tfbind.__file__).parent
ORDER = [
    ("errors",),
    ("files", "process", "progress"),
    ("dna",),
    ("genotypes",),
    ("tensors",),
    ("genotype_tensors",),
    ("networks",),
    ("training",),
    ("inference",),
    ("background",),
    ("binding",),
    ("recombination",),
    ("report",),
    ("cli",),
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
MODULES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.parent != PACKAGE or path.stem in RANK
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


def part(module):
    """`dna` for ``dna/fasta.py`` and `tensors` for ``tensors.py``."""
    return module.split("/")[0].removesuffix(".py")


def test_every_part_has_its_place():
    assert {part(module) for module in MODULES} == set(RANK)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_from_its_right(module):
    for name in imports(module):
        if name.startswith("tfbind.") and name != "tfbind.__version__":
            imported = name.split(".")[1]
            allowed = RANK[imported] < RANK[part(module)] or imported == part(module)
            assert allowed, f"{module} imports {name}"


@pytest.mark.parametrize(
    ("library", "parts"),
    [
        ("h5py", {"tensors", "genotype_tensors", "inference"}),
        ("keras", {"networks", "training", "inference"}),
        ("tensorflow", {"networks", "training", "inference"}),
        ("openvino", {"inference"}),
    ],
)
def test_one_place_for_each_heavy_library(library, parts):
    users = {
        part(module) for module in MODULES if library in {name.split(".")[0] for name in imports(module)}
    }
    assert users <= parts


@pytest.mark.parametrize("module", [module for module in MODULES if part(module) == "cli"])
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

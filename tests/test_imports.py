"""The direction of imports, read from the sources, and what the command line loads before it knows its verb."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tfbind
from tfbind.cli import VERBS

PACKAGE = Path(tfbind.__file__).parent
ORDER = [
    ("errors",),
    ("files", "progress"),
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
HEAVY = (
    "numpy",
    "scipy",
    "pandas",
    "h5py",
    "numba",
    "Bio",
    "sklearn",
    "matplotlib",
    "keras",
    "tensorflow",
    "openvino",
    "msprime",
    "tskit",
    "demes",
    "ruamel",
    "tqdm",
)


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
    found = {name.split(".")[0] for name in imports(module, only_at_module_level=True)}
    assert not found & set(HEAVY)


def loaded_by(code):
    """Top-level packages that a fresh interpreter holds after running ``code``."""
    code += "\nimport sys; print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("argv", [["--help"], *([verb, "--help"] for verb in VERBS)], ids=" ".join)
def test_help_loads_nothing_heavy(argv):
    run = f"from tfbind.cli import main\ntry: main({argv})\nexcept SystemExit: pass"
    assert not loaded_by(run) & set(HEAVY)


def test_importing_the_command_line_loads_nothing_heavy():
    assert not loaded_by("import tfbind.cli") & set(HEAVY)


def test_tensorflow_waits_until_it_is_prepared():
    assert not loaded_by("import tfbind.background.fitting, tfbind.binding.learning.training") & {
        "keras",
        "tensorflow",
    }


def test_help_takes_under_a_second():
    def seconds():
        start = time.monotonic()
        subprocess.run([sys.executable, "-m", "tfbind", "--help"], check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start

    # the quickest of three, as the machine may be busy with other things
    assert min(seconds() for _ in range(3)) < 1

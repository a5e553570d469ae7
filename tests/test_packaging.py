"""What pyproject.toml, constraints.txt and the README promise about installing, held against the code."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tfbind
from tfbind.cli import main
from tfbind.dna.matrices import shipped_matrices
from tfbind.errors import MissingDependencyError, require

ROOT = Path(__file__).parents[1]
PACKAGE = Path(tfbind.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# core packages that tfbind does not import: the workflow is run by Snakemake
NOT_IMPORTED = {"snakemake"}
TEXTS = [
    ROOT / "README.md",
    ROOT / "config" / "README.md",
    *ROOT.glob("profiles/*/*.yaml"),
    *ROOT.glob("workflow/**/*.sh"),
    *PACKAGE.rglob("*.py"),
]


def requirements(*lists):
    """The packages that lists of pyproject.toml name, those of our extras that they refer to included."""
    for line in [line for each in lists for line in each]:
        requirement = Requirement(line)
        if canonicalize_name(requirement.name) == PROJECT["name"]:
            yield from requirements(*(EXTRAS[extra] for extra in sorted(requirement.extras)))
        else:
            yield requirement


def names(*lists):
    return {canonicalize_name(requirement.name) for requirement in requirements(*lists)}


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def imported():
    """From each third-party package that tfbind imports to the modules that do."""
    users: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found = [node.module or ""]
            for module in found:
                top = module.split(".")[0]
                if top != "tfbind" and top not in sys.stdlib_module_names:
                    users.setdefault(top, set()).add(path.relative_to(PACKAGE).as_posix())
    return users


def required():
    """Module and extra of each call of `tfbind.errors.require`."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require":
                module, extra = (ast.literal_eval(argument) for argument in node.args[:2])
                yield module.split(".")[0], extra


def providers(module):
    """Distributions that install a module, by canonical name."""
    return {canonicalize_name(name) for name in packages_distributions().get(module, [module])}


class TestName:
    def test_is_ours_on_the_package_index(self):
        assert PROJECT["name"] == "tfbind-rnn"

    def test_nobody_is_told_to_install_another_project(self):
        for path in TEXTS:
            commands = re.findall(r"pip install[^\n`]*", path.read_text())
            assert not [command for command in commands if re.search(r"[\s'\"]tfbind(?!-rnn)\b", command)], (
                path
            )

    def test_an_environment_of_conda_is_made_from_this_checkout(self):
        script = (ROOT / "workflow" / "envs" / "tfbind.post-deploy.sh").read_text()
        (pattern,) = re.findall(r"grep -qs '(.*)' pyproject.toml", script)
        assert re.search(pattern, (ROOT / "pyproject.toml").read_text(), re.MULTILINE)


class TestLicense:
    def test_files_are_there(self):
        assert PROJECT["license"] == "MIT AND CC-BY-4.0"
        assert PROJECT["license-files"] == ["LICENSE", "src/tfbind/dna/motifs.README.md"]
        assert all((ROOT / name).is_file() for name in PROJECT["license-files"])

    def test_notice_names_every_matrix_that_ships(self):
        notice = (PACKAGE / "dna" / "motifs.README.md").read_text()
        rows = re.findall(r"^\| (MA\S+) \| (\S+) \|$", notice, re.MULTILINE)
        assert rows == [(matrix.id, matrix.name) for matrix in shipped_matrices()]
        assert "https://creativecommons.org/licenses/by/4.0/" in notice


class TestDependencies:
    def test_the_core_has_what_is_imported_and_nothing_else(self):
        core = names(PROJECT["dependencies"])
        assert {name for module in imported() for name in providers(module) & core} == core - NOT_IMPORTED
        assert not {module: users for module, users in imported().items() if not providers(module) & core}

    def test_nothing_imports_snakemake(self):
        assert "snakemake" not in imported()

    def test_an_optional_package_comes_with_the_extra_that_its_error_names(self):
        calls = list(required())
        assert ("pyjaspar", "jaspar") in calls
        for module, extra in calls:
            assert providers(module) & names(EXTRAS[extra]), f"{module} is not in the extra {extra}"

    def test_all_is_every_extra_but_gpu(self):
        assert names(EXTRAS["all"]) == names(
            *(EXTRAS[extra] for extra in EXTRAS if extra not in ("all", "gpu"))
        )

    def test_the_tests_have_what_they_need_beside_the_core(self):
        assert names(EXTRAS["jaspar"], EXTRAS["slurm"]) < names(EXTRAS["test"])

    @pytest.mark.parametrize(
        "requirement",
        sorted(set(requirements(PROJECT["dependencies"], *EXTRAS.values())), key=str),
        ids=str,
    )
    def test_is_pinned_to_a_version_that_is_allowed(self, requirement):
        version = {canonicalize_name(name): version for name, version in pins().items()}
        assert version[canonicalize_name(requirement.name)] in requirement.specifier

    def test_what_these_need_is_pinned_as_well(self):
        pinned = {canonicalize_name(name) for name in pins()}
        waiting = list(requirements(PROJECT["dependencies"], EXTRAS["all"]))
        seen = set()
        while waiting:
            requirement = waiting.pop()
            name, extras = canonicalize_name(requirement.name), requirement.extras or {""}
            if (name, *extras) in seen or name == "setuptools":
                continue
            seen.add((name, *extras))
            assert name in pinned
            try:
                needs = map(Requirement, distribution(name).requires or [])
            except PackageNotFoundError:
                # of an extra that is not installed here
                continue
            waiting += [
                need
                for need in needs
                if not need.marker or any(need.marker.evaluate({"extra": e}) for e in extras)
            ]

    def test_constraints_are_plain_and_sorted(self):
        lines = (ROOT / "constraints.txt").read_text().splitlines()
        found = [line for line in lines if not line.startswith("#")]
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in found)
        assert found == sorted(found, key=lambda line: line.split("==")[0].lower())


class TestReadme:
    TEXT = (ROOT / "README.md").read_text()

    def commands(self):
        """The bash blocks of each section."""
        for section in re.split(r"^## ", self.TEXT, flags=re.MULTILINE):
            yield section, "\n".join(re.findall(r"```(?:sh|bash)\n(.*?)```", section, re.DOTALL))

    def test_installs_the_profile_that_it_uses(self):
        sections = [block for _, block in self.commands() if "--profile profiles/slurm" in block]
        assert sections
        for block in sections:
            assert "slurm" in re.search(r"pip install .*'\.\[(.*)\]'", block)[1].split(",")

    def test_every_extra_it_names_exists(self):
        found = [name for extras in re.findall(r"'\.\[([\w,]+)\]'", self.TEXT) for name in extras.split(",")]
        assert found
        assert set(found) <= set(EXTRAS)

    def test_lists_every_extra(self):
        rows = re.findall(
            r"^\| ((?:`\w+`(?:, )?)+) \|", self.TEXT.split("## Your own FASTA")[0], re.MULTILINE
        )
        assert set(re.findall(r"\w+", " ".join(rows))) == set(EXTRAS)


class TestRequire:
    def test_gives_the_module(self):
        assert require("json.decoder", "jaspar", "a test").JSONDecoder

    def test_says_in_one_line_which_extra_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyjaspar", None)
        with pytest.raises(
            MissingDependencyError, match=r"^a test needs the package pyjaspar, .* -e '\.\[jaspar\]'$"
        ):
            require("pyjaspar", "jaspar", "a test")

    def test_a_package_that_is_broken_is_not_called_missing(self, tmp_path, monkeypatch):
        (tmp_path / "broken_package.py").write_text("import a_module_that_is_not_there")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
            require("broken_package", "jaspar", "a test")

    def test_the_command_exits_with_2(self, monkeypatch, capsys, tmp_path):
        monkeypatch.setitem(sys.modules, "pyjaspar", None)
        arguments = ["--motif", "MA0004.1", "--n", "2", "--length", "30", "-o", str(tmp_path / "out")]
        assert main(["simulate", *arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("tfbind: error: the matrix MA0004.1 needs the package pyjaspar")


class TestLaziness:
    """A real run of a verb, in a process of its own, and what it has loaded when it is done."""

    def loaded(self, *argv):
        code = f"import sys; from tfbind.cli import main; assert main({[str(word) for word in argv]}) == 0"
        code += "\nprint(*{name.split('.')[0] for name in sys.modules})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return set(done.stdout.split())

    def test_predict_loads_no_tensorflow(self, model_path, tmp_path):
        (tmp_path / "in.fa").write_text(f">a\n{'ACGTT' * 30}\n")
        beside = ("--bed", tmp_path / "o.bed", "--bigwig", tmp_path / "o.bw", "--engine", "openvino")
        loaded = self.loaded(
            "predict", "--model", model_path, "--fasta", tmp_path / "in.fa", *beside, "-o", tmp_path / "o.tsv"
        )
        assert (tmp_path / "o.bw").is_file()
        assert {"openvino", "pybigtools", "numpy"} <= loaded
        assert not loaded & {"tensorflow", "keras", "pandas", "sklearn", "matplotlib", "msprime", "snakemake"}

    def test_recombination_predict_loads_no_tensorflow(self, tmp_path):
        vcf = ROOT / "resources" / "recombination" / "sim1.vcf.gz"
        loaded = self.loaded("recombination", "predict", "--vcf", vcf, "-o", tmp_path / "map.tsv")
        assert "openvino" in loaded
        assert not loaded & {"tensorflow", "keras", "sklearn", "matplotlib", "snakemake"}

"""Running the workflow in a folder of its own, so that nothing is left in the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SHEET = "name\tpositives\tnegatives\tpeaks\tgenome\tpredict\n"
POPULATIONS = "name\tvcf\tmask\ttruth\tmutation_rate\n"
SMALL_MODEL = {"architecture": "conv-bigru", "units": 4, "epochs": 2, "batch_size": 32}


class Workflow:
    """The checkout's Snakefile, run in another folder with some of the config changed.

    The folder holds ``reads.fa``, enough for a sheet to name it as any file while nothing is run.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        folder.joinpath("reads.fa").write_text(">a\nACGT\n")
        self.write_sheet("one\treads.fa\n")
        self.config: dict = {"datasets": "sheet.tsv", "populations": ""}

    def write_sheet(self, *rows: str, header: str = SHEET) -> None:
        self.folder.joinpath("sheet.tsv").write_text(header + "".join(rows), newline="")

    def write_populations(self, *rows: str, header: str = POPULATIONS) -> None:
        """Write a sheet of populations and leave the data sets out."""
        self.folder.joinpath("populations.tsv").write_text(header + "".join(rows), newline="")
        self.config |= {"datasets": "", "populations": "populations.tsv"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake; its stdout and stderr come back together as ``stdout``."""
        changed = self.folder / "changed.yaml"
        changed.write_text(yaml.safe_dump(self.config))
        command = [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), *arguments),
            *("--directory", str(self.folder)),
            *("--configfile", str(ROOT / "config" / "config.yaml"), str(changed)),
        ]
        # the rules call tfbind: the one beside this Python
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PATH": path, "TF_CPP_MIN_LOG_LEVEL": "2"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def dry_run(self, *arguments: str) -> str:
        done = self.run("-n", "--cores", "1", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def message(self, *arguments: str) -> str:
        """What a run that must be refused says."""
        done = self.run("-n", "--cores", "1", *arguments)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def simulate(self, motif: str, n: int) -> str:
        """Make a small data set; give its row of the sheet, without the FASTA to score."""
        folder = self.folder / motif
        command = [sys.executable, "-m", "tfbind", "simulate", "--motif", motif, "--n", str(n)]
        subprocess.run([*command, "--length", "60", "-o", str(folder)], check=True)
        return f"{motif}\t{motif}/positives.fa\t{motif}/negatives.fa\t\t"

    def simulate_region(self, length: int) -> tuple[str, str]:
        """Make the genotypes of five diploids with known rates; give the VCF and the true map."""
        command = [sys.executable, "-m", "tfbind", "recombination", "simulate", "--samples", "5", "--perfect"]
        command += ["--mutation-rate", "1.25e-8", "--length", str(length), "--vcf-dir", str(self.folder)]
        subprocess.run([*command, "-o", str(self.folder / "region.h5")], check=True)
        return "sim1.vcf.gz", "sim1.txt"


@pytest.fixture
def workflow(tmp_path) -> Workflow:
    return Workflow(tmp_path)


@pytest.fixture(scope="session")
def crossed(tmp_path_factory) -> Workflow:
    """Two folds and no test part, run on one small data set; the model is chosen of two candidates.

    What is to be scored holds a contig of some thousand windows, and is scored in three pieces.
    """
    workflow = Workflow(tmp_path_factory.mktemp("crossed"))
    records = "".join(f">r{n}\r\nACGTTGCAAT\r\n" for n in range(3000))
    workflow.folder.joinpath("to_score.fa").write_text(records + f">contig\r\n{'ACGTTGCATC' * 60_000}\r\n")
    workflow.write_sheet(workflow.simulate("CTCF", n=80) + "\tto_score.fa\n")
    tuned = SMALL_MODEL | {"learning_rate": [1e-6, 0.02]}
    workflow.config |= {
        "folds": 2,
        "predict": {"pieces": 3},
        "encode": {"length": 60, "split": [0.8, 0.2, 0]},
        "models": {"gkm-bilstm": None, "gkm-linear": None, "conv-bigru": None, "tuned": tuned},
    }
    done = workflow.run("--cores", "2")
    assert done.returncode == 0, done.stdout
    return workflow


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Workflow:
    """The whole workflow, run once on two small data sets; only the first has a FASTA to score."""
    workflow = Workflow(tmp_path_factory.mktemp("finished"))
    workflow.write_sheet(
        workflow.simulate("CTCF", n=80) + "\tCTCF/positives.fa\n", workflow.simulate("MAX", n=60) + "\t\n"
    )
    workflow.config |= {
        "encode": {"length": 60},
        "models": {"gkm-bilstm": None, "gkm-linear": None, "conv-bigru": None, "small": SMALL_MODEL},
    }
    done = workflow.run("--cores", "2")
    assert done.returncode == 0, done.stdout
    return workflow


@pytest.fixture(scope="session")
def mapped(tmp_path_factory) -> Workflow:
    """Two populations, one with a truth and a mutation rate, mapped by a network that the workflow trains."""
    workflow = Workflow(tmp_path_factory.mktemp("mapped"))
    vcf, truth = workflow.simulate_region(200_000)
    workflow.write_populations(f"known\t{vcf}\t\t{truth}\t1.25e-8\n", f"unknown\t{vcf}\n")
    workflow.config["recombination"] = {
        "resolution": [10_000, 50_000],
        "scales": [50_000],
        "retrain": {"replicates": 12, "jobs": 2, "length": 200_000, "samples": 5, "units": 4, "epochs": 1},
    }
    done = workflow.run("--cores", "2")
    assert done.returncode == 0, done.stdout
    return workflow

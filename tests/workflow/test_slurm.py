"""The workflow on a Slurm cluster, through profiles/slurm; tests/workflow/start_slurm.sh starts one."""

import shutil
import subprocess

import pytest

from_sinfo = shutil.which("sinfo") and subprocess.run(
    ["sinfo", "--noheader", "--responding"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
)


@pytest.mark.skipif(
    not from_sinfo or not from_sinfo.stdout.strip(),
    reason="no Slurm is up: run tests/workflow/start_slurm.sh",
)
def test_each_job_runs_as_a_job_of_slurm(workflow):
    workflow.write_sheet(workflow.simulate("CTCF", n=60) + "\tCTCF/positives.fa\n")
    workflow.config |= {
        "encode": {"length": 60},
        "models": {
            "gkm-bilstm": None,
            "gkm-linear": None,
            "conv-bigru": {"units": 4, "epochs": 1, "batch_size": 32},
        },
    }
    done = workflow.run(
        *("--profile", "profiles/slurm", "--latency-wait", "10", "--retries", "0"),
        *("--slurm-status-command", "squeue", "--slurm-no-account"),
        *("--slurm-init-seconds-before-status-checks", "3"),
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("has been submitted with SLURM jobid") == 5
    assert (workflow.folder / "results" / "report.html").is_file()

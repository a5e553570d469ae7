"""The workflow is what Snakemake's own linter asks for."""


def test_snakemake_finds_nothing_to_mend(workflow):
    done = workflow.run("--lint")
    assert done.returncode == 0, done.stdout
    assert "your workflow is in a good condition" in done.stdout

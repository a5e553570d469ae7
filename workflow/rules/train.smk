# A job that was killed leaves its checkpoint beside the model: --resume continues from there, or starts over.
rule train:
    input:
        tensors="results/tensors/{dataset}.h5",
    output:
        model="results/models/{dataset}.{model}{holdout}.keras",
        history="results/models/{dataset}.{model}{holdout}.history.tsv",
        learning=report(
            "results/models/{dataset}.{model}{holdout}.learning.svg",
            caption="../report/learning.rst",
            category="Training",
            labels={"data set": "{dataset}", "model": "{model}{holdout}"},
        ),
    log:
        "results/logs/train/{dataset}.{model}{holdout}.log",
    benchmark:
        "results/benchmarks/train/{dataset}.{model}{holdout}.tsv"
    wildcard_constraints:
        model=any_of(set(MODELS) - set(GRIDS)),
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=get_train_runtime,
        gpu=0,
    params:
        settings=get_train_settings,
        seed=config["seed"],
    shell:
        "tfbind train {input.tensors:q}"
        " {params.settings:q}"
        " --seed {params.seed:q}"
        " --threads {threads}"
        " --resume"
        " -o {output.model:q}"
        " 2> {log:q}"


# One combination of the values that a model's entry lists.
use rule train as train_candidate with:
    output:
        model="results/candidates/{dataset}.{model}{holdout}/{candidate}.keras",
        history="results/candidates/{dataset}.{model}{holdout}/{candidate}.history.tsv",
        learning="results/candidates/{dataset}.{model}{holdout}/{candidate}.learning.svg",
    log:
        "results/logs/train_candidate/{dataset}.{model}{holdout}/{candidate}.log",
    benchmark:
        "results/benchmarks/train_candidate/{dataset}.{model}{holdout}/{candidate}.tsv"
    wildcard_constraints:
        model=any_of(GRIDS),


# The validation part chooses, within each fold the fold's own: nothing that judges a model has chosen it.
rule select:
    input:
        get_candidates,
    output:
        model="results/models/{dataset}.{model}{holdout}.keras",
        table="results/models/{dataset}.{model}{holdout}.grid.tsv",
        history="results/models/{dataset}.{model}{holdout}.history.tsv",
        learning=report(
            "results/models/{dataset}.{model}{holdout}.learning.svg",
            caption="../report/learning.rst",
            category="Training",
            labels={"data set": "{dataset}", "model": "{model}{holdout}"},
        ),
    log:
        "results/logs/select/{dataset}.{model}{holdout}.log",
    benchmark:
        "results/benchmarks/select/{dataset}.{model}{holdout}.tsv"
    wildcard_constraints:
        model=any_of(GRIDS),
    conda:
        "../envs/tfbind.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=30,
    shell:
        "tfbind select {input:q} -o {output.model:q} 2> {log:q}"

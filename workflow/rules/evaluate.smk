rule evaluate:
    input:
        model="results/models/{dataset}.{model}.keras",
        tensors="results/tensors/{dataset}.h5",
    output:
        metrics="results/evaluation/{dataset}.{model}/metrics.json",
        notes="results/evaluation/{dataset}.{model}/notes.json",
        roc="results/evaluation/{dataset}.{model}/roc.tsv",
        pr="results/evaluation/{dataset}.{model}/pr.tsv",
        predictions="results/evaluation/{dataset}.{model}/predictions.tsv",
        calibration="results/evaluation/{dataset}.{model}/calibration.tsv",
        roc_figure=report(
            "results/evaluation/{dataset}.{model}/roc.svg",
            caption="../report/roc.rst",
            category="Evaluation",
            labels={"data set": "{dataset}", "model": "{model}", "curve": "ROC"},
        ),
        pr_figure=report(
            "results/evaluation/{dataset}.{model}/pr.svg",
            caption="../report/pr.rst",
            category="Evaluation",
            labels={
                "data set": "{dataset}",
                "model": "{model}",
                "curve": "precision and recall",
            },
        ),
        calibration_figure=report(
            "results/evaluation/{dataset}.{model}/calibration.svg",
            caption="../report/calibration.rst",
            category="Evaluation",
            labels={
                "data set": "{dataset}",
                "model": "{model}",
                "curve": "calibration",
            },
        ),
    log:
        "results/logs/evaluate/{dataset}.{model}.log",
    benchmark:
        "results/benchmarks/evaluate/{dataset}.{model}.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        directory=lambda wildcards, output: Path(output.metrics).parent,
        seed=config["seed"],
    shell:
        "tfbind evaluate"
        " --model {input.model:q}"
        " --tensors {input.tensors:q}"
        " --split test"
        " --seed {params.seed:q}"
        " --threads {threads}"
        " -o {params.directory:q}"
        " 2> {log:q}"


# Every pair of models on the same test sequences.
rule compare:
    input:
        expand(
            "results/evaluation/{{dataset}}.{model}/predictions.tsv",
            model=sorted(MODELS),
        ),
    output:
        "results/comparison/{dataset}.tsv",
    log:
        "results/logs/compare/{dataset}.log",
    benchmark:
        "results/benchmarks/compare/{dataset}.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        folders=lambda wildcards, input: [Path(file).parent for file in input],
        seed=config["seed"],
    shell:
        "tfbind compare"
        " {params.folders:q}"
        " --seed {params.seed:q}"
        " -o {output:q}"
        " 2> {log:q}"

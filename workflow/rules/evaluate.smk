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

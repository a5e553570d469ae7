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


# The model knows which fold it has not seen.
use rule evaluate as evaluate_fold with:
    input:
        model="results/models/{dataset}.{model}.{fold}.keras",
        tensors="results/tensors/{dataset}.h5",
    output:
        metrics="results/cross_validation/{dataset}.{model}/{fold}/metrics.json",
        notes="results/cross_validation/{dataset}.{model}/{fold}/notes.json",
        roc="results/cross_validation/{dataset}.{model}/{fold}/roc.tsv",
        pr="results/cross_validation/{dataset}.{model}/{fold}/pr.tsv",
        predictions="results/cross_validation/{dataset}.{model}/{fold}/predictions.tsv",
    log:
        "results/logs/evaluate_fold/{dataset}.{model}.{fold}.log",
    benchmark:
        "results/benchmarks/evaluate_fold/{dataset}.{model}.{fold}.tsv"


# What the models find on the test contigs, scanned whole.
rule evaluate_sites:
    input:
        models=expand("results/models/{{dataset}}.{model}.keras", model=sorted(MODELS)),
        tensors="results/tensors/{dataset}.h5",
        genome=get_genome,
        peaks=get_peaks,
        matrix=get_matrix,
    output:
        metrics="results/sites/{dataset}/metrics.json",
        notes="results/sites/{dataset}/notes.json",
        sites="results/sites/{dataset}/sites.tsv.gz",
        pr="results/sites/{dataset}/pr.tsv",
        offsets="results/sites/{dataset}/offsets.tsv",
        pr_figure=report(
            "results/sites/{dataset}/pr.svg",
            caption="../report/sites.rst",
            category="Evaluation",
            labels={"data set": "{dataset}", "curve": "sites, precision and recall"},
        ),
        offset_figure=report(
            "results/sites/{dataset}/offsets.svg",
            caption="../report/sites.rst",
            category="Evaluation",
            labels={"data set": "{dataset}", "curve": "sites, offsets"},
        ),
    log:
        "results/logs/evaluate_sites/{dataset}.log",
    benchmark:
        "results/benchmarks/evaluate_sites/{dataset}.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        directory=lambda wildcards, output: Path(output.metrics).parent,
        settings=get_site_settings,
    shell:
        "tfbind evaluate"
        " --model {input.models:q}"
        " --genome {input.genome:q}"
        " --peaks {input.peaks:q}"
        " --tensors {input.tensors:q}"
        " {params.settings:q}"
        " --threads {threads}"
        " -o {params.directory:q}"
        " 2> {log:q}"


rule gather:
    input:
        expand(
            "results/cross_validation/{{dataset}}.{{model}}/{fold}/metrics.json",
            fold=FOLDS,
        ),
    output:
        metrics="results/cross_validation/{dataset}.{model}/metrics.json",
        notes="results/cross_validation/{dataset}.{model}/notes.json",
        predictions="results/cross_validation/{dataset}.{model}/predictions.tsv",
        roc="results/cross_validation/{dataset}.{model}/roc.tsv",
        mean_roc="results/cross_validation/{dataset}.{model}/mean_roc.tsv",
        pr="results/cross_validation/{dataset}.{model}/pr.tsv",
        mean_pr="results/cross_validation/{dataset}.{model}/mean_pr.tsv",
        roc_figure=report(
            "results/cross_validation/{dataset}.{model}/roc.svg",
            caption="../report/folds.rst",
            category="Cross-validation",
            labels={"data set": "{dataset}", "model": "{model}", "curve": "ROC"},
        ),
        pr_figure=report(
            "results/cross_validation/{dataset}.{model}/pr.svg",
            caption="../report/folds.rst",
            category="Cross-validation",
            labels={
                "data set": "{dataset}",
                "model": "{model}",
                "curve": "precision and recall",
            },
        ),
    log:
        "results/logs/gather/{dataset}.{model}.log",
    benchmark:
        "results/benchmarks/gather/{dataset}.{model}.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=30,
    params:
        folders=lambda wildcards, input: [Path(file).parent for file in input],
        directory=lambda wildcards, output: Path(output.metrics).parent,
    shell:
        "tfbind gather {params.folders:q} -o {params.directory:q} 2> {log:q}"


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

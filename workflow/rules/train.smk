# A job that was killed leaves its checkpoint beside the model: --resume goes on from there, or starts afresh.
rule train:
    input:
        tensors="results/tensors/{dataset}.h5",
    output:
        model="results/models/{dataset}.{model}.keras",
        history="results/models/{dataset}.{model}.history.tsv",
        learning=report(
            "results/models/{dataset}.{model}.learning.svg",
            caption="../report/learning.rst",
            category="Training",
            labels={"data set": "{dataset}", "model": "{model}"},
        ),
    log:
        "results/logs/train/{dataset}.{model}.log",
    benchmark:
        "results/benchmarks/train/{dataset}.{model}.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
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

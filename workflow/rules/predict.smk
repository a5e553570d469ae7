# A job that was killed leaves a partial table: --resume goes on from there, or begins anew after a change.
rule predict:
    input:
        model="results/models/{dataset}.{model}.keras",
        fasta=get_fasta_to_score,
    output:
        scores="results/predictions/{dataset}.{model}.tsv.gz",
    log:
        "results/logs/predict/{dataset}.{model}.log",
    benchmark:
        "results/benchmarks/predict/{dataset}.{model}.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=240,
    shell:
        "tfbind predict"
        " --model {input.model:q}"
        " --fasta {input.fasta:q}"
        " --threads {threads}"
        " --resume anew"
        " -o {output.scores:q}"
        " 2> {log:q}"

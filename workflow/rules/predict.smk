# A job that was killed leaves a partial table: --resume continues it, or starts over after a change.
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
    wildcard_constraints:
        dataset=any_of(SCORED),
        model=any_of(MODELS if N_PIECES == 1 else []),
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=240,
    params:
        settings=as_flags(
            {key: PREDICTION.get(key) for key in ("stride", "precision", "strict")}
        ),
        piece=[],
    shell:
        "tfbind predict"
        " --model {input.model:q}"
        " --fasta={input.fasta:q}"
        " {params.settings:q}"
        " {params.piece:q}"
        " --threads {threads}"
        " --resume anew"
        " -o {output.scores:q}"
        " 2> {log:q}"


# A stretch of the windows, which may begin and end within a contig.
use rule predict as predict_piece with:
    output:
        scores=temp("results/pieces/{dataset}.{model}/{piece}of{pieces}.tsv.gz"),
    log:
        "results/logs/predict_piece/{dataset}.{model}/{piece}of{pieces}.log",
    benchmark:
        "results/benchmarks/predict_piece/{dataset}.{model}/{piece}of{pieces}.tsv"
    wildcard_constraints:
        dataset=any_of(SCORED),
        model=any_of(MODELS),
    params:
        settings=rules.predict.params.settings,
        piece=["--piece", "{piece}/{pieces}"],


# Byte by byte what rule predict would have written.
rule gather_pieces:
    input:
        get_pieces,
    output:
        "results/predictions/{dataset}.{model}.tsv.gz",
    log:
        "results/logs/gather_pieces/{dataset}.{model}.log",
    benchmark:
        "results/benchmarks/gather_pieces/{dataset}.{model}.tsv"
    wildcard_constraints:
        model=any_of(MODELS if N_PIECES > 1 else []),
    conda:
        "../envs/tfbind.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    shell:
        "tfbind gather {input:q} -o {output:q} 2> {log:q}"

rule encode:
    input:
        unpack(get_encode_inputs),
    output:
        tensors="results/tensors/{dataset}.h5",
        summary="results/tensors/{dataset}.summary.json",
    log:
        "results/logs/encode/{dataset}.log",
    benchmark:
        "results/benchmarks/encode/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(DATASETS),
    conda:
        "../envs/tfbind.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        inputs=lambda wildcards, input: as_flags(dict(input.items())),
        settings=get_encode_settings,
        seed=config["seed"],
    shell:
        "tfbind encode"
        " {params.inputs:q}"
        " --factor={wildcards.dataset:q}"
        " {params.settings:q}"
        " --seed {params.seed:q}"
        " -o {output.tensors:q}"
        " 2> {log:q}"

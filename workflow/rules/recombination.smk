# Regions to train on, in jobs with seeds of their own. --resume goes on with what a job that was killed has finished.
rule simulate:
    input:
        unpack(get_simulation_inputs),
    output:
        "results/simulations/{job}.h5",
    log:
        "results/logs/simulate/{job}.log",
    benchmark:
        "results/benchmarks/simulate/{job}.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=480,
    params:
        inputs=lambda wildcards, input: as_flags(dict(input.items())),
        settings=get_simulation_settings,
    shell:
        "tfbind recombination simulate"
        " {params.inputs:q}"
        " {params.settings:q}"
        " --threads {threads}"
        " --resume anew"
        " -o {output:q}"
        " 2> {log:q}"


rule train_rates:
    input:
        get_simulations,
    output:
        model="results/recombination/rates.keras",
        history="results/recombination/rates.history.tsv",
        summary="results/recombination/rates.summary.json",
    log:
        "results/logs/train_rates.log",
    benchmark:
        "results/benchmarks/train_rates.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
        gpu=0,
    params:
        settings=get_rate_training_settings,
        seed=config["seed"],
    shell:
        "tfbind recombination train {input:q}"
        " {params.settings:q}"
        " --seed {params.seed:q}"
        " --threads {threads}"
        " --resume"
        " -o {output.model:q}"
        " 2> {log:q}"


rule map_rates:
    input:
        unpack(get_map_inputs),
    output:
        map="results/recombination/{population}/map.tsv",
        hapmap=directory("results/recombination/{population}/hapmap"),
        hotspots="results/recombination/{population}/hotspots.bed",
        bedgraph="results/recombination/{population}/map.bedgraph",
        notes="results/recombination/{population}/notes.json",
    log:
        "results/logs/map_rates/{population}.log",
    benchmark:
        "results/benchmarks/map_rates/{population}.tsv"
    wildcard_constraints:
        population=any_of(IN_CENTIMORGANS),
    conda:
        "../envs/tfbind.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=240,
    params:
        inputs=lambda wildcards, input: as_flags(dict(input.items())),
        settings=get_map_settings,
        outputs=lambda wildcards, output: as_flags(
            {name: path for name, path in output.items() if name != "map"}
        ),
    shell:
        "tfbind recombination predict"
        " {params.inputs:q}"
        " {params.settings:q}"
        " --threads {threads}"
        " {params.outputs:q}"
        " -o {output.map:q}"
        " 2> {log:q}"


# Without a mutation rate or a genetic length there are no cM, only rates relative to it.
use rule map_rates as map_relative_rates with:
    output:
        map="results/recombination/{population}/map.tsv",
        hotspots="results/recombination/{population}/hotspots.bed",
        bedgraph="results/recombination/{population}/map.bedgraph",
        notes="results/recombination/{population}/notes.json",
    log:
        "results/logs/map_relative_rates/{population}.log",
    benchmark:
        "results/benchmarks/map_relative_rates/{population}.tsv"
    wildcard_constraints:
        population=any_of(n for n in POPULATIONS if n not in IN_CENTIMORGANS),


rule evaluate_map:
    input:
        map="results/recombination/{population}/map.tsv",
        hotspots="results/recombination/{population}/hotspots.bed",
        truth=get_truth,
    output:
        metrics="results/recombination/{population}/evaluation/metrics.json",
        notes="results/recombination/{population}/evaluation/notes.json",
        windows="results/recombination/{population}/evaluation/windows.tsv",
        landscape_figure=report(
            "results/recombination/{population}/evaluation/landscape.svg",
            caption="../report/map_landscape.rst",
            category="Recombination",
            labels={"population": "{population}", "figure": "landscape"},
        ),
        scatter_figure=report(
            "results/recombination/{population}/evaluation/scatter.svg",
            caption="../report/map_scatter.rst",
            category="Recombination",
            labels={"population": "{population}", "figure": "scatter"},
        ),
        calibration_figure=report(
            "results/recombination/{population}/evaluation/calibration.svg",
            caption="../report/map_calibration.rst",
            category="Recombination",
            labels={"population": "{population}", "figure": "calibration"},
        ),
    log:
        "results/logs/evaluate_map/{population}.log",
    benchmark:
        "results/benchmarks/evaluate_map/{population}.tsv"
    wildcard_constraints:
        population=any_of(WITH_TRUTH),
    conda:
        "../envs/tfbind.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        settings=as_flags(
            {
                key: config["recombination"].get(key, None)
                for key in ("scales", "hotspot_factor")
            }
        ),
        directory=lambda wildcards, output: Path(output.metrics).parent,
    shell:
        "tfbind recombination evaluate"
        " --map {input.map:q}"
        " --truth={input.truth:q}"
        " --hotspots {input.hotspots:q}"
        " {params.settings:q}"
        " -o {params.directory:q}"
        " 2> {log:q}"

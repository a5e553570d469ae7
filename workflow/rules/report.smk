rule report:
    input:
        unpack(get_report_inputs),
    output:
        page=report(
            "results/report.html",
            caption="../report/page.rst",
            category="Summary",
        ),
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/tfbind.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    shell:
        "tfbind report results" " -o {output.page:q}" " 2> {log:q}"

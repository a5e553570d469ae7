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
        "tfbind report results"
        " --threads {threads}"
        " -o {output.page:q}"
        " 2> {log:q}"


# A failed job must not cost the page of all others: it shows what has finished and names the rest.
onerror:
    unfinished = get_unfinished(workflow.dag)
    if unfinished is not None:
        left = Path("results/logs/unfinished.txt")
        try:
            left.parent.mkdir(parents=True, exist_ok=True)
            left.write_text("".join(f"{path}\n" for path in unfinished))
        except OSError as error:
            logger.error(f"No page of what has finished: {error}")
        else:
            logger.info(
                f"Writing what has finished into results/report.html. {left} lists the rest."
            )
            shell(
                "tfbind report results --unfinished {left:q} -o results/report.html"
                " 2> results/logs/report.log || tail -n 1 results/logs/report.log >&2"
            )

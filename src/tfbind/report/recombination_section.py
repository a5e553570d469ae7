"""The part of the page that shows recombination maps, as HTML."""

from __future__ import annotations

from html import escape

import pandas as pd

from tfbind.recombination.maps.table import CM_PER_MB, finest
from tfbind.report.html import count, figure, heading, html_table, image, integer, left_out, note_list, number
from tfbind.report.populations import PopulationFolder
from tfbind.report.recombination import map_svg

LIKELY = 0.5
CAPTIONS = {
    "landscape": "Rates along the contigs, and the truth.",
    "scatter": "Prediction against truth, window by window.",
    "calibration": "How many truths lie inside intervals of each level: on the dotted line they are honest.",
}
WHY_NO_RATE = {
    "masked": "no base is accessible",
    "no_sites": "no site in a wide gap",
    "too_few_sites": "the contig has too few sites",
    "too_few_samples": "there are too few samples",
    "clonal": "the contig shows no recombination, as among clones",
    "too_short": "the contig is shorter than a window of the network",
    "sex_linked": "an X or Z: rates are those of an average copy, 2/3 of those of the sex that recombines",
    "pseudoautosomal": "a pseudoautosomal region: rates are the mean of both sexes",
    "not_recombining": "a Y, W, mitochondrion or plastid: rates are not those of crossing over",
    "pseudo_haploid_suspected": "there is a rate, but the calls look like random alleles of both chromosomes",
    "sparse_sites": "there is a rate, that of the surroundings: windows are narrower than the sites can resolve",
    "heterozygote_deficit": "there is a rate, but it is too low if the population is inbred",
    "inbreeding_corrected": "rates are divided by 1 - F",
    "inbreeding_unmeasured": "rates are not divided by 1 - F, since F could not be measured here",
    "rate_at_limit": "there is a rate, but it is as high as any in training, and the true one may be many times higher",
    "local_structure": "there is a rate, but it is too low: the samples are of two kinds, as at an inversion"
    " or after admixture",
    "ld_unexplained": "there is a rate, but gene conversion or genotype errors may make it several times too high",
    "outside_training": "there is a rate, but the data are unlike any that the network has learnt from",
}
HOW_TO_READ_MAPS = f"""The mean rate is that of the windows that have one, and the length theirs together. A
hotspot is a stretch whose rate is many times that of its surroundings; likely ones are those with a
probability of at least {LIKELY:.0%}. Without a mutation rate, rates are multiples of it (r/mu), and there is no length
in cM."""
HOW_TO_READ_METRICS = """The map's windows against the truth. Pearson's correlation of rates and of their logarithms
and Spearman's of ranks: 1 is perfect. R&sup2; asks for the right size, too; below 0, the truth's mean would do better.
Length: the genetic length predicted over the true one. Coverage: the share of true rates inside the 95% interval of
their window. Errors are in cM/Mb (of a map of r/mu, in that). NA: undefined, as with fewer than three windows, or where
map and truth are not in one unit."""


def recombination_part(populations: list[PopulationFolder]) -> str:
    """Show every population's map and its evaluation; nothing where there are none."""
    if not populations:
        return ""
    judged = [population for population in populations if population.metrics]
    counts = [count(len(populations), "population"), count(len(judged), "evaluation")]
    tables = [maps_table(populations), f'<p class="quiet">{HOW_TO_READ_MAPS}</p>\n']
    if judged:
        tables += [evaluations_table(judged), f'<p class="quiet">{HOW_TO_READ_METRICS}</p>\n']
    title = "How fast the genome recombines"
    return "".join([heading(title, counts), *tables, *map(population_section, populations)])


def maps_table(populations: list[PopulationFolder]) -> str:
    """What every map holds, by its finest windows."""
    return html_table(
        [
            *("Population", "Contigs", "Sequence (Mb)", "Sites", "Windows", "Without a rate"),
            *("Mean rate", "Length (cM)", "Hotspots", "Likely ones"),
        ],
        [
            _map_row(population, population.table)
            for population in populations
            if population.table is not None
        ],
    )


def _map_row(population: PopulationFolder, table: pd.DataFrame) -> list[str]:
    windows = finest(table)
    known = windows.dropna(subset=["rate"])
    length = known["end"] - known["start"]
    total = float((known["rate"] * length).sum())
    mean, cm = "NA", "NA"
    if len(known) and population.per_mutation:
        mean = f"{total / length.sum():.3g} mu"
    elif len(known):
        mean, cm = f"{total / length.sum() * CM_PER_MB:.3g} cM/Mb", f"{100 * total:.3f}"
    spots = population.hotspots
    return [
        escape(population.name),
        integer(windows["chrom"].nunique()),
        f"{(windows['end'] - windows['start']).sum() / 1e6:,.2f}",
        integer(int(windows["n_sites"].sum())),
        integer(len(windows)),
        integer(len(windows) - len(known)),
        mean,
        cm,
        integer(None if spots is None else len(spots)),
        integer(None if spots is None else int((spots["probability"] >= LIKELY).sum())),
    ]


def evaluations_table(populations: list[PopulationFolder]) -> str:
    """How well every map agrees with its truth, scale by scale."""
    rows = [
        [
            escape(population.name),
            f"{int(scale):,}",
            integer(metrics.get("n_windows")),
            *(number(metrics.get(name)) for name in ("pearson", "pearson_log", "spearman", "r2")),
            *(number(metrics.get(name)) for name in ("bias_ratio", "coverage95")),
            *(number(_in_unit(metrics.get(name), population)) for name in ("mae", "rmse")),
        ]
        for population in populations
        for scale, metrics in population.metrics.items()
    ]
    head = ["Population", "Scale (bp)", "Windows", "Pearson", "Pearson of logarithms", "Spearman", "R&sup2;"]
    return html_table(
        [*head, "Length, over the true one", "Coverage", "Mean error", "Root mean square"], rows
    )


def _in_unit(rate: float | None, population: PopulationFolder) -> float | None:
    return rate if rate is None or population.per_mutation else rate * CM_PER_MB


def population_section(population: PopulationFolder) -> str:
    """One population's warnings and figures."""
    parts = [f"<section>\n<h2>{escape(population.name)}</h2>\n", note_list(population.warnings)]
    parts.append(left_out(population.faults))
    by_name = {picture.name: picture for picture in population.pictures}
    table = population.table
    if table is not None:
        parts.append(_windows_to_note(table))
        if "landscape" not in by_name and table["rate"].notna().any():
            parts.append(figure(map_svg(table, per_mutation=population.per_mutation)))
    for name in [*CAPTIONS, *sorted(set(by_name) - set(CAPTIONS))]:
        if name in by_name:
            parts.append(image(by_name[name], CAPTIONS.get(name, name)))
    if population.notes:
        parts.append(f'<p class="quiet">Evaluation: {escape("; ".join(population.notes))}.</p>\n')
    return "".join([*parts, "</section>\n"])


def _in_words(note: str) -> str:
    """Say what a note means, or each of several."""
    return "; ".join(WHY_NO_RATE.get(part, part) for part in note.split(","))


def _windows_to_note(table: pd.DataFrame) -> str:
    """Say how many of the finest windows have no rate, or one that is not to be trusted, and why."""
    counts = finest(table)["note"].loc[lambda note: note != ""].value_counts()
    if not len(counts):
        return ""
    told = [f"{n:,} ({escape(_in_words(str(note)))})" for note, n in counts.items()]
    return f'<p class="quiet">Windows with a note: {"; ".join(told)}.</p>\n'

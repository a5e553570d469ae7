import json
import re

import pytest

from tfbind.report.page import write_report
from tfbind.report.populations import read_populations
from tfbind.report.reading import Reader

HEADER = "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\tscale\n"
ROWS = (
    "1\t100\t10000\t1200\t1e-8\t5e-9\t2e-8\t\t10000\n"
    "1\t10000\t20000\t34\t3e-8\t1e-8\t5e-8\toutside_training\t10000\n"
    "2\t0\t10000\t0\tNA\tNA\tNA\tmasked\t10000\n"
    "1\t100\t20000\t1234\t2e-8\t1e-8\t3e-8\t\t20000\n"
)
METRICS = {
    "n_windows": 12,
    "pearson": 0.9123,
    "pearson_log": 0.8,
    "spearman": None,
    "r2": -0.25,
    "mae": 2.5e-9,
    "rmse": 5e-9,
    "bias_ratio": 1.1,
    "coverage95": 0.94,
}


def add_population(results, name, rows=ROWS, first=""):
    folder = results / "recombination" / name
    folder.mkdir(parents=True)
    (folder / "map.tsv").write_text(first + HEADER + rows)
    (folder / "hotspots.bed").write_text(
        "1\t500\t1500\thotspot1\t900\t.\t12.5\t0.9\t2e-7\n1\t5000\t6000\thotspot2\t300\t.\t6\t0.3\t1e-7\n"
    )
    (folder / "notes.json").write_text('["1 pair of samples is <b>related</b>"]')
    return folder


def add_evaluation(folder):
    (folder / "evaluation").mkdir()
    for figure in ("scatter", "landscape", "calibration"):
        (folder / "evaluation" / f"{figure}.svg").write_text("<svg><script>alert(1)</script></svg>")
    (folder / "evaluation" / "notes.json").write_text('["the truth is coarse", "and short"]')
    (folder / "evaluation" / "metrics.json").write_text(json.dumps({"10000": METRICS}))


def page_of(results):
    write_report(results, results / "report.html")
    return (results / "report.html").read_text(encoding="utf-8")


def cells(page, name):
    """The rows of all tables that begin with a population's name."""
    rows = re.findall(rf"<tr><td>{name}</td>(.*?)</tr>", page)
    return [re.findall(r">([^<]*)</td>", row) for row in rows]


class TestMap:
    def test_is_summed_over_its_finest_windows(self, tmp_path):
        add_population(tmp_path, "CEU")
        page = page_of(tmp_path)
        assert "How fast the genome recombines" in page
        assert "Where transcription factors bind" not in page
        assert "1 population, 0 evaluations." in page
        (row,) = cells(page, "CEU")
        assert row == ["2", "0.03", "1,234", "3", "1", "2.01 cM/Mb", "0.040", "2", "1"]

    def test_is_drawn_where_there_is_no_truth(self, tmp_path):
        add_population(tmp_path, "CEU")
        page = page_of(tmp_path)
        assert page.count("<svg") == 1
        assert "prediction, 95% interval" in page
        assert ">truth<" not in page

    def test_without_a_mutation_rate_has_no_length(self, tmp_path):
        rows = "1\t0\t10000\t12\t0.5\t0.2\t1\t\t10000\n"
        add_population(tmp_path, "fish", rows, "# rates are r/mu (no mutation rate was given)\n")
        (row,) = cells(page_of(tmp_path), "fish")
        assert row[5:7] == ["0.5 mu", "NA"]

    def test_without_any_rate_is_a_row_and_a_reason(self, tmp_path):
        add_population(tmp_path, "clones", "1\t0\t10000\t12\tNA\tNA\tNA\tclonal\t10000\n")
        page = page_of(tmp_path)
        assert cells(page, "clones")[0][3:7] == ["1", "1", "NA", "NA"]
        assert "Windows with a note: 1 (the contig shows no recombination, as among clones)." in page
        assert "<svg" not in page

    def test_several_notes_of_a_window(self, tmp_path):
        rows = "X\t0\t10000\t12\t0.5\t0.2\t1\toutside_training,pseudoautosomal\t10000\n"
        add_population(tmp_path, "x", rows)
        assert "has learnt from; a pseudoautosomal region: rates are the mean of both sexes)" in page_of(
            tmp_path
        )

    def test_notes_and_warnings_are_told(self, tmp_path):
        add_population(tmp_path, "CEU")
        page = page_of(tmp_path)
        assert "<li>1 pair of samples is &lt;b&gt;related&lt;/b&gt;</li>" in page
        assert "1 (no base is accessible)" in page
        assert "1 (there is a rate, but the data are unlike any that the network has learnt from)" in page

    def test_stands_alone(self, tmp_path):
        folder = add_population(tmp_path, "CEU")
        for name in ("hotspots.bed", "notes.json"):
            (folder / name).unlink()
        assert cells(page_of(tmp_path), "CEU")[0][-2:] == ["NA", "NA"]


class TestEvaluation:
    @pytest.fixture
    def page(self, tmp_path):
        add_evaluation(add_population(tmp_path, "CEU"))
        return page_of(tmp_path)

    def test_is_a_row_a_scale_in_cm_per_mb(self, page):
        assert cells(page, "CEU")[1] == [
            *("10,000", "12", "0.912", "0.800", "NA", "&minus;0.250", "1.100", "0.940", "0.250", "0.500")
        ]

    def test_shows_its_figures_shut_in_images_in_order(self, page):
        assert re.findall('<img src="data:image/svg[^"]*" alt="([a-z]+)">', page) == [
            *("landscape", "scatter", "calibration")
        ]
        assert "<script" not in page
        assert "<svg" not in page

    def test_tells_its_notes(self, page):
        assert "Evaluation: the truth is coarse; and short." in page

    def test_that_is_not_whole_is_not_shown(self, tmp_path):
        folder = add_population(tmp_path, "CEU")
        add_evaluation(folder)
        (folder / "evaluation" / "metrics.json").unlink()
        (population,) = read_populations(Reader(tmp_path))
        assert (population.metrics, population.notes, population.pictures) == ({}, [], [])


def test_populations_stand_in_the_order_of_their_names(tmp_path):
    for name in ("b", "a"):
        add_population(tmp_path, name)
    assert re.findall("<h2>(.*?)</h2>", page_of(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        ("hotspots.bed", "1\t2\t3\n", "line 1: found 3 cells, expected 9"),
        (
            "hotspots.bed",
            "1\t2\tx\th\t1\t.\t2\t0.5\t1e-8\n",
            "line 1: found end 'x', expected a number",
        ),
        ("map.tsv", "chrom\tstart\tend\n", "found no column 'n_sites', expected a map"),
        (
            "map.tsv",
            HEADER + "1\t0\t10000\t5\t1e308\t1e308\t1e308\t\t10000\n",
            "found a number above 1e+12, which cannot be drawn",
        ),
        ("evaluation/metrics.json", '{"fine": {}}', "'fine' does not match"),
        ("evaluation/metrics.json", '{"10000": {"mae": "1e-9"}}', "at 10000.mae: '1e-9' is not of type"),
        ("notes.json", "[1]", "at 0: 1 is not of type 'string'"),
        ("evaluation/scatter.svg", "", "not SVG (no element found"),
    ],
)
def test_damage_costs_one_file(tmp_path, path, content, problem):
    folder = add_population(tmp_path, "CEU")
    add_evaluation(folder)
    add_population(tmp_path, "YRI")
    (folder / path).write_text(content)
    (fault,) = write_report(tmp_path, tmp_path / "report.html")
    assert fault.startswith(f"{folder / path}: {problem}")
    page = (tmp_path / "report.html").read_text()
    assert page.count(f"<li>recombination/CEU/{path}: ") == 2
    assert re.findall("<h2>(.*?)</h2>", page) == ["CEU", "YRI"]
    assert cells(page, "YRI")


def test_what_did_not_finish_is_passed_over(tmp_path):
    for name in ("CEU", "YRI"):
        add_evaluation(add_population(tmp_path, name))
    left = ["recombination/CEU/map.tsv", "recombination/YRI/evaluation/metrics.json"]
    (population,) = read_populations(Reader(tmp_path, left))
    assert (population.name, population.metrics, population.pictures) == ("YRI", {}, [])


def test_a_contig_without_windows_of_the_drawn_scale(tmp_path):
    add_population(tmp_path, "CEU", ROWS + "3\t0\t20000\t5\t2e-8\t1e-8\t3e-8\t\t20000\n")
    assert write_report(tmp_path, tmp_path / "report.html") == []
    assert "contig 3" not in (tmp_path / "report.html").read_text()

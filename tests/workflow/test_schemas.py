"""What is wrong with a config or a sheet is said in one line, before any job starts."""

import argparse
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from tfbind.binding.options import ENCODINGS, MAX_FOLDS, NEGATIVE_METHODS, EncodeOptions
from tfbind.cli.recombination import register_parser
from tfbind.dna.peak_formats import PEAK_FORMATS
from tfbind.networks.spec import ARCHITECTURES, CELLS

ROOT = Path(__file__).parents[2]
HEADER = "name\tpositives\tnegatives\tpeaks\tgenome\tpredict\n"


def one_line(message: str, pattern: str) -> None:
    lines = [line for line in message.splitlines() if re.search(pattern, line)]
    assert len(lines) == 1, message


class TestConfig:
    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({"dataset": "x.tsv"}, r"^config: dataset: no such key, did you mean datasets$"),
            ({"encode": {"lenght": 50}}, r"^config: encode\.lenght: no such key, did you mean length$"),
            ({"colour": "red"}, r"^config: colour: no such key, expected datasets, populations, seed, .*"),
            ({"seed": "x"}, r"^config: seed: found 'x', expected a whole number of at least 0$"),
            (
                {"encode": {"length": 3}},
                r"^config: encode\.length: found 3, expected a whole number of at least 10",
            ),
            (
                {"encode": {"encoding": "2bit"}},
                r"^config: encode\.encoding: found '2bit', expected onehot or kmer$",
            ),
            (
                {"encode": {"split": [0.8, 0.2]}},
                r"^config: encode\.split: found \[0\.8, 0\.2\], expected three parts",
            ),
            (
                {"encode": {"test_contigs": "chr1"}},
                r"^config: encode\.test_contigs: found 'chr1', expected a list",
            ),
            ({"encode": {"exclude": "none.bed"}}, r"^config: encode\.exclude: no such file: none\.bed$"),
            (
                {"encode": {"peak_format": "narrowpeak"}},
                r"^config: encode\.peak_format: found 'narrowpeak', expected auto, bed, narrowPeak, .* or table$",
            ),
            ({"encode": {"strict": "yes"}}, r"^config: encode\.strict: found 'yes', expected true or false$"),
            ({"predict": {"strict": 1}}, r"^config: predict\.strict: found 1, expected true or false$"),
            (
                {"encode": {"strict": True, "skip_invalid": True}},
                r"^config: encode: found strict and skip_invalid, expected one of them or neither",
            ),
            (
                {"encode": {"keep_excluded_positives": True}},
                r"^config: encode: found keep_excluded_positives without exclude, expected both or neither$",
            ),
            (
                {"encode": {"negative_method": "background"}},
                r"^config: encode: found negative_method 'background' and background None, expected ",
            ),
            (
                {"encode": {"background": "reads.fa"}},
                r"^config: encode: found negative_method None and background 'reads\.fa', expected ",
            ),
            (
                {"predict": {"pieces": 0}},
                r"^config: predict\.pieces: found 0, expected a whole number of at least 1 \(jobs",
            ),
            (
                {"predict": {"precision": "f16"}},
                r"^config: predict\.precision: found 'f16', expected f32 or bf16$",
            ),
            ({"encode": None}, r"^config: encode: found None, expected settings of tfbind encode$"),
            (
                {"models": {"a b": {"architecture": "bilstm"}}},
                r"^config: models: found 'a b', expected a name of let",
            ),
            (
                {"models": {"m": {"units": 8}}},
                r"^config: models\.m\.architecture: is missing, expected gkm-",
            ),
            (
                {"models": {"m": {"architecture": "cnn"}}},
                r"^config: models\.m\.architecture: found 'cnn', expected gkm-",
            ),
            (
                {"models": {"m": {"architecture": "bigru", "epoch": 3}}},
                r"^config: models\.m\.epoch: no such key, did you mean epochs$",
            ),
            (
                {"models": {"gkm-bilstm": None, "gkm-linear": None, "conv-bigru": None}},
                r"^config: models: every model is null \(switched off\), expected one at least$",
            ),
            (
                {"models": {"m": {"architecture": "bigru", "units": [8, 0]}}},
                r"^config: models\.m\.units\.1: found 0, expected a whole number of at least 1$",
            ),
            (
                {"models": {"m": {"architecture": ["bigru", "cnn"]}}},
                r"^config: models\.m\.architecture\.1: found 'cnn', expected gkm-",
            ),
            (
                {"models": {"m": {"architecture": "bigru", "units": [8, 8]}}},
                r"^config: models\.m\.units: found \[8, 8\], expected a list of different values$",
            ),
            (
                {"models": {"m": {"architecture": "bigru", "units": []}}},
                r"^config: models\.m\.units: found \[\], expected a list of different values$",
            ),
            (
                {"models": {"m": {"architecture": "gkm-linear", "layers": 2}}},
                r"^config: models\.m: found layers 2, for which architecture gkm-linear has no use: of cell, un",
            ),
            (
                {"models": {"m": {"architecture": ["bigru", "deepbind"], "layers": [1, 2, 3]}}},
                r"^config: models\.m: found layers 2, for which architecture deepbind has no use: .* takes units$",
            ),
            (
                {"encode": {"encoding": "kmer"}, "models": {"gkm-bilstm": None}},
                r"^config: models\.gkm-linear: found architecture gkm-linear, which reads one-hot tensors, and enc",
            ),
            ({"folds": 1}, r"^config: folds: found 1, expected a whole number from 2 to 255, or nothing"),
            (
                {"encode": {"split": [0.9, 0.1, 0]}},
                r"^config: encode\.split: found no test part and no folds, nothing could be evaluated",
            ),
            ({"datasets": "none.tsv"}, r"^config: datasets: no such file: none\.tsv$"),
            ({"populations": "none.tsv"}, r"^config: populations: no such file: none\.tsv$"),
        ],
    )
    def test_mistake_is_named(self, workflow, changed, expected):
        workflow.config |= changed
        one_line(workflow.message(), expected)

    def test_nothing_to_do_is_refused(self, workflow):
        one_line(
            workflow.message("--config", "datasets=", "populations="),
            r"^config: found neither datasets nor populations, nothing is left to do",
        )


class TestRecombination:
    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            (
                {"resolution": 5000},
                r"^config: recombination\.resolution: found 5000, expected a list of different window lengths",
            ),
            ({"scales": [0]}, r"^config: recombination\.scales\.0: found 0, expected a whole number of at l"),
            ({"scale": [1]}, r"^config: recombination\.scale: no such key, did you mean scales$"),
            ({"model": "none.keras"}, r"^config: recombination: model: no such file: none\.keras$"),
            (
                {"retrain": {"replicates": 9}},
                r"^config: recombination\.retrain\.jobs: is missing, expected a whole number of at least 1 \(",
            ),
            (
                {"retrain": {"replicates": 9, "jobs": 2, "prior": "none.yaml"}},
                r"^config: recombination: retrain\.prior: no such file: none\.yaml$",
            ),
            (
                {"retrain": {"replicates": 9, "jobs": 2, "demography": "reads.fa"}},
                r"^config: recombination\.retrain: found demography without mutation_rate, expected both$",
            ),
            (
                {"retrain": {"replicates": 9, "jobs": 2, "rate_map": "reads.fa"}},
                r"^config: recombination\.retrain: found rate_map without mutation_rate, expected both$",
            ),
            (
                {"retrain": {"replicates": 9, "jobs": 2, "deme": "YRI"}},
                r"^config: recombination\.retrain: found deme without demography, expected both$",
            ),
            (
                {"retrain": {"replicates": 9, "jobs": 2, "start": "rates.keras"}},
                r"^config: recombination\.retrain\.start: found 'rates\.keras', expected shipped, to go on",
            ),
            (
                {"retrain": {"replicates": 9, "jobs": 2, "start": "shipped", "units": 32}},
                r"^config: recombination\.retrain: found units and start, expected one of them:",
            ),
            (
                {"retrain": {"replicates": 9, "jobs": 2, "perfect": "yes"}},
                r"^config: recombination\.retrain\.perfect: found 'yes', expected true or false$",
            ),
            (
                {"hotspot_factor": 0},
                r"^config: recombination\.hotspot_factor: found 0, expected a number above",
            ),
            (
                {"retrain": {"replicates": 9, "jobs": 2}, "model": "reads.fa"},
                r"^config: recombination: found model 'reads\.fa' and retrain, expected one of them or neither",
            ),
        ],
    )
    def test_mistake_in_the_config(self, workflow, changed, expected):
        workflow.write_populations("p\treads.fa\n")
        workflow.config["recombination"] = changed
        one_line(workflow.message(), expected)

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ("p\tnone.vcf\n", r"^populations\.tsv: line 2: vcf: no such file: none\.vcf$"),
            ("p\n", r"^populations\.tsv: line 2: vcf: is missing, expected a VCF or BCF of the population"),
            ("p\treads.fa\tnone.bed\n", r"^populations\.tsv: line 2: mask: no such file: none\.bed$"),
            (
                "p\treads.fa\np\treads.fa\n",
                r"^populations\.tsv: line 3: name: found 'p' again \(first on line 2\), exp",
            ),
            ("p q\treads.fa\n", r"^populations\.tsv: line 2: name: found 'p q', expected a name of letters"),
            ("", r"^populations\.tsv: found no population, expected a row for each$"),
            *(
                (
                    f"p\treads.fa\t\t\t{rate}\n",
                    rf"^populations\.tsv: line 2: mutation_rate: found '{rate}', expected a number above 0 \(",
                )
                for rate in ("0", "0e-8", "-1e-8", "1,2e-8", "fast")
            ),
        ],
    )
    def test_mistake_in_the_sheet(self, workflow, rows, expected):
        workflow.write_populations(rows)
        one_line(workflow.message(), expected)

    @pytest.mark.parametrize(
        ("column", "cell", "expected"),
        [
            ("samples", "none.txt", "no such file: none.txt"),
            ("unphased", "1", "found '1', expected yes or no"),
            ("genetic_length", "none.txt", "no such file: none.txt"),
            ("inbreeding", "1", "found '1', expected auto, or a number of at least 0 and below 1"),
            *(
                ("diversity", cell, f"found '{cell}', expected a number above 0 and below 1 (")
                for cell in "051x"
            ),
            ("diversity", "0.000", "found '0.000', expected a number above 0 and below 1 ("),
        ],
    )
    def test_mistake_in_an_optional_column(self, workflow, column, cell, expected):
        workflow.write_populations(f"p\treads.fa\t{cell}\n", header=f"name\tvcf\t{column}\n")
        one_line(workflow.message(), rf"^populations\.tsv: line 2: {column}: {re.escape(expected)}")

    def test_mistake_in_the_column_names(self, workflow):
        workflow.write_populations("", header="name\tpositives\n")
        one_line(
            workflow.message(),
            r"^populations\.tsv: line 1: no such column: 'positives', expected name, vcf, mask, truth, mut",
        )

    def test_sheet_from_a_spreadsheet_is_read(self, workflow):
        workflow.write_populations(
            "p\treads.fa\r\n", "\t\t\r\n", header="\ufeffname\tvcf\tmask\ttruth\tmutation_rate\r\n"
        )
        assert "tfbind recombination predict --vcf reads.fa " in workflow.dry_run()


class TestSheet:
    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ("a\tnone.fa\n", r"^sheet\.tsv: line 2: positives: no such file: none\.fa$"),
            (
                "a\treads.fa\na\treads.fa\n",
                r"^sheet\.tsv: line 3: name: found 'a' again \(first on line 2\), exp",
            ),
            (
                "a.b\treads.fa\n",
                r"^sheet\.tsv: line 2: name: found 'a\.b', expected a name of letters, digits, _ and -",
            ),
            ("\treads.fa\n", r"^sheet\.tsv: line 2: name: is missing, expected a name of letters"),
            (
                "\n\na\t\n",
                r"^sheet\.tsv: line 4: found neither positives nor peaks nor a table, expected one of them$",
            ),
            ("a\t\t\treads.fa\n", r"^sheet\.tsv: line 2: found peaks without a genome, expected the FASTA"),
            ("a\treads.fa\t\t\treads.fa\n", r"^sheet\.tsv: line 2: found a genome without peaks"),
            (
                "a\t\treads.fa\treads.fa\treads.fa\n",
                r"^sheet\.tsv: line 2: found negatives without positives",
            ),
            (
                "a\treads.fa\t\treads.fa\treads.fa\n",
                r"^sheet\.tsv: line 2: found both positives and peaks, expected one",
            ),
            ("a\treads.fa\t\t\t\t\treads.fa\n", r"^sheet\.tsv: line 2: found 7 cells, expected 6$"),
            ("", r"^sheet\.tsv: found no data set, expected a row for each$"),
        ],
    )
    def test_mistake_is_named_with_its_line(self, workflow, rows, expected):
        workflow.write_sheet(rows)
        one_line(workflow.message(), expected)

    @pytest.mark.parametrize(
        ("columns", "expected"),
        [
            ("table positives", "found both a table and positives, expected one of them"),
            ("table peaks genome", "found both a table and peaks, expected one of them"),
            ("positives test_table", "found validation_table or test_table without a table, expected"),
            ("table test_positives", "found files of a held-out part without positives, expected those of"),
            ("positives test_negatives", "found test_negatives without test_positives, expected both"),
            (
                "positives negatives validation_positives",
                "found negatives and validation_positives without validation_negatives, expected negatives of",
            ),
            (
                "positives negatives test_positives",
                "found negatives and test_positives without test_negatives, expected negatives of each part",
            ),
        ],
    )
    def test_columns_that_do_not_go_together(self, workflow, columns, expected):
        cells = columns.split()
        workflow.write_sheet("a" + "\treads.fa" * len(cells), header="\t".join(["name", *cells]) + "\n")
        one_line(workflow.message(), rf"^sheet\.tsv: line 2: {expected}")

    def test_nothing_could_be_evaluated(self, workflow):
        workflow.write_sheet("a\treads.fa\treads.fa\n", header="name\ttable\tvalidation_table\n")
        one_line(workflow.message(), r"^sheet\.tsv: found no test part of any data set and no folds, nothing")

    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            (
                "name\tpositive\n",
                r"^sheet\.tsv: line 1: no such column: 'positive', expected name, positives, ",
            ),
            (
                "name,positives\n",
                r"^sheet\.tsv: line 1: no such column: 'name,positives', .* separated by tabs$",
            ),
            ("positives\n", r"^sheet\.tsv: line 1: column name is missing"),
            ("name\tname\tpositives\n", r"^sheet\.tsv: line 1: column name is there twice"),
            ("", r"^sheet\.tsv: line 1: column name is missing"),
        ],
    )
    def test_mistake_in_the_column_names(self, workflow, header, expected):
        workflow.write_sheet("", header=header)
        one_line(workflow.message(), expected)

    def test_sheet_from_a_spreadsheet_is_read(self, workflow):
        workflow.write_sheet(
            "a\treads.fa\r\n", "\t\t\r\n", "\r\n", header="\ufeff" + HEADER.replace("\n", "\r\n")
        )
        assert "--positives reads.fa --factor=a" in workflow.dry_run()


class TestOneTable:
    """The schema, the demo's config and the manual speak of what the package has."""

    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())["properties"]
    model = schema["models"]["additionalProperties"]["properties"]
    retrain = schema["recombination"]["properties"]["retrain"]["properties"]

    def test_encode(self):
        encode = self.schema["encode"]["properties"]
        assert set(encode) == {field.name for field in fields(EncodeOptions)} - {"seed", "folds"}
        assert self.schema["folds"]["maximum"] == MAX_FOLDS
        assert encode["encoding"]["enum"] == [*ENCODINGS, None]
        assert encode["peak_format"]["enum"] == [*PEAK_FORMATS, None]
        assert encode["negative_method"]["enum"] == [*NEGATIVE_METHODS, None]

    def test_models(self):
        assert self.model["architecture"]["else"]["enum"] == list(ARCHITECTURES)
        assert self.model["cell"]["else"]["enum"] == [*CELLS, None]
        assert all(key["then"]["items"] == key["else"] for key in self.model.values())

    def test_retraining(self):
        parser = argparse.ArgumentParser()
        register_parser(parser.add_subparsers())
        simulate, train = "recombination simulate -o s.h5", "recombination train s.h5 -o m.keras"
        known = {name for line in (simulate, train) for name in vars(parser.parse_args(line.split()))}
        assert set(self.retrain) - known == {"jobs"}

    def test_the_config_shows_every_key(self):
        config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
        assert set(config) == set(self.schema)
        for part in ("encode", "recombination"):
            assert set(config[part]) == set(self.schema[part]["properties"])

    def test_the_manual_explains_every_key(self):
        manual = (ROOT / "config/README.md").read_text()
        keys = {*self.schema, *self.model, *self.retrain}
        keys |= {key for part in ("encode", "recombination") for key in self.schema[part]["properties"]}
        keys |= set(
            yaml.safe_load((ROOT / "workflow/schemas/populations.schema.yaml").read_text())["properties"]
        )
        assert [key for key in sorted(keys) if f"`{key}`" not in manual] == []

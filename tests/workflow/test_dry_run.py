"""Which jobs the workflow plans, and which commands they run."""

import re
from collections import Counter

import pytest


def planned(output: str) -> Counter:
    """Count the commands of a dry run by verb."""
    return Counter(
        re.findall(r"^Shell command: tfbind ((?:recombination )?\w+) ", output, flags=re.MULTILINE)
    )


def command(output: str, verb: str) -> str:
    found = re.search(rf"^Shell command: (tfbind {verb} .*?) 2> ", output, flags=re.MULTILINE)
    return re.sub(" +", " ", found[1])


class TestJobs:
    def test_each_data_set_with_each_model(self, workflow):
        workflow.write_sheet("a\treads.fa\n", "b\treads.fa\t\t\t\treads.fa\n")
        workflow.config["models"] = {"third": {"architecture": "bilstm"}}
        assert planned(workflow.dry_run()) == {
            "encode": 2,
            "train": 8,
            "evaluate": 8,
            "predict": 4,
            "compare": 2,
            "report": 1,
        }

    def test_null_switches_a_model_off(self, workflow):
        workflow.config["models"] = {"conv-bigru": None}
        assert planned(workflow.dry_run()) == {
            "encode": 1,
            "train": 2,
            "evaluate": 2,
            "compare": 1,
            "report": 1,
        }

    def test_sheet_named_on_the_command_line(self, workflow):
        del workflow.config["datasets"]
        assert "-o results/tensors/one.h5" in workflow.dry_run(
            "--config", "datasets=sheet.tsv", "populations="
        )


ONE_MODEL = {"gkm-bilstm": None, "gkm-linear": None, "conv-bigru": {"architecture": "conv-bigru"}}


class TestFolds:
    def test_a_model_a_fold_beside_the_one_of_all_folds(self, workflow):
        workflow.config |= {"folds": 3, "models": ONE_MODEL | {"gkm-linear": {"architecture": "gkm-linear"}}}
        output = workflow.dry_run()
        assert planned(output) == {
            "encode": 1,
            "train": 2 * (1 + 3),
            "evaluate": 2 * (1 + 3),
            "gather": 2,
            "compare": 1,
            "report": 1,
        }
        assert " --folds 3 " in command(output, "encode")

    def test_without_a_test_part_nothing_else_is_evaluated(self, workflow):
        workflow.config |= {"folds": 5, "models": ONE_MODEL, "encode": {"split": [0.9, 0.1, 0]}}
        output = workflow.dry_run()
        assert planned(output) == {"encode": 1, "train": 6, "evaluate": 5, "gather": 1, "report": 1}
        folders = " ".join(f"results/cross_validation/one.conv-bigru/fold{fold}" for fold in range(1, 6))
        assert command(output, "gather") == (
            f"tfbind gather {folders} -o results/cross_validation/one.conv-bigru"
        )

    def test_a_fold_by_name(self, workflow):
        workflow.config |= {"folds": 3, "models": ONE_MODEL}
        output = workflow.dry_run("results/cross_validation/one.conv-bigru/fold2/metrics.json")
        assert command(output, "train") == (
            "tfbind train results/tensors/one.h5 --architecture conv-bigru --fold 2"
            " --seed 0 --threads 1 --resume -o results/models/one.conv-bigru.fold2.keras"
        )
        assert command(output, "evaluate") == (
            "tfbind evaluate --model results/models/one.conv-bigru.fold2.keras --tensors results/tensors/one.h5"
            " --split test --seed 0 --threads 1 -o results/cross_validation/one.conv-bigru/fold2"
        )


def test_an_ensemble_has_its_seeds_and_its_time(workflow):
    workflow.config["models"] = ONE_MODEL | {"conv-bigru": {"architecture": "conv-bigru", "seeds": 5}}
    output = workflow.dry_run("results/models/one.conv-bigru.keras")
    assert planned(output) == {"encode": 1, "train": 1}
    assert " --architecture conv-bigru --seeds 5 --seed 0 " in command(output, "train")
    assert f"runtime={480 * 5}" in output


GRID = {"architecture": "conv-bigru", "units": [32, 64], "learning_rate": [0.005, 0.02]}


class TestGrid:
    def test_every_combination_is_trained_and_the_best_one_evaluated(self, workflow):
        workflow.config["models"] = ONE_MODEL | {"conv-bigru": GRID}
        output = workflow.dry_run()
        assert planned(output) == {"encode": 1, "train": 4, "select": 1, "evaluate": 1, "report": 1}
        names = [f"learning_rate-{rate}_units-{n}" for rate in ("0p005", "0p02") for n in (32, 64)]
        paths = " ".join(f"results/candidates/one.conv-bigru/{name}.keras" for name in names)
        assert command(output, "select") == f"tfbind select {paths} -o results/models/one.conv-bigru.keras"
        assert "--model results/models/one.conv-bigru.keras --" in command(output, "evaluate")

    def test_an_architectures_own_value_may_be_listed(self, workflow):
        both = {"architecture": ["conv-bigru", "deepbind"], "layers": [1, None], "units": [8, 16]}
        workflow.config["models"] = ONE_MODEL | {"conv-bigru": both}
        assert planned(workflow.dry_run())["train"] == 8

    def test_a_combination_has_its_own_settings(self, workflow):
        workflow.config["models"] = ONE_MODEL | {"conv-bigru": GRID}
        output = workflow.dry_run("results/candidates/one.conv-bigru/learning_rate-0p005_units-64.keras")
        assert planned(output) == {"encode": 1, "train": 1}
        assert " --architecture conv-bigru --learning-rate 0.005 --units 64 --seed 0 " in command(
            output, "train"
        )

    def test_within_each_fold(self, workflow):
        workflow.config |= {"folds": 3, "models": ONE_MODEL | {"conv-bigru": GRID}}
        output = workflow.dry_run("results/models/one.conv-bigru.fold3.keras")
        assert planned(output) == {"encode": 1, "train": 4, "select": 1}
        trained = [line for line in output.splitlines() if line.startswith("Shell command: tfbind train")]
        assert all(" --fold 3 " in line and "/one.conv-bigru.fold3/" in line for line in trained)


class TestRecombination:
    def test_a_map_a_population_and_an_evaluation_where_there_is_a_truth(self, workflow):
        workflow.write_populations("a\treads.fa\n", "b\treads.fa\t\treads.fa\n")
        assert planned(workflow.dry_run()) == {
            "recombination predict": 2,
            "recombination evaluate": 1,
            "report": 1,
        }

    def test_beside_data_sets(self, workflow):
        workflow.write_populations("a\treads.fa\n")
        workflow.config |= {"datasets": "sheet.tsv", "models": ONE_MODEL}
        verbs = ("encode", "train", "evaluate", "recombination predict", "report")
        assert planned(workflow.dry_run()) == dict.fromkeys(verbs, 1)

    def test_commands(self, workflow):
        workflow.write_populations("p\treads.fa\treads.fa\treads.fa\t1.25e-8\n")
        workflow.config["recombination"] = {"resolution": [5000, 50000], "scales": [50000]}
        output = workflow.dry_run()
        assert command(output, "recombination predict") == (
            "tfbind recombination predict --vcf reads.fa --mask reads.fa"
            " --mutation-rate 1.25e-8 --resolution 5000,50000 --threads 1"
            " --hapmap results/recombination/p/hapmap --hotspots results/recombination/p/hotspots.bed"
            " --bedgraph results/recombination/p/map.bedgraph --notes results/recombination/p/notes.json"
            " -o results/recombination/p/map.tsv"
        )
        assert command(output, "recombination evaluate") == (
            "tfbind recombination evaluate --map results/recombination/p/map.tsv --truth=reads.fa"
            " --hotspots results/recombination/p/hotspots.bed --scales 50000"
            " -o results/recombination/p/evaluation"
        )

    def test_what_the_maps_warnings_advise(self, workflow):
        header = "name\tvcf\tsamples\tdiversity\tunphased\ttruth\n"
        workflow.write_populations("p\treads.fa\treads.fa\t0.0008\tyes\treads.fa\n", header=header)
        workflow.config["recombination"] = {"hotspot_factor": 3.5}
        output = workflow.dry_run()
        assert " --vcf reads.fa --samples reads.fa --diversity 0.0008 --unphased --resolution" in command(
            output, "recombination predict"
        )
        for verb in ("predict", "evaluate"):
            assert " --hotspot-factor 3.5 " in command(output, f"recombination {verb}")
        workflow.write_populations("p\treads.fa\t\t\tno\n", header=header)
        assert "--unphased" not in command(workflow.dry_run(), "recombination predict")

    @pytest.mark.parametrize("length", ["62.5", "reads.fa"])
    def test_a_genetic_length_is_a_number_or_a_file(self, workflow, length):
        header = "name\tvcf\tgenetic_length\tinbreeding\n"
        workflow.write_populations(f"p\treads.fa\t{length}\tauto\n", header=header)
        found = command(workflow.dry_run(), "recombination predict")
        assert f" --genetic-length {length} " in found
        assert " --inbreeding auto " in found
        assert " --hapmap " in found

    def test_ploidies_and_pseudoautosomal_regions(self, workflow):
        workflow.write_populations("p\treads.fa\treads.fa\treads.fa\n", header="name\tvcf\tploidy\tpar\n")
        found = command(workflow.dry_run(), "recombination predict")
        assert " --ploidy reads.fa --par reads.fa " in found

    def test_without_a_mutation_rate_there_are_no_centimorgans(self, workflow):
        workflow.write_populations("p\treads.fa\n")
        found = command(workflow.dry_run(), "recombination predict")
        assert "--mutation-rate" not in found
        assert "--hapmap" not in found
        assert "--hotspots" in found

    def test_a_model_of_the_users_own(self, workflow):
        workflow.write_populations("p\treads.fa\n")
        workflow.config["recombination"] = {"model": "reads.fa"}
        assert " --model reads.fa " in command(workflow.dry_run(), "recombination predict")

    def test_retraining_simulates_in_jobs_with_seeds_of_their_own(self, workflow):
        workflow.write_populations("p\treads.fa\n")
        workflow.config["seed"] = 7
        workflow.config["recombination"] = {
            "retrain": {
                "replicates": 50,
                "jobs": 3,
                "length": 500000,
                "prior": "reads.fa",
                "start": "shipped",
                "epochs": 2,
            }
        }
        output = workflow.dry_run()
        assert planned(output) == {
            "recombination simulate": 3,
            "recombination train": 1,
            "recombination predict": 1,
            "report": 1,
        }
        jobs = [line for line in output.splitlines() if line.startswith("Shell command: tfbind rec")]
        simulations = {re.sub(" +", " ", line.split(" 2> ")[0]) for line in jobs if " simulate " in line}
        assert simulations == {
            "Shell command: tfbind recombination simulate --prior reads.fa --length 500000 --replicates 50"
            f" --seed {1007 + job} --threads 1 --resume anew -o results/simulations/{job}.h5"
            for job in (1, 2, 3)
        }
        assert command(output, "recombination train") == (
            "tfbind recombination train results/simulations/1.h5 results/simulations/2.h5"
            " results/simulations/3.h5 --epochs 2 --start shipped --seed 7 --threads 1 --resume"
            " -o results/recombination/rates.keras"
        )
        assert " --model results/recombination/rates.keras " in command(output, "recombination predict")

    def test_retraining_on_a_population_and_a_map_of_the_users_own(self, workflow):
        workflow.write_populations("p\treads.fa\n")
        known = {"demography": "reads.fa", "deme": "YRI", "rate_map": "reads.fa", "mutation_rate": 1.25e-8}
        workflow.config["recombination"] = {"retrain": {"replicates": 5, "jobs": 1, "perfect": True} | known}
        found = command(workflow.dry_run(), "recombination simulate")
        assert found.startswith(
            "tfbind recombination simulate --demography reads.fa --rate-map reads.fa --deme YRI"
            " --mutation-rate 1.25e-08 --perfect --replicates 5 --seed 1"
        )
        workflow.config["recombination"]["retrain"]["perfect"] = False
        assert "--perfect" not in command(workflow.dry_run(), "recombination simulate")


class TestCommands:
    def test_settings_become_flags(self, workflow):
        workflow.config["encode"] = {
            "length": 60,
            "negative_ratio": 2,
            "split": [0.6, 0.2, 0.2],
            "max_peaks": 9,
        }
        workflow.config["models"] = {
            "gkm-bilstm": None,
            "gkm-linear": None,
            "conv-bigru": {"batch_size": 32, "learning_rate": 0.01},
        }
        workflow.config["seed"] = 7
        output = workflow.dry_run()
        assert command(output, "encode") == (
            "tfbind encode --positives reads.fa --factor=one"
            " --length 60 --negative-ratio 2 --split 0.6,0.2,0.2"
            " --seed 7 -o results/tensors/one.h5"
        )
        assert command(output, "train") == (
            "tfbind train results/tensors/one.h5"
            " --architecture conv-bigru --batch-size 32 --learning-rate 0.01"
            " --seed 7 --threads 1 --resume -o results/models/one.conv-bigru.keras"
        )

    def test_a_prediction_goes_on_where_its_job_was_killed(self, workflow):
        workflow.write_sheet("a\treads.fa\t\t\t\treads.fa\n")
        workflow.config["models"] = ONE_MODEL
        assert command(workflow.dry_run(), "predict") == (
            "tfbind predict --model results/models/a.conv-bigru.keras --fasta=reads.fa --threads 1"
            " --resume anew -o results/predictions/a.conv-bigru.tsv.gz"
        )

    def test_a_large_fasta_is_scored_in_pieces(self, workflow):
        workflow.write_sheet("a\treads.fa\t\t\t\treads.fa\n", "b\treads.fa\n")
        workflow.config |= {"models": ONE_MODEL, "predict": {"pieces": 12, "stride": 25}}
        output = workflow.dry_run()
        verbs = {"encode": 2, "train": 2, "evaluate": 2, "predict": 12, "gather": 1, "report": 1}
        assert planned(output) == verbs
        assert command(output, "gather") == (
            f"tfbind gather {' '.join(f'results/pieces/a.conv-bigru/{k}of12.tsv.gz' for k in range(1, 13))}"
            " -o results/predictions/a.conv-bigru.tsv.gz"
        )
        assert command(workflow.dry_run("results/pieces/a.conv-bigru/7of12.tsv.gz"), "predict") == (
            "tfbind predict --model results/models/a.conv-bigru.keras --fasta=reads.fa --stride 25 --piece 7/12"
            " --threads 1 --resume anew -o results/pieces/a.conv-bigru/7of12.tsv.gz"
        )

    def test_k_mers_for_what_reads_them(self, workflow):
        workflow.config |= {"encode": {"encoding": "kmer", "k": 4}, "models": ONE_MODEL}
        assert " --encoding kmer --k 4 " in command(workflow.dry_run(), "encode")

    def test_peaks_with_what_no_negative_may_touch(self, workflow):
        workflow.write_sheet("p\t\t\treads.fa\treads.fa\n")
        workflow.config["encode"] = {"exclude": "reads.fa", "max_peaks": 9, "test_contigs": ["chr1", 8]}
        assert command(workflow.dry_run(), "encode") == (
            "tfbind encode --peaks reads.fa --genome reads.fa --exclude reads.fa --factor=p"
            " --max-peaks 9 --test-contigs chr1,8"
            " --seed 0 -o results/tensors/p.h5"
        )

    @pytest.mark.parametrize("matrix", ["MA0139.2", "reads.fa", ""])
    def test_sites_of_peaks_are_evaluated(self, workflow, matrix):
        header = "name\tpositives\tnegatives\tpeaks\tgenome\tpwm\tpredict\n"
        workflow.write_sheet(f"p\t\t\treads.fa\treads.fa\t{matrix}\n", header=header)
        workflow.config["encode"] = {"skip_invalid": True}
        models = " ".join(
            f"results/models/p.{name}.keras" for name in ("conv-bigru", "gkm-bilstm", "gkm-linear")
        )
        assert command(workflow.dry_run(), r"evaluate --model \S+ \S+ \S+ --genome") == (
            f"tfbind evaluate --model {models} --genome reads.fa --peaks reads.fa --tensors results/tensors/p.h5"
            + (f" --pwm {matrix}" if matrix else "")
            + " --skip-invalid --threads 1 -o results/sites/p"
        )

    def test_settings_of_peaks_go_to_peaks_only(self, workflow):
        workflow.config["encode"] = {
            "exclude": "reads.fa",
            "keep_excluded_positives": True,
            "peak_format": "macs",
            "skip_invalid": True,
            "strict": False,
        }
        workflow.write_sheet("p\t\t\treads.fa\treads.fa\n")
        assert command(workflow.dry_run(), "encode") == (
            "tfbind encode --peaks reads.fa --genome reads.fa --exclude reads.fa --factor=p"
            " --keep-excluded-positives --peak-format macs --skip-invalid --seed 0 -o results/tensors/p.h5"
        )
        workflow.write_sheet("p\treads.fa\n")
        assert command(workflow.dry_run(), "encode") == (
            "tfbind encode --positives reads.fa --factor=p --skip-invalid --seed 0 -o results/tensors/p.h5"
        )

    def test_strict(self, workflow):
        workflow.write_sheet("p\t\t\treads.fa\treads.fa\treads.fa\n")
        workflow.config |= {"encode": {"strict": True}, "predict": {"strict": True}, "models": ONE_MODEL}
        output = workflow.dry_run()
        assert " --factor=p --strict --seed 0 " in command(output, "encode")
        assert " --fasta=reads.fa --strict --threads 1" in command(output, "predict")

    def test_a_background_model_is_an_input(self, workflow):
        workflow.write_sheet("a\treads.fa\n")
        workflow.config["encode"] = {"negative_method": "background", "background": "reads.fa"}
        assert command(workflow.dry_run(), "encode") == (
            "tfbind encode --positives reads.fa --background reads.fa --factor=a"
            " --negative-method background --seed 0 -o results/tensors/a.h5"
        )

    def test_given_negatives_leave_no_say_to_the_settings_of_made_ones(self, workflow):
        workflow.write_sheet("n\treads.fa\treads.fa\n")
        workflow.config["encode"] = {"negative_method": "dinucleotide", "negative_ratio": 3}
        assert "negative-" not in command(workflow.dry_run(), "encode")
        workflow.config["encode"] = {"negative_method": "background", "background": "reads.fa"}
        assert "background" not in command(workflow.dry_run(), "encode")

    def test_tables(self, workflow):
        """With a test table there is something to evaluate on; without one of two sets there is not."""
        workflow.folder.joinpath("a.csv").write_text("sequence,label\nACGT,1\n")
        workflow.write_sheet(
            "a\ta.csv\n",
            "b\treads.fa\treads.fa\treads.fa\n",
            "c\treads.fa\treads.fa\n",
            header="name\ttable\tvalidation_table\ttest_table\n",
        )
        made = {
            "negative_method": "dinucleotide",
            "negative_ratio": 3,
            "test_contigs": ["chr1"],
            "length": 60,
        }
        workflow.config |= {"models": ONE_MODEL, "encode": made}
        output = workflow.dry_run()
        assert planned(output) == {"encode": 3, "train": 3, "evaluate": 2, "report": 1}
        found = sorted(re.findall(r"tfbind encode (.*?) -o", re.sub(" +", " ", output)))
        assert found == [
            "--table a.csv --factor=a --length 60 --test-contigs chr1 --seed 0",
            "--table reads.fa --validation-table reads.fa --factor=c --length 60 --seed 0",
            "--table reads.fa --validation-table reads.fa --test-table reads.fa --factor=b --length 60 --seed 0",
        ]
        assert "--tensors results/tensors/c.h5" not in output

    def test_parts_in_a_column_of_the_table(self, workflow):
        """They count for more than the config: without a test record nothing is evaluated."""
        for name, parts in {"a": ["train", "Testing"], "b": ["train", "dev"], "c": ["", ""]}.items():
            records = "".join(f"ACGT\t1\t{part}\n" for part in parts)
            workflow.folder.joinpath(f"{name}.tsv").write_text(f"sequence\tlabel\tSplit\n{records}")
        workflow.write_sheet("a\ta.tsv\n", "b\tb.tsv\n", "c\tc.tsv\n", header="name\ttable\n")
        workflow.config |= {"models": ONE_MODEL, "encode": {"test_contigs": ["chr1"]}}
        output = workflow.dry_run()
        assert planned(output) == {"encode": 3, "train": 3, "evaluate": 2, "report": 1}
        assert "--tensors results/tensors/b.h5" not in output
        assert [
            "--test-contigs" in line
            for name in "abc"
            for line in output.splitlines()
            if f"--table {name}.tsv" in line
        ] == [False, False, True]

    def test_files_by_part(self, workflow):
        columns = ["positives", "validation_positives", "test_positives", "test_negatives"]
        workflow.write_sheet("a" + "\treads.fa" * 4 + "\n", header="\t".join(["name", *columns]) + "\n")
        workflow.config |= {
            "models": ONE_MODEL,
            "encode": {"split": [0.9, 0.1, 0], "validation_contigs": None, "negative_ratio": 2},
        }
        output = workflow.dry_run()
        # the test part has a file, whatever the split says
        assert planned(output) == {"encode": 1, "train": 1, "evaluate": 1, "report": 1}
        assert command(output, "encode") == (
            "tfbind encode --positives reads.fa --validation-positives reads.fa --test-positives reads.fa"
            " --test-negatives reads.fa --factor=a --negative-ratio 2 --split 0.9,0.1,0 --seed 0"
            " -o results/tensors/a.h5"
        )

    def test_odd_file_names_are_quoted(self, workflow):
        workflow.folder.joinpath("my reads' $x.fa").write_text(">a\nACGT\n")
        workflow.write_sheet("odd\tmy reads' $x.fa\n")
        assert "--positives 'my reads'\"'\"' $x.fa' " in command(workflow.dry_run(), "encode")

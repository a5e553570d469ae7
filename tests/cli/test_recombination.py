import json

import pytest

from tfbind import cli
from tfbind.cli.recombination import ACTIONS
from tfbind.genotype_tensors import open_regions
from tfbind.genotypes.simulation import Setting

DEMES = "time_units: generations\ndemes:\n- name: A\n  epochs: [{start_size: 5000}]\n"
MAP = "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n1\t1\t1\t0\n1\t30001\t0\t0.03\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demes.yaml").write_text(DEMES)
    (tmp_path / "map.txt").write_text(MAP)


def simulate(*argv):
    return cli.main(["recombination", "simulate", *map(str, argv), "--threads", "1", "-o", "out/sims.h5"])


@pytest.mark.parametrize("action", ACTIONS)
def test_help(action, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["recombination", action, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: tfbind recombination {action}")


class TestSimulate:
    def test_all_from_the_prior(self, caplog):
        assert simulate("--length", 10_000, "--replicates", 3) == 0
        with open_regions("out/sims.h5") as regions:
            assert len(regions) == 3
        assert "msprime" not in caplog.text

    def test_all_given(self, tmp_path):
        given = ("--demography", "demes.yaml", "--rate-map", "map.txt", "--mutation-rate", "2e-8")
        assert simulate(*given, "--samples", 3, "--length", 20_000, "--perfect", "--vcf-dir", "vcf") == 0
        with open_regions("out/sims.h5") as regions:
            region = regions.region(0)
            assert [each["name"] for each in json.loads(regions.attributes["source"])] == [
                "demes.yaml",
                "map.txt",
            ]
        assert region.haplotypes.shape[1] == 6
        assert region.mutation_rate == 2e-8
        assert region.diversity == pytest.approx(4 * 5000 * 2e-8, rel=2e-3)
        assert region.rate.tolist() == [1e-8]
        assert (tmp_path / "vcf" / "sim1.vcf.gz").is_file()

    def test_prior_file(self, tmp_path):
        (tmp_path / "prior.yaml").write_text("haplotypes: 7\nhaploid: 1\n")
        assert simulate("--prior", "prior.yaml", "--length", 5000) == 0
        with open_regions("out/sims.h5") as regions:
            assert regions.rows["haplotypes_n"].tolist() == [7]

    def test_defaults_are_those_of_the_package(self):
        args = cli.make_parser().parse_args(["recombination", "simulate", "-o", "x"])
        assert args.length == Setting().length
        assert (args.samples, args.ploidy, args.mutation_rate) == (None, None, None)

    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (["--demography", "none.yaml", "--mutation-rate", "1e-8"], "none.yaml: no such file"),
            (["--rate-map", "none.txt", "--mutation-rate", "1e-8"], "none.txt: no such file"),
            (["--rate-map", "map.txt", "--mutation-rate", "1e-8"], "map.txt: found 30,000 bp without a gap"),
            (["--rate-map", "map.txt"], "--rate-map is given without --mutation-rate, expected both"),
            (["--demography", "demes.yaml"], "--demography is given without --mutation-rate"),
            (["--deme", "A"], "--deme A is given without --demography"),
            (["--mutation-rate", "-1"], "argument --mutation-rate: found '-1', expected a number above 0"),
            (["--samples", "0"], "argument --samples: found '0'"),
            (["--samples", "1", "--ploidy", "1"], "--samples: found 1 haploid sample"),
            (["--length", "1e6"], "argument --length: found '1e6'"),
            (["--prior", "none.yaml"], "none.yaml: no such file"),
        ],
    )
    def test_wrong_input_is_one_line(self, argv, message, capsys, tmp_path):
        assert simulate(*argv) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"tfbind: error: {message}")
        assert err.count("\n") == 1
        assert not (tmp_path / "out").exists()

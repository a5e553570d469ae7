import json

import numpy as np
import pandas as pd
import pytest

from tfbind.dna.peaks import Peak
from tfbind.recombination.enrichment.measure import measure_enrichment
from tfbind.recombination.evaluation.windows import JudgedMap
from tfbind.report.enrichment import profile_svg, write_enrichment

START = np.arange(0, 1_000_000, 1_000)


def found(per_mutation=False, rate=1e-8, n=10):
    columns = {"chrom": "1", "start": START, "end": START + 1_000, "n_sites": 3, "scale": 1_000, "note": ""}
    table = pd.DataFrame(
        columns | {"rate": rate * (1 + START % 7), "rate_lower": np.nan, "rate_upper": np.nan}
    )
    sites = [Peak("1", at, at + 1, "", np.nan, at) for at in range(70_500, 100_000 * n, 100_000)]
    return measure_enrichment(JudgedMap(table, per_mutation), sites, permutations=50)


def test_folder(tmp_path):
    (tmp_path / "out").mkdir()
    write_enrichment(tmp_path / "out", found())
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["metrics.json", "notes.json", "profile.svg", "profile.tsv", "sites.tsv"]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["n_used"] == 10
    profile = pd.read_csv(tmp_path / "out" / "profile.tsv", sep="\t")
    assert list(profile)[:5] == ["distance", "start", "end", "n_sites", "rate"]
    assert len(pd.read_csv(tmp_path / "out" / "sites.tsv", sep="\t")) == 10


@pytest.mark.filterwarnings("error")
class TestFigure:
    @pytest.mark.parametrize(("per_mutation", "unit"), [(False, "cM/Mb"), (True, "r/mu")])
    def test_is_reproducible_and_tells_the_ratio(self, per_mutation, unit):
        of = found(per_mutation)
        svg = profile_svg(of)
        assert svg == profile_svg(of)
        assert unit in svg
        assert f"ratio {of.metrics['ratio']:.2f}" in svg
        assert "95% interval " in svg
        assert "10 sites" in svg

    def test_without_an_interval_or_a_ratio(self):
        assert "no interval: too few blocks" in profile_svg(found(n=2))
        assert "ratio undefined" in profile_svg(found(rate=0))

from tfbind.cli import main


def select(*arguments) -> int:
    return main(["select", *map(str, arguments)])


def test_leaves_the_model_and_the_table(model_path, tmp_path):
    assert select(model_path, "-o", tmp_path / "best.keras") == 0
    assert (tmp_path / "best.keras").read_bytes() == model_path.read_bytes()
    head, row = (tmp_path / "best.grid.tsv").read_text().splitlines()
    assert head == "candidate\tchosen\tarchitecture\tbest_epoch\tval_loss\tval_auroc"
    assert row.startswith("one\tyes\tconv-bigru\t")


def test_what_is_wrong_is_one_line_and_exit_2(model_path, kmer_model_path, tmp_path, capsys):
    before = model_path.read_bytes()
    for arguments, message in (
        ((model_path, "-o", tmp_path / "best.h5"), "expected a name that ends in .keras"),
        ((model_path, "-o", model_path), "is the file of --candidates, choose another name"),
        (
            (model_path, kmer_model_path, "-o", tmp_path / "best.keras"),
            "not trained and validated on the same",
        ),
        (("-o", tmp_path / "best.keras"), "the following arguments are required: FILE.keras"),
    ):
        assert select(*arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert message in line
    assert list(tmp_path.iterdir()) == []
    assert model_path.read_bytes() == before

import pytest

from tfbind.cli import main, make_parser

# no input is there: what is said of the output is said before any is read
TRAINING = ("train no.h5", "background fit no.fa", "recombination train no.h5")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("verb", TRAINING)
class TestOutputOfATraining:
    @pytest.mark.parametrize("taken", ["m.keras", "m.checkpoint", "m.history.tsv"])
    def test_may_be_no_folder(self, verb, taken, tmp_path, capsys):
        (tmp_path / taken).mkdir()
        assert main([*verb.split(), "-o", "m.keras"]) == 2
        assert capsys.readouterr().err == (
            f"tfbind: error: {taken}: is a folder, expected a name for the output file\n"
        )

    def test_may_not_lie_in_a_file(self, verb, tmp_path, capsys):
        (tmp_path / "file").touch()
        assert main([*verb.split(), "-o", "file/m.keras"]) == 2
        assert capsys.readouterr().err.startswith("tfbind: error: file/m.keras: cannot be written (")

    def test_is_prepared_before_the_input_is_read(self, verb, tmp_path, capsys):
        assert main([*verb.split(), "-o", "new/m.keras"]) == 2
        assert ": no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "taken"),
    list(zip(TRAINING, ("m.learning.svg", "m.summary.json", "m.summary.json"), strict=True)),
)
def test_what_goes_beside_it_may_be_no_folder_either(verb, taken, tmp_path, capsys):
    (tmp_path / taken).mkdir()
    assert main([*verb.split(), "-o", "m.keras"]) == 2
    assert f"{taken}: is a folder" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["report results", "gather a b", "compare a b"])
def test_threads_are_taken_by_verbs_that_gather(verb):
    assert make_parser().parse_args([*verb.split(), "--threads", "3", "-o", "out"]).threads == 3

import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentTypeError

import pytest

import tfbind
from tfbind import cli
from tfbind.cli import arguments
from tfbind.errors import TfbindError


def tfbind_command(*argv, **options):
    return subprocess.run(
        [sys.executable, "-m", "tfbind", *argv], capture_output=True, text=True, timeout=60, **options
    )


def run_raising(monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr("tfbind.cli.report.run", fail)
    return cli.main(["report", "results", "-o", "report.html"])


def subparsers_of(parser):
    return next((action.choices for action in parser._actions if isinstance(action.choices, dict)), {})


class TestHelp:
    @pytest.mark.parametrize("verb", [None, *cli.VERBS])
    def test_of_every_verb(self, verb, capsys):
        with pytest.raises(SystemExit) as caught:
            cli.main([verb, "--help"] if verb else ["--help"])
        assert caught.value.code == 0
        out, err = capsys.readouterr()
        assert out.startswith(f"usage: tfbind {verb or ''}".rstrip())
        assert err == ""

    def test_lists_every_verb(self, capsys):
        with pytest.raises(SystemExit):
            cli.main(["--help"])
        out = capsys.readouterr().out
        # the help of a long name stands on a line of its own
        assert all(f"\n    {verb} " in out or f"\n    {verb}\n" in out for verb in cli.VERBS)

    @pytest.mark.parametrize("verb", cli.VERBS)
    def test_every_option_is_explained(self, verb):
        subparsers = next(a for a in cli.make_parser()._actions if hasattr(a, "choices") and a.choices)
        for action in subparsers.choices[verb]._actions:
            assert action.help, f"{verb} {action.option_strings}"

    def test_every_verb_takes_threads(self):
        verbs = {}
        for verb, parser in subparsers_of(cli.make_parser()).items():
            for action, inner in (subparsers_of(parser) or {"": parser}).items():
                verbs[f"{verb} {action}"] = inner
        without = [name for name, parser in verbs.items() if "--threads" not in parser._option_string_actions]
        assert without == []

    def test_version(self, capsys):
        with pytest.raises(SystemExit):
            cli.main(["--version"])
        assert capsys.readouterr().out == f"tfbind {tfbind.__version__}\n"


class TestExitStatus:
    def test_done(self, monkeypatch):
        monkeypatch.setattr("tfbind.cli.report.run", lambda _: None)
        assert cli.main(["report", "results", "-o", "report.html"]) == 0

    def test_users_fault_is_one_line(self, monkeypatch, capsys):
        assert run_raising(monkeypatch, TfbindError("a.fa: record 'x\ny': found\n'Z'")) == 2
        assert capsys.readouterr() == ("", "tfbind: error: a.fa: record 'x y': found 'Z'\n")

    def test_our_own_fault_shows_where(self, monkeypatch):
        with pytest.raises(ZeroDivisionError):
            run_raising(monkeypatch, ZeroDivisionError())

    def test_interrupted(self, monkeypatch, capsys):
        assert run_raising(monkeypatch, KeyboardInterrupt()) == 130
        assert capsys.readouterr().err == "tfbind: interrupted\n"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_interrupted_where_the_interruption_is_lost(self, monkeypatch, capsys, number):
        """As inside of h5py, which raises an error of its own in its place."""

        def lose(_):
            try:
                signal.raise_signal(number)
            except BaseException:
                raise TypeError("Operation not defined for data type class") from None

        # a shell's background job ignores SIGINT, and so do its children, unless told otherwise
        before = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        at_first = signal.signal(number, before)
        monkeypatch.setattr("tfbind.cli.report.run", lose)
        assert cli.main(["report", "results", "-o", "report.html"]) == 128 + number
        assert capsys.readouterr().err == f"tfbind: {cli.STOPPED[number]}\n"
        assert signal.signal(number, at_first) == before

    def test_disk_full(self, monkeypatch, capsys):
        assert run_raising(monkeypatch, OSError(28, "No space left on device", "t.h5")) == 2
        assert capsys.readouterr().err == "tfbind: error: t.h5: No space left on device\n"

    @pytest.mark.parametrize(
        "error",
        [
            MemoryError("Unable to allocate 7.00 GiB"),
            RuntimeError("Exception from plugin.cpp:54:\ncan't alloc"),
            RuntimeError("std::bad_alloc"),
            ImportError("libllvmlite.so: failed to map segment from shared object"),
            OSError(12, "Cannot allocate memory"),
        ],
    )
    def test_memory_runs_out(self, error, monkeypatch, capsys):
        assert run_raising(monkeypatch, error) == 2
        said = capsys.readouterr().err
        assert said.startswith("tfbind: error: not enough memory (")
        assert said.count("\n") == 1

    def test_memory_runs_out_inside_of_another_error(self, monkeypatch, capsys):
        def fail(_):
            try:
                raise MemoryError
            except MemoryError:
                raise ValueError("no table") from None

        monkeypatch.setattr("tfbind.cli.report.run", fail)
        assert cli.main(["report", "results", "-o", "report.html"]) == 2
        assert capsys.readouterr().err == "tfbind: error: not enough memory (an allocation failed)\n"

    def test_another_fault_of_a_library_is_our_own(self, monkeypatch):
        with pytest.raises(RuntimeError, match="shape"):
            run_raising(monkeypatch, RuntimeError("wrong shape"))

    def test_another_system_error_is_our_own_fault(self, monkeypatch):
        with pytest.raises(OSError, match="Input/output"):
            run_raising(monkeypatch, OSError(5, "Input/output error"))

    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            ([], "the following arguments are required: VERB (see tfbind --help)"),
            (["fly"], "argument VERB: invalid choice: 'fly'"),
            (["encode"], "the following arguments are required: -o/--output (see tfbind encode --help)"),
            (["encode", "--pos", "x.fa", "-o", "t.h5"], "unrecognized arguments: --pos x.fa"),
            (
                ["encode", "--length", "0", "-o", "t.h5"],
                "argument --length: found '0', expected a whole number",
            ),
            (["simulate", "--seed", "-1"], "argument --seed: "),
        ],
    )
    def test_wrong_arguments(self, argv, message, capsys):
        assert cli.main(argv) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"tfbind: error: {message}")
        assert err.count("\n") == 1


class TestProcess:
    """What only a process of its own can show."""

    def test_error_without_traceback(self, tmp_path):
        done = tfbind_command("encode", "--positives", "none.fa", "-o", "t.h5", cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr == "tfbind: error: none.fa: no such file\n"
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("number", "status", "said"),
        [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    )
    def test_a_signal_leaves_no_half_file(self, tmp_path, number, status, said):
        fasta = tmp_path / "p.fa"
        with fasta.open("w") as handle:
            for i in range(100_000):
                handle.write(f">r{i}\n{'ACGTTGCA' * 12}\n")
        out = tmp_path / "out"
        process = subprocess.Popen(
            [sys.executable, "-m", "tfbind", "encode", "--positives", str(fasta), "-o", str(out / "t.h5")],
            stderr=subprocess.PIPE,
            text=True,
            # a shell's background job ignores SIGINT, and so do its children, unless told otherwise
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        deadline = time.monotonic() + 50
        while not (out.exists() and list(out.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == status
        assert err.endswith(f"tfbind: {said}\n")
        assert "Traceback" not in err
        # nor the folder that it was to be in
        assert not out.exists()

    def test_reader_of_stdout_has_left(self):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [sys.executable, "-m", "tfbind", "encode", "--help"],
            stdout=write,
            stderr=subprocess.PIPE,
            timeout=60,
        )
        os.close(write)
        assert b"Traceback" not in done.stderr


class TestArgumentTypes:
    @pytest.mark.parametrize(("text", "value"), [("1", 1), (" 12 ", 12)])
    def test_positive_int(self, text, value):
        assert arguments.positive_int(text) == value

    @pytest.mark.parametrize("text", ["0", "-1", "", "1.5", "1e3", "x", "²", "+-1"])
    def test_no_positive_int(self, text):
        with pytest.raises(ArgumentTypeError, match="expected a whole number of at least 1"):
            arguments.positive_int(text)

    @pytest.mark.parametrize("text", ["0", "-0.5", "nan", "inf", "x", ""])
    def test_no_positive_float(self, text):
        with pytest.raises(ArgumentTypeError, match="expected a number above 0"):
            arguments.positive_float(text)

    def test_positive_float(self):
        assert arguments.positive_float("2.5") == 2.5

    @pytest.mark.parametrize(("text", "value"), [("0", 0), ("4294967295", 2**32 - 1)])
    def test_seed(self, text, value):
        assert arguments.seed(text) == value

    @pytest.mark.parametrize("text", ["-1", "4294967296", "x", "", "0.5"])
    def test_no_seed(self, text):
        with pytest.raises(ArgumentTypeError, match="expected a whole number from 0 to 4294967295"):
            arguments.seed(text)

    def test_names(self):
        assert arguments.names("chr1, chr8") == ("chr1", "chr8")

    @pytest.mark.parametrize("text", ["", "a,", "a,a", "a, a"])
    def test_no_names(self, text):
        with pytest.raises(ArgumentTypeError, match="expected names separated by commas, each once"):
            arguments.names(text)


def test_an_input_is_not_overwritten(tmp_path, capsys):
    fasta = tmp_path / "a.fa"
    fasta.write_text(">a\nACGTACGTACGT\n")
    assert cli.main(["encode", "--positives", str(fasta), "-o", str(fasta)]) == 2
    assert "is the file of --positives" in capsys.readouterr().err
    assert fasta.read_text().startswith(">a")


@pytest.mark.parametrize(
    ("argv", "victim", "option"),
    [
        ("recombination simulate --prior pr.yaml -o pr.yaml", "pr.yaml", "--prior"),
        (
            "recombination simulate --rate-map own/sim1.txt --mutation-rate 1e-8 --replicates 1 --length 20000"
            " --samples 4 --vcf-dir own -o sims.h5",
            "own/sim1.txt",
            "--rate-map",
        ),
        ("encode --positives q.summary.json -o q.h5", "q.summary.json", "--positives"),
        ("train yy.history.tsv -o yy.keras", "yy.history.tsv", "--tensors"),
        ("recombination train a.h5 b.history.tsv -o b.keras", "b.history.tsv", "--simulations"),
        ("recombination compare --maps a.bg t.svg --truth t.txt -o t.tsv", "t.svg", "--maps"),
        ("variants --model m.keras --genome g.fa --vcf v.vcf -o ./g.fa", "g.fa", "--genome"),
    ],
)
def test_no_input_is_overwritten_by_any_output(argv, victim, option, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / victim
    path.parent.mkdir(exist_ok=True)
    path.write_text("Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n1\t1\t1\t0\n1\t90001\t0\t0.09\n")
    before = path.read_bytes()
    assert cli.main(argv.split()) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert f"the file of {option}" in line
    assert path.read_bytes() == before


def test_outputs_are_checked_before_the_work(tmp_path, capsys):
    (tmp_path / "calls.bed").mkdir()
    argv = ["predict", "--model", "none.keras", "--fasta", "none.fa", "--bed", str(tmp_path / "calls.bed")]
    assert cli.main([*argv, "-o", str(tmp_path / "s.tsv")]) == 2
    assert "calls.bed: is a folder, expected a name for the output file" in capsys.readouterr().err


def test_validation_contigs_alone_are_refused(tmp_path, capsys):
    fasta = tmp_path / "a.fa"
    arguments = ["encode", "--positives", str(fasta), "--validation-contigs", "chr1"]
    assert cli.main([*arguments, "-o", str(tmp_path / "a.h5")]) == 2
    assert "needs --test-contigs" in capsys.readouterr().err


@pytest.mark.parametrize("argv", ["simulate --n 3 --motif CTCF --length 20 -o {}", "report {} -o out.html"])
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("loop", "Too many levels of symbolic links"),
        ("loop/file", "Too many levels of symbolic links"),
        ("a" * 256, "File name too long"),
        ("a" * 256 + "/file", "File name too long"),
    ],
    ids=lambda text: text[:9],
)
def test_a_path_that_leads_nowhere_is_one_line(argv, path, why, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.symlink("loop", "loop")
    assert cli.main([word.format(path) for word in argv.split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tfbind: error: ")
    assert error.endswith(f" {path}: cannot be opened ({why})\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["encode", "--positives", "-p.fa", "-o", "o.h5"],
            "argument --positives: expected one argument; a value that begins with a dash is given as"
            " --positives=-VALUE, or as ./-VALUE (see tfbind encode --help)",
        ),
        (["encode", "--positives", "p.fa", "-o", "-o.h5"], "is given as --output=-VALUE, or as ./-VALUE"),
        (
            ["report", "results", "-more", "-o", "o.html"],
            "a path that begins with a dash is given as ./-PATH",
        ),
    ],
)
def test_a_leading_dash_is_explained(argv, message, capsys):
    assert cli.main(argv) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        "simulate --motif CTCF --length 20 -o o --n",
        "encode --positives p.fa -o o.h5 --length",
        "predict --model m.keras --fasta f.fa -o o.tsv.gz --piece 1/",
        "recombination predict --vcf v.vcf -o o.tsv --resolution 1000,",
        "recombination evaluate --map m.tsv --truth t.txt -o o --scales 1000,",
        "simulate --n 3 --motif CTCF --length 20 -o o --seed",
    ],
)
@pytest.mark.parametrize("number", [str(2**32), str(2**63), str(2**64 + 1), "9" * 5000], ids=len)
def test_numbers_of_any_size_are_refused_in_one_short_line(argv, number, capsys):
    assert cli.main((argv + (number if argv[-1] in "/," else f" {number}")).split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("tfbind: error: argument --")
    assert "found '" in error
    assert len(error) < 300

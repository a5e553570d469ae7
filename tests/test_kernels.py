"""Compiled code indexes without checks: here its tests run once with them."""

import os
import subprocess
import sys
from pathlib import Path

import tfbind

PACKAGE = Path(tfbind.__file__).parent
TESTS = Path(__file__).parent
# where a module's kernels are tested, if not by the test of its own name
ELSEWHERE = {
    "dna/splitmix.py": "dna/test_shuffle.py",
    "genotypes/calls.py": "genotypes/test_vcf.py",
    "genotypes/contig.py": "genotypes/test_vcf.py",
    "genotypes/bits.py": "genotypes/test_linkage.py",
}


def kernel_tests():
    """Give the test file of each module that compiles code."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE)
        if "njit" in path.read_text():
            yield TESTS / ELSEWHERE.get(module.as_posix(), module.with_name(f"test_{module.name}"))


def test_no_kernel_reaches_beyond_its_arrays(tmp_path):
    files = sorted({str(path) for path in kernel_tests()})
    assert len(files) >= 8
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-n", "0", *files],
        env={**os.environ, **checked},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout[-3000:]

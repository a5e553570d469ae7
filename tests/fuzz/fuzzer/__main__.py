"""Fuzz by hand; see tests/fuzz/README.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from fuzzer.run import Findings, run_apart
from fuzzer.targets import all_targets, target_called

SLICE = 5.0  # seconds for a target before the next one has its turn


def main() -> int:
    """Run the targets in turn and print executions and findings; 1 if there are any."""
    parser = argparse.ArgumentParser(prog="tests/fuzz/run.py", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="for all targets together (default %(default)s)"
    )
    parser.add_argument("--target", action="append", metavar="NAME", help="again for several (default: all)")
    parser.add_argument(
        "--seed", type=int, default=0, help="another seed, other inputs (default %(default)s)"
    )
    parser.add_argument("--index", type=int, help="run this one input of --target again, in this process")
    parser.add_argument("--save", type=Path, default=Path("fuzz-findings"), help="folder for failing inputs")
    parser.add_argument("--slice", type=float, default=SLICE, help=argparse.SUPPRESS)
    args = parser.parse_args()
    names = args.target or list(all_targets())
    if args.index is not None:
        return _again(names[0], args.seed, args.index)
    end = time.monotonic() + 60 * args.minutes
    executions: Counter[str] = Counter()
    found: dict[str, Findings] = {name: Findings() for name in names}
    while time.monotonic() < end:
        for name in names:
            until = min(end, time.monotonic() + args.slice)
            if time.monotonic() >= end:
                break
            done, some = run_apart(target_called, name, args.seed, executions[name], 10**9, until=until)
            executions[name] += done
            for finding in some.values():
                if found[name].add(finding):
                    path = _save(args.save, finding, args.seed)
                    print(
                        f"{name} --seed {args.seed} --index {finding.index}: {finding.what} at {finding.place}",
                        flush=True,
                    )
                    print(f"    saved as {path}", flush=True)
    print(f"{'executions':>12} {'findings':>9}  target")
    for name in names:
        print(f"{executions[name]:>12,} {len(found[name]):>9}  {name}")
    n_findings = sum(map(len, found.values()))
    print(f"{executions.total():>12,} {n_findings:>9}  in all (seed {args.seed})")
    return int(n_findings > 0)


def _again(name: str, seed: int, index: int) -> int:
    from fuzzer.judge import make_input
    from fuzzer.run import run_here

    target = target_called(name)
    print(repr(make_input(target, seed, index)[0][:2000]))
    found = run_here(target, seed, index, 1)[1]
    for finding in found.values():
        print(f"{finding.what} at {finding.place}")
    return int(bool(found))


def _save(folder: Path, finding, seed: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{finding.target}-{seed}-{finding.index}"
    path.write_bytes(finding.data)
    return path


if __name__ == "__main__":
    sys.exit(main())

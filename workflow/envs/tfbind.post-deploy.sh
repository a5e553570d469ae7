#!/usr/bin/env bash
# Snakemake runs this inside the new environment, in the folder where it was called.
set -euo pipefail
if ! grep -qs '^name = "tfbind-rnn"' pyproject.toml; then
    echo "tfbind: error: call snakemake --sdm conda from the root of tfbind's checkout (found $PWD)" >&2
    exit 2
fi
pip install -c constraints.txt .

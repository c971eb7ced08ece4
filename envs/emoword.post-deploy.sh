#!/usr/bin/env bash
# Run by Snakemake in the new environment, from the clone's root: the same versions as ./run's.
set -euo pipefail
python -m pip install --constraint constraints.txt --editable .

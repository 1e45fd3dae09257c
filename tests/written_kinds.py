"""Kinds of files of smeared events, and the card of those that tests write."""

from __future__ import annotations

NESTED = (".parquet", ".root", ".h5", ".hepmc3", ".hepmc3.gz")
ALL = (*NESTED, ".csv", ".csv.gz")
CARD = "nusmear-dune-cdr"

"""Corrections of correctionlib packed, as collaborations ship them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import format_matrices
import numpy as np
import pytest

import forefold


def test_packed_corrections_go_out_and_come_in(tmp_path: Path) -> None:
    matrix = format_matrices.exact()
    plain, packed = tmp_path / "c.json", tmp_path / "c.json.gz"
    for path in (plain, packed):
        forefold.export_matrix(matrix, path, "correctionlib")
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    found = forefold.import_matrix(packed, "correctionlib")
    np.testing.assert_array_equal(found.matrix, matrix.matrix)
    before = packed.read_bytes()
    forefold.export_matrix(matrix, packed, "correctionlib", overwrite=True)
    assert packed.read_bytes() == before  # no time in it
    # what it is, its content says
    (tmp_path / "named.json").write_bytes(before)
    again = forefold.import_matrix(tmp_path / "named.json", "correctionlib")
    np.testing.assert_array_equal(again.matrix, matrix.matrix)
    packed.write_bytes(before[:-30])
    with pytest.raises(ValueError, match=r"c\.json\.gz: .*the compressed file is cut short"):
        forefold.import_matrix(packed, "correctionlib")


def test_packed_corrections_of_others(tmp_path: Path) -> None:
    content = {
        "schema_version": 2,
        "corrections": [
            {
                "name": "response",
                "version": 1,
                "inputs": [],
                "data": {
                    "nodetype": "multibinning",
                    "inputs": ["e_true", "e_reco"],
                    "edges": [{"n": 2, "low": 0.0, "high": 3.0}, [0.0, 1.0, 4.0]],
                    "content": [0.25, 0.5, 0.125, 0.75],
                    "flow": "clamp",
                },
            }
        ],
    }
    path = tmp_path / "c.json.gz"
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    found = forefold.import_matrix(path, "correctionlib")
    np.testing.assert_array_equal(found.matrix, [[0.25, 0.5], [0.125, 0.75]])
    assert found.true_axes[0].edges.tolist() == [0.0, 1.5, 3.0]

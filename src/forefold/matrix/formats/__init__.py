"""Formats of other tools: response matrices out to them and in from them, one module a format.

Each has ``write``, and ``read`` where that makes sense; `export_matrix` and `import_matrix` choose by name. Matrices are R[true, reco] here, whatever
the order of the other tool.

>>> import forefold
>>> matrix = forefold.ResponseMatrix.from_array([[0.5, 0.25], [0.0, 0.5]], {"enu": [0, 1, 2]}, {"enu": [0, 1, 2]}, entries=[400, 200])
>>> forefold.export_matrix(matrix, "near.root", "roounfold").notes
('x of response is measured, y is true',)
>>> back = forefold.import_matrix("near.root", "roounfold")
>>> back.matrix.tolist(), back.provenance["imported"], back.provenance["source"]
([[0.5, 0.25], [0.0, 0.5]], 'roounfold', 'near.root')
"""

from __future__ import annotations

from forefold.matrix.formats.common import Exported
from forefold.matrix.formats.globes_configuration import GlobesConfiguration
from forefold.matrix.formats.registry import FORMATS, READABLE, export_matrix, import_matrix
from forefold.matrix.formats.response import matrix_response
from forefold.matrix.formats.spectra import PublishedSpectrum, import_spectrum

__all__ = [
    "FORMATS",
    "READABLE",
    "Exported",
    "GlobesConfiguration",
    "PublishedSpectrum",
    "export_matrix",
    "import_matrix",
    "import_spectrum",
    "matrix_response",
]


def __dir__() -> list[str]:
    return __all__

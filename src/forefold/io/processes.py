"""Process numbers of NuHepMC from what other formats call a process.

NuHepMC 1.0.0 (convention E.C.1) numbers charged currents from x00 and neutral ones from x50: 100
coherent, 200 quasielastic, 300 meson exchange, 400 resonance, 500 shallow inelastic, 600 deep
inelastic. 700 and above are the generator's own; those here are the ones that GENIE's NuHepMC
converter gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["GENIE", "GENIE_NAMES", "lookup"]

GENIE = {
    "coh": (100, 150),
    "qel": (200, 250),
    "mec": (300, 350),
    "res": (400, 450),
    "dis": (600, 650),
    "singlek": (601, 601),
    "dfr": (700, 750),
    "imd": (701, 701),
    "imdanh": (702, 702),
    "nuel": (703, 703),
    "amnugamma": (751, 751),
}
"""Numbers of charged and neutral current, by the names of GENIE's `gst`."""

GENIE_NAMES = {
    601: "single kaon CC",
    700: "diffractive CC",
    701: "inverse muon decay",
    702: "inverse muon decay by annihilation",
    703: "nu-e elastic",
    750: "diffractive NC",
    751: "anomaly-mediated nu-gamma",
}


def lookup(codes: NDArray[np.int64], table: Mapping[int, int]) -> NDArray[np.int32]:
    """Translate codes; 0 = unknown.

    Parameters
    ----------
    codes : int array, shape (n,)
        What the format says.
    table : mapping of int to int
        Number of each process.

    Returns
    -------
    ndarray of int32, shape (n,)
        Numbers of NuHepMC.

    Examples
    --------
    >>> import numpy as np
    >>> from forefold.io.processes import lookup
    >>> lookup(np.array([1, 99, 2]), {1: 200, 2: 300}).tolist()
    [200, 0, 300]
    """
    translated = np.zeros(len(codes), dtype=np.int32)
    for code in np.unique(codes).tolist():
        translated[codes == code] = table.get(int(code), 0)
    return translated

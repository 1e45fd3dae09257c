"""What an experiment can be expected to exclude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.inference import expected_limit as bands
from forefold.inference.counting import check_level
from forefold.inference.expecting import Expecting
from forefold.inference.parameters import placed
from forefold.kernels.philox import random_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forefold.inference.expected_limit import ExpectedLimit
    from forefold.io.registry import Progress

    Random = int | np.random.Generator | None

__all__ = ["Searching"]

_METHODS = ("cls", "profile", "bayes")


class Searching(Expecting):
    """Expected limits of `forefold.Experiment`."""

    def expected_limit(
        self,
        parameter: str | None = None,
        *,
        level: float = 0.95,
        method: str = "cls",
        fixed: Mapping[str, float] | None = None,
        toys: int = 0,
        rng: Random = None,
        progress: Progress | None = None,
        **values: float,
    ) -> ExpectedLimit:
        """Say which limit data without signal give, with its scatter of one and two standard deviations.

        Parameters
        ----------
        parameter : str, optional
            The first one if left out. Its lower limit is where there is no signal.
        level : float
            Confidence level, or credibility.
        method : {"cls", "profile", "bayes"}
            As of `upper_limit`.
        fixed : mapping of str to float, optional
            Parameters that are held.
        toys : int
            0 takes asymptotic formulae [1]_, which ``bayes`` has none of. Of ``cls``: how many with and without signal at each value; the band
            is that of CLs for data at the quantiles of those without. Of others: how many without signal, whose limits are taken.
        rng : int, numpy Generator or None
            Fixes them.
        progress : callable, optional
            Is told how far the toys are, see `Experiment.interval`.
        **values : float
            What is true of the other parameters; those left out are where they begin.

        Returns
        -------
        ExpectedLimit

        Raises
        ------
        ValueError
            As `upper_limit`.

        Notes
        -----
        The Asimov data set, what is expected without signal, has a likelihood ratio q(mu); data that are N standard deviations above it have their
        limit where its square root is N + z(1 - (1 - level) Phi(N)), with the normal distribution Phi and its inverse z (eq. 89 with CLs in
        place of the p-value). q(mu) is that of the likelihood, at every value, and not a parabola through one.

        At 95 % a tenth of a percent of the toys (-2 sigma, and 5 % of them) decides the lower end: 20 000 toys hold 23 there, 1000 hold 1.

        References
        ----------
        .. [1] G. Cowan, K. Cranmer, E. Gross, O. Vitells, arXiv:1007.1727.

        Examples
        --------
        >>> import forefold
        >>> experiment = forefold.Experiment({"signal": [10.0]}, [[1.0]], background=[100.0])
        >>> experiment.expected_limit()
        Expected limit of signal: 2.09 at 95 % (cls), 1.479 to 2.981 within 1 sigma, 1.089 to 4.114 within 2
        """
        level = check_level(level)
        name, place = self._place(parameter, fixed)
        if toys < 0:
            message = f"toys = {toys!r}: 0 or more"
            raise ValueError(message)
        if method not in _METHODS:
            message = f"method = {method!r}: one of {', '.join(_METHODS)}"
            raise ValueError(message)
        if method == "bayes" and not toys:
            message = "method = 'bayes': its expected limit needs toys, such as toys=1000"
            raise ValueError(message)
        if name in values:
            message = f"{name} = {values[name]!r}: without signal it is at its lower limit; give the others"
            raise ValueError(message)
        x = placed({**(fixed or {}), **values}, self.names, self.start)
        problem = self._problem(np.zeros(self._matrix.matrix.shape[1]), fixed, place)
        if not toys:
            return bands.asymptotic_band(problem, x, name, level, method)
        key = random_key(rng)
        if method == "cls":
            return bands.cls_band_of_toys(problem, x, name, level, toys, key, progress)
        return bands.limits_of_toys(problem, x, name, level, method, toys, key, progress)

"""What a report shows of one card, collected piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forefold.matrix import Summary, angle_matrix, energy_matrix, resolution_matrix

if TYPE_CHECKING:
    import awkward as ak
    import hist

    from forefold.detector.load import Card

__all__ = ["Section"]


class Section:
    """Summary and matrices of one card; every smeared piece is added once.

    Parameters
    ----------
    card : Card
        The card that the events are smeared with.
    cc_only : bool
        Charged-current events only.
    bins : int
        Bins of the matrices.
    energy_range : tuple of float, GeV
        Limits of the energy matrices.

    Attributes
    ----------
    summary : Summary
    energy, energy_by_type, angle_by_type, resolution : hist.Hist
        See `forefold.matrix`. Asking for one before any event was added is a ValueError.

    Examples
    --------
    >>> import forefold
    >>> card = forefold.load_card("nusmear-dune-cdr")
    >>> events = forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=[1.0, 2.0], energy=2.1)
    >>> section = Section(card)
    >>> section.add(forefold.smear(events, card, rng=1, axis="z"))
    >>> section.summary.total().detected, section.energy.sum(flow=True).value
    (2, 2.0)
    """

    def __init__(
        self,
        card: Card,
        *,
        cc_only: bool = False,
        bins: int = 100,
        energy_range: tuple[float, float] = (0.0, 7.0),
    ) -> None:
        self.card = card
        self.cc_only = cc_only
        self.summary = Summary(card, cc_only=cc_only)
        self._bins = bins
        self._range = energy_range
        self._matrices: dict[str, hist.Hist[Any]] = {}

    def add(self, smeared: ak.Array) -> None:
        """Add a piece of events that were smeared with the section's card.

        Parameters
        ----------
        smeared : ak.Array
            Events from `forefold.smear`.

        Raises
        ------
        ValueError
            As `forefold.matrix.Summary.add`.
        """
        self.summary.add(smeared)
        cc, bins, limits = self.cc_only, self._bins, self._range
        new = {
            "energy": energy_matrix(smeared, bins=bins, range=limits, cc_only=cc),
            "energy_by_type": energy_matrix(
                smeared, self.card, bins=bins, range=limits, cc_only=cc
            ),
            "angle_by_type": angle_matrix(smeared, self.card, bins=bins, cc_only=cc),
            "resolution": resolution_matrix(smeared, self.card, cc_only=cc),
        }
        for name, matrix in new.items():
            if name in self._matrices:
                self._matrices[name] += matrix
            else:
                self._matrices[name] = matrix

    @property
    def energy(self) -> hist.Hist[Any]:
        """Event energy of all particles."""
        return self._matrix("energy")

    @property
    def energy_by_type(self) -> hist.Hist[Any]:
        """Event energy by particle type."""
        return self._matrix("energy_by_type")

    @property
    def angle_by_type(self) -> hist.Hist[Any]:
        """Polar angle by particle type."""
        return self._matrix("angle_by_type")

    @property
    def resolution(self) -> hist.Hist[Any]:
        """Reconstructed over true energy by particle type and true energy."""
        return self._matrix("resolution")

    def _matrix(self, name: str) -> hist.Hist[Any]:
        if name not in self._matrices:
            message = f"card '{self.card.name}': no events were added, so there is nothing to show"
            raise ValueError(message)
        return self._matrices[name]

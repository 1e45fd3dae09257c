"""Particle types of cards as they are printed."""

from __future__ import annotations

__all__ = ["type_html", "type_label"]

_MATH = {
    "pi": r"\pi",
    "pi+-": r"\pi^{\pm}",
    "pi+": r"\pi^{+}",
    "pi-": r"\pi^{-}",
    "pi0": r"\pi^{0}",
    "K": "K",
    "K+-": r"K^{\pm}",
    "K+": r"K^{+}",
    "K-": r"K^{-}",
    "K0": r"K^{0}",
    "gamma": r"\gamma",
    "e+-": r"e^{\pm}",
    "e+": r"e^{+}",
    "e-": r"e^{-}",
    "mu+-": r"\mu^{\pm}",
    "mu+": r"\mu^{+}",
    "mu-": r"\mu^{-}",
    "tau+-": r"\tau^{\pm}",
    "tau-": r"\tau^{-}",
    "p": "p",
    "n": "n",
}
_UNICODE = {r"\pi": "π", r"\gamma": "γ", r"\mu": "μ", r"\tau": "τ", r"\pm": "±"}


def type_label(name: str) -> str:
    r"""Return a particle type for matplotlib.

    Examples
    --------
    >>> type_label("e+- gamma")
    '$e^{\\pm}$, $\\gamma$'
    >>> type_label("other")
    'other'
    """
    words = name.split()
    if not all(word in _MATH for word in words):
        return name.replace("$", r"\$")
    return ", ".join(f"${_MATH[word]}$" for word in words)


def type_html(name: str) -> str:
    """Return a particle type as plain text with the Greek letters in it (to be escaped, as any text).

    Examples
    --------
    >>> type_html("e+- gamma")
    'e±, γ'
    """
    words = name.split()
    if not all(word in _MATH for word in words):
        return name
    text = ", ".join(_MATH[word] for word in words)
    for command, letter in _UNICODE.items():
        text = text.replace(command, letter)
    return text.replace("^{", "").replace("}", "")

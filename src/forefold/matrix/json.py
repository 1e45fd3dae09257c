"""Response matrices as UHI JSON: one file of named histograms."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import hist
import numpy as np
import uhi.io.json

from forefold.events.selection import check_names_of_backgrounds
from forefold.matrix.axes import matching
from forefold.matrix.contents import Contents, Oversampled, Replicas, refuse_means, shape_of
from forefold.matrix.uhi_json import histogram_of, provenance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from forefold.matrix.fold import Prediction

    Array = NDArray[np.float64]

__all__ = [
    "BACKGROUND",
    "NOMINAL",
    "SPECTRUM",
    "contents_of_histograms",
    "covariances_of",
    "histograms_of",
    "notes_of",
    "numbered",
    "read_document",
    "read_documents",
    "read_prediction",
    "read_spectrum",
    "written_document",
    "written_documents",
    "written_prediction",
]

NOMINAL = "nominal"
PREDICTION, SPECTRUM = "prediction", "spectrum"
_VERSION = 1
_WITH_BACKGROUNDS = 2  # where backgrounds are kept apart, which a reader must know of
_LARGEST = 1e150  # of contents: squares must be finite
_KEY = "response_matrix"
_NOTES, _OUTSIDE = "forefold_notes", "forefold_outside"
_COVARIANCE = "covariance_"  # of a source, or of a label
BACKGROUND = "background_"  # of a name
_NEEDED = ("counts", "truth", "alone")
_OWN = (_KEY, "exact", "independent", "draws", "replicas_rng", "true_axes")


def written_document(held: Contents) -> str:
    """Write contents as UHI JSON; see `forefold.ResponseMatrix.to_json`."""
    return json.dumps(_parts(held), default=uhi.io.json.default)


def written_documents(several: Mapping[str, Contents]) -> str:
    """Write nominal contents and their variations into one document; see `forefold.matrix.variations.written_set`."""
    parts = _parts(several[NOMINAL])
    for name, held in several.items():
        if name != NOMINAL:
            own = _parts(held)
            parts |= {f"{name}/{part}": content for part, content in own.items()}
    return json.dumps(parts, default=uhi.io.json.default)


def _parts(held: Contents) -> dict[str, Any]:
    return {name: histogram._to_uhi_() for name, histogram in histograms_of(held).items()}


def histograms_of(held: Contents) -> dict[str, hist.Hist[Any]]:
    """Give contents as histograms by name, which can be added like contents; `contents_of_histograms` is the inverse.

    Parameters
    ----------
    held : Contents

    Returns
    -------
    dict of str to hist.Hist
        ``counts``, which carries the provenance, ``truth``, ``alone``, and those of backgrounds, draws and replicas if there are any.
    """
    notes = {k: v for k, v in held.provenance.items() if isinstance(v, str | float | int)}
    version = _WITH_BACKGROUNDS if held.backgrounds else _VERSION
    notes |= {_KEY: version, "exact": held.exact, "true_axes": len(held.true_axes)}
    if held.independent:
        notes["independent"] = True
    parts = {name: getattr(held, name) for name in _NEEDED}
    parts |= {f"{BACKGROUND}{name}": background for name, background in held.backgrounds.items()}
    if held.oversampled is not None:
        notes["draws"] = held.oversampled.draws
        parts |= {
            "pairs": _of_numbers(held.oversampled.pairs),
            "linear": _of_numbers(held.oversampled.linear),
        }
    if held.replicas is not None:
        # 64 bits do not fit into the numbers of JSON everywhere
        notes["replicas_rng"] = str(held.replicas.rng)
        parts["replica_counts"] = _of_numbers(held.replicas.counts)
        parts["replica_truth"] = _of_numbers(held.replicas.truth)
    head = parts["counts"].copy()
    head.__dict__.update(
        {f"forefold_{key}": str(v) if _large(v) else v for key, v in notes.items()}
    )
    return parts | {"counts": head}


def _large(value: Any) -> bool:
    return isinstance(value, int) and abs(value) >= 2**53


def numbered(values: Array) -> dict[str, Any]:
    """Put an array into a histogram of numbered bins, for a document of histograms."""
    return dict(_of_numbers(values)._to_uhi_())


def _of_numbers(values: Array) -> hist.Hist[Any]:
    axes = [
        hist.axis.Integer(0, n, name=f"index_{k}", flow=False) for k, n in enumerate(values.shape)
    ]
    histogram: hist.Hist[Any] = hist.Hist(*axes)
    histogram.view()[...] = values
    return histogram


def read_document(text: str) -> Contents:
    """Read contents from UHI JSON; see `forefold.ResponseMatrix.from_json`."""
    content = _checked(_loaded(text))
    return _read({name: part for name, part in content.items() if "/" not in name})


def read_documents(text: str) -> dict[str, Contents]:
    """Read nominal contents, which come first, and variations if there are any; see `forefold.matrix.variations.read_set`."""
    groups: dict[str, dict[str, Any]] = {NOMINAL: {}}
    for name, part in _checked(_loaded(text)).items():
        group, _, own = name.rpartition("/")
        groups.setdefault(group or NOMINAL, {})[own] = part
    return {name: _read(parts) for name, parts in groups.items()}


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, object_hook=uhi.io.json.object_hook)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        message = f"not UHI JSON: {error}"
        raise ValueError(message) from None


def _checked(content: Any) -> dict[str, Any]:
    if isinstance(content, dict) and "uhi_schema" in content:
        message = (
            "not a response matrix: this is one histogram; a response matrix holds counts and truth (make one with "
            "'forefold matrix --axis ...' or ResponseMatrix.to_json)"
        )
        raise ValueError(message)
    if not isinstance(content, dict) or any(name not in content for name in _NEEDED):
        names = ", ".join(content) if isinstance(content, dict) else type(content).__name__
        message = f"not a response matrix: histograms {', '.join(_NEEDED)} are needed, found {names or 'nothing'}"
        raise ValueError(message)
    return content


def _read(parts: dict[str, Any]) -> Contents:
    try:
        _checked(parts)
        return contents_of_histograms({name: histogram_of(part) for name, part in parts.items()})
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        message = f"not a response matrix: {type(error).__name__} {error}"
        raise ValueError(message) from None
    except ValueError as error:
        message = f"not a response matrix: {str(error).removeprefix('not a response matrix: ')}"
        raise ValueError(message) from None


def read_spectrum(text: str) -> hist.Hist[Any]:
    """Read a spectrum from UHI JSON of one histogram, or from a prediction.

    Parameters
    ----------
    text : str
        UHI JSON of one histogram; of several, the one named ``prediction`` or ``spectrum``, or the only one.

    Returns
    -------
    hist.Hist

    Raises
    ------
    ValueError
        If there is no histogram, several without one named so, or one of means.
    """
    content = _loaded(text)
    if isinstance(content, dict) and content and "uhi_schema" not in content:
        if all(name in content for name in _NEEDED):
            message = "this is a response matrix; a spectrum is one histogram"
            raise ValueError(message)
        names = list(content)
        named = [key for key in (PREDICTION, SPECTRUM) if key in content]
        if not named and len(names) > 1:
            message = f"several histograms ({', '.join(names)}), and none is named {PREDICTION!r} or {SPECTRUM!r}; a spectrum is one"
            raise ValueError(message)
        content = content[(named or names)[0]]
    histogram = histogram_of(content)
    refuse_means(histogram, "a spectrum")
    return histogram


def covariances_of(text: str) -> dict[str, Array]:
    """Read the covariances of a published spectrum by label; an empty dict if there are none.

    Parameters
    ----------
    text : str
        UHI JSON that `read_spectrum` takes. Covariances of a prediction are not read, as they are no property of data.

    Returns
    -------
    dict of str to ndarray, shape (n, n)

    Raises
    ------
    ValueError
        If the shape of one does not fit the spectrum.
    """
    content = _loaded(text)
    if not isinstance(content, dict) or "uhi_schema" in content or SPECTRUM not in content:
        return {}
    n = math.prod(shape_of(tuple(histogram_of(content[SPECTRUM]).axes)))
    parts = {
        key: histogram_of(part) for key, part in content.items() if key.startswith(_COVARIANCE)
    }
    return {key.removeprefix(_COVARIANCE): _numbers(parts, key, (n, n)) for key in parts}


def written_prediction(prediction: Prediction) -> str:
    """Write a prediction and its covariances as UHI JSON.

    Parameters
    ----------
    prediction : Prediction

    Returns
    -------
    str
        Histograms ``prediction``, ``covariance`` (the sum) and ``covariance_<source>`` over bin numbers, and ``fakes`` and ``background_<name>``
        if there are any. Notes and the content outside the axes are in the metadata of ``prediction``.
    """
    head = dict(prediction.histogram._to_uhi_())
    notes: dict[str, Any] = {_OUTSIDE: prediction.outside} if prediction.outside else {}
    notes |= {_NOTES: json.dumps(list(prediction.notes))} if prediction.notes else {}
    head["metadata"] = {**head.get("metadata", {}), **notes}
    parts = {PREDICTION: head, "covariance": numbered(prediction.covariance)}
    parts |= {
        f"{_COVARIANCE}{name}": numbered(covariance)
        for name, covariance in prediction.covariances.items()
    }
    parts |= {"fakes": numbered(prediction.fakes)} if prediction.fakes.any() else {}
    parts |= {
        f"{BACKGROUND}{name}": numbered(background)
        for name, background in prediction.backgrounds.items()
    }
    return json.dumps(parts, default=uhi.io.json.default)


def read_prediction(text: str) -> dict[str, Any]:
    """Read the attributes of a prediction from UHI JSON; see `forefold.matrix.Prediction.from_json`.

    Raises
    ------
    ValueError
        If the text is no prediction.
    """
    content = _loaded(text)
    if not isinstance(content, dict) or PREDICTION not in content:
        message = f"not a prediction: a histogram {PREDICTION!r} is needed"
        raise ValueError(message)
    histogram = histogram_of(content[PREDICTION])
    attributes = vars(histogram)
    notes, outside = tuple(notes_of(histogram)), float(attributes.get(_OUTSIDE, 0.0))
    for name in (_NOTES, _OUTSIDE):
        attributes.pop(name, None)
    parts = {
        name: histogram_of(part)
        for name, part in content.items()
        if name == "fakes" or name.startswith((_COVARIANCE, BACKGROUND))
    }
    n = histogram.values().size
    fakes = _numbers(parts, "fakes", (n,)) if "fakes" in parts else np.zeros(n)
    covariances = {
        name.removeprefix(_COVARIANCE): _numbers(parts, name, (n, n))
        for name in parts
        if name.startswith(_COVARIANCE)
    }
    backgrounds = {
        name.removeprefix(BACKGROUND): _numbers(parts, name, (n,))
        for name in parts
        if name.startswith(BACKGROUND)
    }
    return {
        "histogram": histogram,
        "covariances": covariances,
        "fakes": fakes,
        "outside": outside,
        "notes": notes,
        "backgrounds": backgrounds,
    }


def notes_of(spectrum: hist.Hist[Any]) -> list[str]:
    """Give the notes of a prediction that was read as a spectrum; an empty list for other spectra.

    Raises
    ------
    ValueError
        If they are no list of texts.
    """
    text = vars(spectrum).get(_NOTES, "[]")
    try:
        notes = json.loads(text)
    except (TypeError, ValueError):
        notes = None
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        message = f"{_NOTES}: a list of texts is expected, found {text!r}"
        raise ValueError(message)
    return notes


def contents_of_histograms(parts: Mapping[str, hist.Hist[Any]]) -> Contents:
    """Make contents from the histograms of `histograms_of`, or from sums of them.

    Raises
    ------
    ValueError
        If their axes or shapes do not fit.
    """
    notes = provenance(parts["counts"])
    if notes.get(_KEY) not in (_VERSION, _WITH_BACKGROUNDS):
        version = notes.get(_KEY, "none")
        message = (
            f"version {version}, of which this forefold knows {_VERSION} and {_WITH_BACKGROUNDS}"
        )
        raise ValueError(message)
    named = {
        key.removeprefix(BACKGROUND): histogram
        for key, histogram in parts.items()
        if key.startswith(BACKGROUND)
    }
    check_names_of_backgrounds(named)
    for name, histogram in {**{name: parts[name] for name in _NEEDED}, **named}.items():
        _check_part(name, histogram)
    n = len(parts["truth"].axes)
    axes = list(parts["counts"].axes)
    matching(list(parts["truth"].axes), axes[:n], "counts")
    matching(list(parts["alone"].axes), axes[n:], "counts")
    for name, histogram in named.items():
        matching(list(parts["alone"].axes), list(histogram.axes), name)
    counts, truth, alone = (_plain(parts[name], name) for name in _NEEDED)
    about = {k: v for k, v in notes.items() if k not in _OWN}
    exact, independent = (bool(notes.get(key)) for key in ("exact", "independent"))
    backgrounds = {name: _plain(histogram, name) for name, histogram in named.items()}
    held = Contents(counts, truth, alone, None, None, exact, independent, about, backgrounds)
    size = tuple(math.prod(shape_of(a)) for a in (held.true_axes, held.reco_axes))
    drawn, replicas = None, None
    if "pairs" in parts:
        pairs = _numbers(parts, "pairs", (*size, size[1]))
        drawn = Oversampled(int(notes["draws"]), pairs, _numbers(parts, "linear", size))
    if "replica_truth" in parts:
        rows = parts["replica_truth"].shape[0]
        replicas = Replicas(
            int(notes["replicas_rng"]),
            _numbers(parts, "replica_counts", (rows, *size)),
            _numbers(parts, "replica_truth", (rows, size[0])),
        )
    return replace(held, oversampled=drawn, replicas=replicas)


def _check_part(name: str, histogram: hist.Hist[Any]) -> None:
    if histogram.storage_type is not hist.storage.Weight:
        message = f"{name} has storage {histogram.storage_type.__name__}; Weight is needed"
        raise ValueError(message)
    for axis in histogram.axes:
        if not (axis.traits.underflow and axis.traits.overflow and axis.traits.ordered):
            message = f"{name}: axis {axis.name!r} needs ordered bins with underflow and overflow"
            raise ValueError(message)
    view: Any = histogram.view(flow=True)
    sound = (
        (np.abs(view["value"]) < _LARGEST) & (view["variance"] >= 0.0) & (view["variance"] < np.inf)
    )
    if not np.all(sound):
        message = f"{name} holds a NaN, infinite or absurd contents, or a negative variance"
        raise ValueError(message)


def _plain(histogram: hist.Hist[Any], name: str) -> hist.Hist[Any]:
    """Copy without the notes, which are kept apart."""
    plain: hist.Hist[Any] = hist.Hist(
        *histogram.axes, storage=hist.storage.Weight(), name=name, label="sum of weights"
    )
    plain.view(flow=True)[...] = histogram.view(flow=True)
    return plain


def _numbers(parts: Mapping[str, hist.Hist[Any]], name: str, shape: tuple[int, ...]) -> Array:
    values = np.asarray(parts[name].values(), dtype=np.float64)
    if values.shape != shape or not np.all(np.isfinite(values)):
        message = f"{name} has shape {values.shape}; finite numbers in {shape} are needed"
        raise ValueError(message)
    return values

"""What is wrong with a file or a wish is one line that says where, and what is allowed."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import format_matrices
import numpy as np
import pytest
from format_matrices import AXES, NAMES

import forefold
from forefold.matrix.formats import READABLE


def _written(format: str, folder: Path) -> Path:
    """Give the file of a format that is read first."""
    path = folder / NAMES[format]
    forefold.export_matrix(format_matrices.filled(even=True, n=300), path, format)
    return path / "response.yaml" if path.is_dir() else path


def _damaged(content: bytes, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    if seed % 2:
        return content[: int(rng.integers(len(content)))]
    changed = bytearray(content)
    for at in rng.integers(len(changed), size=5):
        changed[at] = int(rng.integers(256))
    return bytes(changed)


@pytest.mark.parametrize("format", READABLE)
def test_damage_is_one_line_that_names_the_file(format: str, tmp_path: Path) -> None:
    if format == "hepdata":
        pytest.importorskip("yaml")
    path = _written(format, tmp_path)
    content = path.read_bytes()
    told = []
    for seed in range(80):
        path.write_bytes(_damaged(content, seed))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries that read damaged files
            try:
                forefold.import_matrix(path, format, **AXES.get(format, {}))
            except ValueError as error:
                told.append(str(error))
    assert all(each.startswith(f"{path}: ") for each in told)
    assert not [each for each in told if "\n" in each]
    assert len(told) > 10  # most of a ROOT file is not what is read


@pytest.mark.parametrize("format", READABLE)
@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff\x00", b"{}", b"[1, 2]", b"word"],
    ids=["empty", "bytes", "object", "list", "word"],
)
def test_another_file_is_refused(format: str, content: bytes, tmp_path: Path) -> None:
    if format == "hepdata":
        pytest.importorskip("yaml")
    path = tmp_path / ("table.yaml" if format == "hepdata" else NAMES[format])
    path.write_bytes(content)
    with pytest.raises(ValueError, match=str(path)) as caught:
        forefold.import_matrix(path, format)
    assert "\n" not in str(caught.value)


def test_unknown_formats_and_settings_have_near_names(tmp_path: Path) -> None:
    matrix = format_matrices.exact()
    with pytest.raises(ValueError, match=r"format 'glob' .*'globes'"):
        forefold.export_matrix(matrix, tmp_path / "a", "glob")
    with pytest.raises(
        ValueError, match=r"format 'pyhf' is written, not read: .* globes, .* are read"
    ):
        forefold.import_matrix(tmp_path / "a", "pyhf")
    with pytest.raises(ValueError, match=r"ogip has no setting 'aera' \(did you mean 'area'"):
        forefold.export_matrix(matrix, tmp_path / "a", "ogip", aera=1.0)
    with pytest.raises(FileNotFoundError, match="no such file"):
        forefold.import_matrix(tmp_path / "absent.rmf", "ogip")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$bins = 2\n", r"\$emin is missing"),
        ("$bins = 1e9\n$emin = 0\n$emax = 1\n", r"1 to 100000 bins"),
        ("$bins = x\n$emin = 0\n$emax = 1\n", r"line 1: 'x' is not defined"),
        ("$emin = 0\n$emax = 1\n$binsize = {1, -1}\n", r"\$binsize: widths above 0"),
        ("$bins=2\n$emin=0\n$emax=1\n", "0 smearing matrices"),
        (
            "$bins=2\n$emin=0\n$emax=1\nenergy(#a)<@energy = {0,1,1,0}:{0,1,0,1}\n",
            "'>', in energy.#a. is expected, not the end of the file",
        ),
        ("$bins=2\n$emin=0\n$emax=1\nenergy(#a)<@energy = {0,1,1,0};>\n", "1 rows for 2 bins"),
        (
            "$bins=1\n$emin=0\n$emax=1\nenergy(#a)<@energy = {0,1,1,0};>\n",
            "indices 0 to 1 and 2 numbers",
        ),
        (
            "$bins=1\n$emin=0\n$emax=1\nenergy(#a)<@energy = {0,0,sinh(1)};>\n",
            r"line 4: no function 'sinh' \(did you mean 'sin'",
        ),
        ("$bins=1\n$emin=0\n$emax=1\nenergy(#a)<@energy = {0,0,1.2};>\n", r"sums to 1\.2"),
    ],
)
def test_globes_files_are_refused_in_words(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        forefold.import_matrix(path, "globes")


def test_names_that_are_none_are_refused(tmp_path: Path) -> None:
    matrix = format_matrices.exact(even=True)
    with pytest.raises(ValueError, match="name 'a b': a letter"):
        forefold.export_matrix(matrix, tmp_path / "a.dat", "globes", name="a b")
    with pytest.raises(ValueError, match=r"smear_CHANNEL_DETECTOR\.dat is needed"):
        forefold.export_matrix(matrix, tmp_path / "a.dat", "snowglobes")
    with pytest.raises(ValueError, match="several widths"):
        forefold.export_matrix(format_matrices.exact(), tmp_path / "smear_a_b.dat", "snowglobes")
    with pytest.raises(ValueError, match=r"must end in \.npz"):
        forefold.export_matrix(matrix, tmp_path / "a.np", "remu")
    with pytest.raises(ValueError, match="matrix of probabilities has no entries"):
        forefold.export_matrix(matrix, tmp_path / "a.npz", "remu")
    with pytest.raises(ValueError, match=r"ending \.arf is that of the effective area"):
        forefold.export_matrix(matrix, tmp_path / "a.arf", "ogip")
    assert not list(tmp_path.iterdir())


def test_negative_cells_are_refused(tmp_path: Path) -> None:
    true, reco = np.array([0.5, 0.5, 0.5]), np.array([0.5, 0.5, 1.5])
    matrix = forefold.ResponseMatrix.from_columns(
        true,
        reco,
        true_axes="energy=0:1:1",
        reco_axes="energy=0:2:2",
        weight=np.array([1.0, 1.0, -0.5]),
    )
    for format in ("globes", "ogip", "pyhf", "correctionlib", "hepdata"):
        with pytest.raises(ValueError, match=r"R\[0, 1\] is -0\.333333"):
            forefold.export_matrix(matrix, tmp_path / NAMES[format], format)
    with pytest.raises(ValueError, match="probabilities of 0 or more"):
        forefold.matrix_response(matrix)


def test_an_area_of_others_must_be_said(tmp_path: Path) -> None:
    matrix = format_matrices.exact()
    path = tmp_path / "a.rmf"
    forefold.export_matrix(matrix, path, "ogip", area=50.0)
    own = path.with_suffix(".arf")
    changed = own.read_bytes()
    for key in (b"FF_AREA ", b"CHECKSUM"):
        changed = changed.replace(key, b"XX" + key[2:])
    own.write_bytes(changed)
    with pytest.raises(ValueError, match="say how many cm² an efficiency of 1 stands for"):
        forefold.import_matrix(path, "ogip")
    back = forefold.import_matrix(path, "ogip", area=50.0)
    np.testing.assert_allclose(back.matrix, matrix.matrix, rtol=1e-14)


def test_an_arf_of_other_bins_is_refused(tmp_path: Path) -> None:
    forefold.export_matrix(format_matrices.exact(), tmp_path / "a.rmf", "ogip")
    forefold.export_matrix(format_matrices.exact(even=True), tmp_path / "b.rmf", "ogip")
    with pytest.raises(
        ValueError, match=r"b\.arf has 8 bins from 500000 to 4\.5e\+06 keV, the RMF 5"
    ):
        forefold.import_matrix(tmp_path / "a.rmf", "ogip", arf=tmp_path / "b.arf")


def test_root_says_what_is_there(tmp_path: Path) -> None:
    forefold.export_matrix(format_matrices.exact(), tmp_path / "a.root", "root")
    with pytest.raises(ValueError, match=r"no histogram 'responses' \(did you mean 'response'"):
        forefold.import_matrix(tmp_path / "a.root", "root", name="responses")
    with pytest.raises(ValueError, match="'truth' is a TH1D; a TH2 is needed"):
        forefold.import_matrix(tmp_path / "a.root", "root", name="truth")
    with pytest.raises(ValueError, match="no histogram 'measured'"):
        forefold.import_matrix(tmp_path / "a.root", "roounfold")


def test_counts_without_a_truth_are_no_probabilities(tmp_path: Path) -> None:
    forefold.export_matrix(format_matrices.filled(), tmp_path / "a.root", "root")
    with pytest.raises(ValueError, match=r"a true bin sums to .*truth=.*if these are counts"):
        forefold.import_matrix(tmp_path / "a.root", "root", name="counts", truth="none")


def test_less_measured_than_matched_is_refused(tmp_path: Path) -> None:
    forefold.export_matrix(format_matrices.exact(), tmp_path / "a.root", "roounfold")
    with pytest.raises(ValueError, match="truth has 5 bins, response 6 measured ones"):
        forefold.import_matrix(tmp_path / "a.root", "roounfold", measured="truth")


def test_spectra_over_other_axes_are_refused(tmp_path: Path) -> None:
    matrix = format_matrices.exact()
    wrong = format_matrices.exact(even=True).truth
    with pytest.raises(ValueError, match=r"signal: axis 0 \('enu_true'\) has 8 bins"):
        forefold.export_matrix(matrix, tmp_path / "a.json", "pyhf", signal=wrong)
    low = matrix.reco.copy() * -1.0
    with pytest.raises(ValueError, match=r"background: bin .* contents of 0 or more"):
        forefold.export_matrix(matrix, tmp_path / "a.json", "pyhf", background=low)


def test_how_many_axes_are_true_must_be_known(tmp_path: Path) -> None:
    axes = [[0.0, 1.0, 2.0]]
    made = {
        "schema_version": 2,
        "corrections": [
            {
                "name": "response",
                "data": {
                    "nodetype": "multibinning",
                    "inputs": ["x"],
                    "edges": axes,
                    "content": [1, 2],
                },
            }
        ],
    }
    (tmp_path / "c.json").write_text(json.dumps(made))
    with pytest.raises(ValueError, match=r"inputs x; say how many of them are true"):
        forefold.import_matrix(tmp_path / "c.json", "correctionlib")
    with pytest.raises(ValueError, match="no correction 'migration'; there are: response"):
        forefold.import_matrix(tmp_path / "c.json", "correctionlib", name="migration")


def test_hepdata_bins_must_not_overlap(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    path = tmp_path / "t.yaml"
    path.write_text(
        "independent_variables:\n- header: {name: t}\n  values: [{low: 0, high: 2}, {low: 1, high: 3}]\n"
        "- header: {name: r}\n  values: [{low: 0, high: 1}, {low: 1, high: 2}]\n"
        "dependent_variables:\n- header: {name: R}\n  values: [{value: 1}, {value: 0.5}]\n"
    )
    with pytest.raises(ValueError, match=r"bins 0 \(t 0 to 2\) and 1 overlap"):
        forefold.import_matrix(path, "hepdata")
    path.write_text(path.read_text().replace("{low: 1, high: 3}", "{low: 2, high: 3}"))
    found = forefold.import_matrix(path, "hepdata")
    np.testing.assert_array_equal(found.matrix, [[1.0, 0.0], [0.0, 0.5]])
    assert found.true_axes[0].edges.tolist() == [0.0, 2.0, 3.0]


@pytest.mark.parametrize(("format", "files"), [("ogip", 2), ("snowglobes", 2), ("hepdata", 3)])
def test_files_of_a_format_are_written_as_one(
    format: str, files: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / NAMES[format]
    matrix = format_matrices.filled(even=True, n=300)
    forefold.export_matrix(matrix, path, format)
    folder = path if path.is_dir() else tmp_path

    def held() -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in folder.iterdir()}

    before = held()
    assert len(before) == files
    real = Path.replace

    for broken in before:  # whichever of them cannot be put in its place

        def refuse(self: Path, target: Path, broken: str = broken) -> Path:
            if target.name == broken and ".part" in str(self):
                raise OSError(5, "Input/output error", str(self))
            return real(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", refuse)
            with pytest.raises(OSError, match="cannot be written"):
                forefold.export_matrix(
                    format_matrices.filled(even=True, n=400), path, format, overwrite=True
                )
        assert held() == before
    assert len(list(tmp_path.iterdir())) == (1 if path.is_dir() else files)


def test_another_file_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "matrix.root"
    path.write_bytes(b"root" + bytes(60))
    with pytest.raises(ValueError, match=r"an \.npz is an archive") as found:
        forefold.import_matrix(path, "remu")
    assert "pickle" not in str(found.value)

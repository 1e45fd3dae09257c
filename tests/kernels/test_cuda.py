"""SimpleRules cards on a graphics card: the bits of the CPU in numba's simulator, and the code that is made for a real one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import device_run
import numpy as np
import ptx
import pytest

import forefold
from forefold.cli import main
from forefold.detector.compile import compile_card, species_table
from forefold.kernels import cuda as kc
from forefold.kernels.cuda_kernels import bin_of, count
from forefold.kernels.cuda_kernels import smear as kernel
from forefold.kernels.gpu import _whole
from forefold.kernels.layout import Smeared
from forefold.kernels.simple_rules import Assigned, candidates, frames, simple_rules, unassigned
from forefold.kernels.threads import on_gpu
from forefold.smearing.engine import prepared
from forefold.smearing.gpu import energy_counts

installed = pytest.mark.skipif(
    find_spec("numba_cuda") is None, reason="not run: numba-cuda is not installed"
)


def gpu() -> bool:
    if find_spec("numba_cuda") is None:
        return False
    cuda: Any = import_module("numba.cuda")
    return bool(cuda.is_available())


def compiler() -> bool:
    """Whether NVIDIA's compiler is here; it needs no graphics card."""
    if find_spec("numba_cuda") is None or find_spec("cuda.pathfinder") is None:
        return False
    finder: Any = import_module("cuda.pathfinder")
    try:
        for name in ("nvvm", "nvrtc"):
            finder.load_nvidia_dynamic_lib(name)
    except (RuntimeError, OSError):
        return False
    return True


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a process found in which numba plays the graphics card."""
    if find_spec("numba_cuda") is None:
        pytest.skip("not run: numba-cuda is not installed")
    path = tmp_path_factory.mktemp("cuda") / "found.npz"
    env = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "FOREFOLD_DEVICE": "cuda"}
    script = str(Path(device_run.__file__))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, str(path)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return np.load(path)


@pytest.mark.parametrize("which", list(device_run.CARDS))
def test_same_bits_in_the_simulator(which: str, simulated: Any) -> None:
    for name, column in device_run.drawn(which).items():
        assert simulated[name].dtype == column.dtype
        assert simulated[name].tobytes() == column.tobytes(), name
    seen = (simulated[f"{which}/fate"] & int(forefold.Fate.DETECTED)) != 0
    assert 0.1 < seen.mean() < 0.95


def test_histogram_in_the_simulator(simulated: Any) -> None:
    """Counts are exact, and sums of weights to the last bit that a sum of few doubles has."""
    edges, smeared = (
        device_run.EDGES,
        forefold.smear(device_run.sample(), "nusmear-dune-cdr", rng=4),
    )
    particles = smeared.particles[smeared.particles.detected]
    import awkward as ak

    x, y = (ak.to_numpy(ak.flatten(particles[f"energy_{w}"])) for w in ("true", "reco"))
    weight = ak.to_numpy(ak.flatten(ak.broadcast_arrays(smeared.weight, particles.energy_true)[0]))
    counts = np.histogram2d(x, y, (edges, edges))[0]
    assert counts.sum() > 20
    assert simulated["counts"].dtype == np.int64
    np.testing.assert_array_equal(simulated["counts"], counts)
    sums = np.histogram2d(x, y, (edges, edges), weights=weight)[0]
    np.testing.assert_allclose(simulated["sums"], sums, rtol=1e-14)


def arguments(which: str, n: int) -> tuple[Any, ...]:
    """What the kernel is called with; numbers that it does not fill are 7."""
    truth, fate, made = (
        device_run.truth(n),
        device_run.fates(n),
        compile_card(device_run.named(which)),
    )
    assigned, rules, table = (
        unassigned(),
        made.simple_rules,
        species_table(made.card, device_run.KINDS),
    )
    columns = np.full((9, n), 7.0)
    if rules is None:
        work = prepared(truth, device_run.KINDS, fate, made, variation=3)
        assigned = Assigned(work.kind, work.kinematics, work.chosen, work.tables.dynamic)
        rules, table, fate = simple_rules(work.tables), work.table, work.fate.copy()
        columns[0], columns[1] = work.kinematics.mass, work.kinematics.theta
    assert rules is not None
    axes, same = frames(truth.axis)
    a, b, c, d, e, f, g, h, i = columns
    rule, part = np.full(n, 5, np.int16), np.full(n, 5, np.int8)
    out = Smeared(a, b, c, d, e, f, g, h, i, fate, rule, part)
    tables = (truth, table, candidates(table), rules, assigned, axes)
    return (*tables, same, np.uint64(3 << 16), columns[2:], out)


@pytest.fixture(scope="module")
def texts() -> dict[bool, str]:
    """The code that NVIDIA's compiler makes, with products and sums fused or not; it needs no graphics card."""
    if not compiler():
        pytest.skip("not run: NVIDIA's compilers (libNVVM, NVRTC) are not installed")
    import numba

    cuda: Any = import_module("numba.cuda")
    dispatcher: Any = import_module("numba.cuda.dispatcher")
    typeof: Any = numba.typeof
    kind = numba.types.void(*map(typeof, arguments("nusmear-dune-cdr", 3)))
    words: dict[str, Any] = {"cc": (8, 0), "device": False, "abi": "numba"}
    made, found = kc.translation(), {}
    # functions ask for the device that they are for
    some = SimpleNamespace(compute_capability=(8, 0))
    with mock.patch.object(dispatcher, "get_current_device", return_value=some):
        found[True], _ = cuda.compile_ptx(made.rebuilt(kernel), kind, **words)
        with kc.uncontracted():
            found[False], _ = cuda.compile_ptx(made.rebuilt(kernel), kind, **words)
    return found


def test_code_without_fused_products(texts: dict[bool, str]) -> None:
    """It has IEEE products, sums, quotients and roots, each rounded, and nothing fused."""
    found = {
        fused: Counter(re.findall(r"\s((?:fma|mul|add|sub|div|sqrt)\S*\.f64)\s", text))
        for fused, text in texts.items()
    }
    assert set(found[False]) == {f"{w}.rn.f64" for w in ("mul", "add", "sub", "div", "sqrt")}
    assert found[False]["mul.rn.f64"] > 200
    # and it is the option that does it
    assert found[True]["fma.rn.f64"] > 100
    # what a thread holds is in registers
    assert ".local" not in texts[False]


@installed
@pytest.mark.skipif(
    not compiler(), reason="not run: NVIDIA's compilers (libNVVM, NVRTC) are not installed"
)
def test_whole_numbers_are_added() -> None:
    """The histogram is of 64-bit integers, which add up the same in any order."""
    from numba import float64, int64, uint16, void

    cuda: Any = import_module("numba.cuda")
    kind = void(
        float64[::1],
        float64[::1],
        uint16[::1],
        float64[::1],
        float64[::1],
        int64[::1],
        int64[:, ::1],
    )
    dispatcher: Any = import_module("numba.cuda.dispatcher")
    some = SimpleNamespace(compute_capability=(8, 0))
    with mock.patch.object(dispatcher, "get_current_device", return_value=some):
        function = kc.translation().rebuilt(count)
        text, _ = cuda.compile_ptx(function, kind, cc=(8, 0), device=False, abi="numba")
    assert re.findall(r"\s((?:atom|red)\.\S*)", text) == ["atom.global.add.u64"]


def carried_out(text: str, which: str, n: int) -> dict[str, Any]:
    """Columns that the code leaves when it is carried out instruction by instruction."""
    code, values = ptx.Code(text), arguments(which, n)
    words = ptx.flat(values)
    for i in range(n):
        code.run(words, i)
    out = values[-1]
    found: dict[str, Any] = {f"{which}/{name}": getattr(out, name) for name in out._fields}
    for name, column in found.items():
        if column.dtype == np.float64:
            found[name] = np.where(np.isnan(column), np.nan, column)
    return found


@pytest.mark.parametrize("which", list(device_run.CARDS))
def test_same_bits_of_the_code(which: str, texts: dict[bool, str]) -> None:
    """The code for a graphics card, carried out on the processor, gives the processor's bits."""
    n, known = 100, device_run.drawn(which, 100)
    for name, column in carried_out(texts[False], which, n).items():
        assert known[name].tobytes() == column.tobytes(), name


def test_fused_code_has_other_bits(texts: dict[bool, str]) -> None:
    """The test above can fail."""
    known = device_run.drawn("nusmear-dune-cdr", 20)
    found = carried_out(texts[True], "nusmear-dune-cdr", 20)
    name = "nusmear-dune-cdr/px_reco"
    assert known[name].tobytes() != found[name].tobytes()
    np.testing.assert_allclose(found[name], known[name], rtol=1e-12)


@pytest.mark.skipif(not gpu(), reason="not run: no GPU")
@pytest.mark.parametrize("which", list(device_run.CARDS))
def test_same_bits_on_a_gpu(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = device_run.drawn(which, 100_000)
    monkeypatch.setenv("FOREFOLD_DEVICE", "cuda")
    for name, column in device_run.drawn(which, 100_000).items():
        assert known[name].tobytes() == column.tobytes(), name


def test_a_device_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREFOLD_DEVICE", "gpu")
    with pytest.raises(ValueError, match="FOREFOLD_DEVICE: 'cpu' or 'cuda', found 'gpu'"):
        on_gpu()
    for word in ("", "cpu"):
        monkeypatch.setenv("FOREFOLD_DEVICE", word)
        assert not on_gpu()


@installed
@pytest.mark.skipif(gpu(), reason="there is a GPU")
def test_without_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.parquet")
    words = [str(forefold.sample()), "-d", "nusmear-dune-cdr", "--rng", "1", "--entries", "0:3"]
    assert main(["smear", *words, "--device", "cuda", "-o", out]) == 2
    assert "cuda: no GPU with a driver was found" in capsys.readouterr().err
    assert "FOREFOLD_DEVICE" not in os.environ
    monkeypatch.setenv("FOREFOLD_DEVICE", "cuda")
    assert main(["smear", *words, "--device", "cpu", "-o", out, "-q"]) == 0
    assert os.environ["FOREFOLD_DEVICE"] == "cuda"
    with pytest.raises(OSError, match="no GPU"):
        energy_counts(device_run.sample(), "nusmear-dune-cdr", [0, 1], [0, 1], rng=1)


@installed
def test_the_benchmark_gives_the_same_bits_in_the_simulator() -> None:
    root = Path(__file__).parents[2]
    given = [sys.executable, "-m", "benchmarks.gpu", "--particles", "30", "--repeats", "1"]
    place = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(given, cwd=root, env=place, check=True, capture_output=True, text=True)
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (facts["bits_equal"], facts["histogram_equal"]) == ("True", "True")


def test_without_numba_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kc, "find_spec", lambda _: None)
    with pytest.raises(
        OSError, match=r"numba-cuda is not installed; pip install 'forefold\[cuda\]'"
    ):
        kc.ready()


@installed
def test_fused_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A numba-cuda that passes the option over is found out at the first launch."""

    class Kernel:
        def __init__(self) -> None:
            self.overloads = {"one": 1}
            self.text = "mul.rn.f64 add.rn.f64"

        def __getitem__(self, _: Any) -> Any:
            return lambda *_: None

        def inspect_asm(self) -> dict[str, str]:
            return {"one": self.text}

    some = Kernel()
    monkeypatch.setattr(kc, "kernels", lambda: {"smear": some})
    monkeypatch.setattr(kc, "_looked_through", {})
    kc.launch("smear", 5)
    some.text += " fma.rn.f64"
    kc.launch("smear", 5)  # the same code is not looked through again
    monkeypatch.setattr(kc, "_looked_through", {})
    with pytest.raises(RuntimeError, match="fuses products with sums"):
        kc.launch("smear", 5)


def test_cards_that_only_the_cpu_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are drawn there whatever the device is; a histogram on the device is refused."""
    from gun import card, rule

    events = device_run.sample()
    monkeypatch.setenv("FOREFOLD_DEVICE", "cuda")
    odd = card(rule('energy = { of = "total", distribution = "uniform", constant = 0.1 }'))
    assert len(forefold.smear(events, odd, rng=2)) == len(events)
    with pytest.raises(ValueError, match="card 'test': a rule is not simple"):
        energy_counts(events, odd, [0.0, 1.0], [0.0, 1.0])
    for wrong in ([1.0], [1.0, 1.0], [0.0, np.inf], [[0.0, 1.0]], [0.0, np.nan]):
        with pytest.raises(ValueError, match="reco_edges: at least two finite numbers that ascend"):
            energy_counts(events, odd, [0.0, 1.0], wrong)


def test_weights_as_whole_numbers() -> None:
    whole, unit = _whole(np.array([0.5, -3.0, 1e-3]), 3)
    assert np.abs(whole).sum() < 2**62
    np.testing.assert_allclose(whole * unit, [0.5, -3.0, 1e-3], rtol=0, atol=unit / 2)
    assert unit < 1e-17
    assert _whole(np.zeros(2), 2)[0].tolist() == [0, 0]
    for wrong in ([1.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="weight: 2 finite numbers"):
            _whole(np.array(wrong), 2)


def test_bins_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    edges = np.sort(rng.random(12))
    values = np.concatenate([rng.random(200) * 1.2 - 0.1, edges, [np.nan]])
    known = [np.histogram([v], edges)[0] for v in values[:-1]]
    expected = [int(np.argmax(c)) if c.any() else -1 for c in known] + [-1]
    assert [bin_of(edges, v) for v in values] == expected

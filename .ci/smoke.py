"""Every command and every format once, on small data: exit code 0, no warning of a library, outputs that are read back."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
GST = DATA / "genie_numu_Ar40_300.gst.root"
CARD = "-d nusmear-default --rng 1 -q"
AXIS = "--axis lepton_momentum=0,0.5,1,2,4"
INPUTS = [
    "genie_numu_Ar40_300.gst.root",
    "genie_numu_Ar40_300.ghep.root",
    "genie_numu_Ar40_300.gtrac.root",
    "genie_numu_Ar40_300.hepmc3.gz",
    "achilles_numu_Ar40_20.hepmc3.gz",
    "nuisance_genie_numu_Ar40_60.root",
]
OUTPUTS = ["parquet", "csv", "csv.gz", "root", "h5", "hepmc3", "hepmc3.gz"]
EXPORTS = {
    "uhi": "o.json",
    "root": "o.root",
    "roounfold": "r.root",
    "tunfold": "t.root",
    "remu": "o.npz",
    "pyhf": "w.json",
    "correctionlib": "c.json",
    "hepdata": "hepdata",
    "globes": "o.glb",
    "ogip": "o.rmf",
    "snowglobes": "smear_numu_toy.dat",
}
IN_GEV = {"globes", "ogip", "snowglobes"}
BINS = "--true enu=0:10:5 --reco enu=0:10:5"  # SNOwGLoBES does not say them


def run(*words: object) -> str:
    """Run a command, and stop at anything but success without a word of a library."""
    texts = [
        text
        for word in words
        for text in ([str(word)] if isinstance(word, Path) else str(word).split())
    ]
    done = subprocess.run(
        [sys.executable, "-m", "forefold", *texts], capture_output=True, text=True, check=False
    )
    bad = done.returncode or "Traceback" in done.stderr or "deprecat" in done.stderr.lower()
    print("FAILED" if bad else "ok    ", "forefold", *texts, flush=True)
    if bad:
        sys.exit(f"exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def main() -> None:
    """Run everything in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run("--version")
        run("--help")
        for name in INPUTS:
            run("inspect", DATA / name)
            run("smear", DATA / name, CARD, "-o", work / f"{name}.parquet")
        for ending in OUTPUTS:
            out = work / f"o.{ending}"
            run("smear", GST, CARD, "-o", out)
            run("inspect", out)
            if ending in {"parquet", "root", "h5"}:  # the others do not hold energies of events
                run("matrix", out, "-q -o", work / f"{ending}.json")
        for ending in OUTPUTS[:5]:
            events = work / f"events.{ending}"
            run("convert", GST, "-q", events)
            run("smear", events, CARD, "--axis z -o", work / f"again.{ending}.parquet")
        run("smear", GST, CARD, "--workers 2 --observables -o", work / "workers.parquet")
        run(
            "smear",
            GST,
            "-d dune-fd-uncertainties --rng 1 -q --variations all -o",
            work / "v.parquet",
        )
        data, matrix, fine = (work / name for name in ("S.json", "R.json", "E.json"))
        run(
            "matrix",
            GST,
            CARD,
            AXIS,
            "--signal cc --replicas 5 -o",
            matrix,
            "--plot",
            work / "R.pdf",
        )
        run("matrix", GST, CARD, "--axis enu=0:10:5 -o", fine)
        run("spectrum", GST, CARD, AXIS, "--reco -o", data)
        run("spectrum", GST, AXIS, "-q -o", work / "T.json")
        run("observables")
        for ending in ("csv", "parquet"):
            run("observables", GST, CARD, "-o", work / f"observables.{ending}")
        run("fold", work / "T.json", matrix, "-q -o", work / "F.json")
        for method in (
            "bayes --iterations 2",
            "tikhonov --strength gcv",
            "wiener",
            "likelihood",
            "inversion",
        ):
            run("unfold", data, matrix, "-q --method", method, "-o", work / "U.json", "--overwrite")
        run("inspect", work / "U.json")
        run("fit", data, matrix, "--plot", work / "fit.png")
        run("limit", data, matrix, "--cl 0.9")
        for name, out in EXPORTS.items():
            place = work / f"export-{name}"
            place.mkdir()
            run("export", name, fine if name in IN_GEV else matrix, "-o", place / out)
            if name != "pyhf":
                bins = BINS if name == "snowglobes" else ""
                run("import", name, place / out, bins, "-o", place / "back.json")
        run("report", GST, CARD, AXIS, "-o", work / "page.html")
        run("plot energy", GST, CARD, "-o", work / "energy.png")
        run("card list")
        for verb in ("show", "check", "validate --draws 200"):
            run("card", verb, "nusmear-default")
        run("card show juno --plot", work / "card.svg")
        run("cite nusmear-default")
        run("warmup")
        run("demo -o", work / "demo")


if __name__ == "__main__":
    main()

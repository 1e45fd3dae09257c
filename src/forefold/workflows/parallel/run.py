"""A job from its command to its output: parts are made by workers, and put together in their order as they come."""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold import io
from forefold._about import __version__
from forefold.io.files import refuse_as_output, streams_of, window
from forefold.io.registry import nothing_left
from forefold.io.write import check_target, kind_of, replace_aside
from forefold.kernels.fate import Fate
from forefold.workflows.parallel.manifest import SCHEMA, check_content, check_same, final
from forefold.workflows.parallel.parts import Folder, digest
from forefold.workflows.parallel.split import PART, content, identity, parts_of, survey
from forefold.workflows.parallel.tasks import run_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from forefold._parallel import Crew
    from forefold.io.cross_sections import CrossSection
    from forefold.io.registry import Damage, Entries, Paths, Progress
    from forefold.workflows.job import Recipe
    from forefold.workflows.requests import AnyRequest
    from forefold.workflows.stream import Tally

__all__ = ["Job", "Plan"]


@dataclass(frozen=True)
class Plan:
    """What is to be done, as it was asked for.

    Attributes
    ----------
    inputs : paths
    out : str
        Output.
    recipe : Recipe
        What is done to each event.
    requests : tuple of Request or MatrixRequest
        Histograms; none: smeared events are written.
    varied : bool
        Whether the histograms have an axis of the variations.
    entries, chunk, cross_section
        See `forefold.workflows.stream.smear_files`.
    stream : sequence of int or None
        One number a file in the random numbers; None: from the content.
    skip_damaged : bool
    partition : int
        Events of a part that are aimed at.
    """

    inputs: Paths
    out: str
    recipe: Recipe
    requests: tuple[AnyRequest, ...] = ()
    varied: bool = False
    entries: Entries = None
    chunk: int = 0
    cross_section: CrossSection | None = None
    stream: Sequence[int] | None = None
    skip_damaged: bool = False
    partition: int = PART

    def manifest(self, crew: Crew, begun: dict[str, Any] | None) -> dict[str, Any]:
        """Look at the inputs and write down what is to be done.

        Parameters
        ----------
        crew : Crew
            Who looks at the inputs.
        begun : dict or None
            Manifest of the job that is to go on, whose hashes of whole files are kept.
        """
        paths = io.expand(self.inputs)
        refuse_as_output(paths, self.out)
        places = [io.source.absolute(path) for path in paths]
        tasks = [(place, self.skip_damaged) for place in places]
        origins, parts, changed = self._looked_at(crew, paths, tasks, begun)
        identities = _each(crew, identity, tasks) if begun else origins
        changed = [file["changed"] for file in identities] if begun else changed
        streams = streams_of(paths, [file["stream"] for file in identities], self.stream)
        inputs = [
            {
                "path": path,
                "place": place,
                "bytes": file["bytes"],
                "stream": stream,
                "changed": when,
            }
            for path, place, file, stream, when in zip(
                paths, places, identities, streams, changed, strict=True
            )
        ]
        facts: dict[str, Any] = {
            "schema": SCHEMA,
            "version": __version__,
            "out": self.out,
            "format": ".json" if self.requests else kind_of(self.out),
            "folder": str(Path.cwd()),
            "inputs": inputs,
            "origins": origins,
            "entries": list(window(self.entries)),
            "parts": parts,
            "partition": self.partition,
            "recipe": self.recipe.to_dict(),
            "requests": [request.to_dict() for request in self.requests],
            "varied": self.varied,
            "cross_section": self.cross_section.to_dict() if self.cross_section else None,
            "skip_damaged": self.skip_damaged,
            "chunk": self.chunk,
        }
        plain: dict[str, Any] = json.loads(json.dumps(facts))
        return plain

    def _looked_at(
        self,
        crew: Crew,
        paths: list[str],
        tasks: list[tuple[str, bool]],
        begun: dict[str, Any] | None,
    ) -> tuple[list[Any], Any, list[int | None]]:
        """Origins of the inputs, the parts into which they are cut, times of change; what is known is not made again."""
        if begun and [file["path"] for file in begun["inputs"]] == paths:
            return begun["origins"], begun["parts"], []
        surveys = [dict(facts) for facts in _each(crew, survey, tasks)]
        lengths = [None if self.skip_damaged else facts["length"] for facts in surveys]
        origins = [dict(facts["origin"]) for facts in surveys]
        for path, origin in zip(paths, origins, strict=True):
            origin["path"] = path.encode("utf-8", "surrogateescape").decode(
                "utf-8", "backslashreplace"
            )
        parts = parts_of(paths, lengths, self.entries, self.partition)
        return origins, parts, [facts["changed"] for facts in surveys]


def _each(crew: Crew, function: Any, tasks: list[tuple[str, bool]]) -> list[Any]:
    """Look at every file, at one that is given twice only once."""
    different = list(dict.fromkeys(tasks))
    results = dict(zip(different, crew(function, different), strict=True))
    return [results[task] for task in tasks]


@dataclass
class Job:
    """A job on its way.

    Attributes
    ----------
    plan : Plan
    crew : Crew
    folder : Folder
    manifest : dict
        What is to be done.
    done : list of dict
        What the parts held, in their order, as far as they were put together.
    """

    plan: Plan
    crew: Crew
    folder: Folder
    manifest: dict[str, Any]
    done: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def begin(cls, plan: Plan, crew: Crew, *, resume: bool, overwrite: bool) -> Job:
        """Begin a job, or go on with one.

        Raises
        ------
        ValueError
            If it was begun as something else.
        FileExistsError
            If there is a job, or an output, and nobody said what to do with it.
        """
        folder = Folder(plan.out)
        try:
            begun = cls._begun(plan, folder, resume=resume, overwrite=overwrite)
            return cls(plan, crew, folder, cls._agreed(plan, crew, folder, begun))
        except BaseException:
            folder.unlock()
            raise

    @staticmethod
    def _begun(
        plan: Plan, folder: Folder, *, resume: bool, overwrite: bool
    ) -> dict[str, Any] | None:
        """Read what was begun, where it is to go on; where it is not, remove it if that was asked for."""
        begun = None
        if folder.exists():
            if not (resume or overwrite):
                msg = f"{folder}: a job was begun here; --resume goes on with it, --overwrite begins anew"
                raise FileExistsError(msg)
            folder.lock()
            begun = folder.manifest() if resume else None
            if not resume:
                folder.remove()
        if Path(plan.out).exists() and not overwrite and not folder.merges():
            msg = f"{plan.out}: exists already; --overwrite (overwrite=True) replaces it"
            raise FileExistsError(msg)
        return begun

    @staticmethod
    def _agreed(
        plan: Plan, crew: Crew, folder: Folder, begun: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Write down what is to be done, if it is what was begun."""
        check_target(plan.out, overwrite=True)
        manifest = plan.manifest(crew, begun)
        if begun is not None:
            check_same(str(folder), begun, manifest)
            _check_touched(str(folder), crew, begun, manifest)
            for pid in begun["pids"]:
                _forget(plan.out, pid)
        manifest["pids"] = [*(begun["pids"] if begun else []), os.getpid()]
        folder.begin(manifest)
        return manifest

    def tables(self, progress: Progress | None, damage: Damage | None) -> Iterator[pa.Table]:
        """Make the parts and give their contents in order, one block after the other."""
        import pyarrow as pa

        out = str(Path(self.plan.out).absolute())
        tasks = [(out, number) for number in range(len(self.manifest["parts"]))]
        warned: set[str] = set()
        empty: pa.Table | None = None
        events = 0
        for number, facts in enumerate(self.crew(run_part, tasks)):
            self.done.append(facts)
            for text in facts["warnings"]:
                if text not in warned:
                    warned.add(text)
                    warnings.warn(text, stacklevel=2)
            self._count_damage(number, facts, damage)
            events += facts["events"]
            with pa.OSFile(str(self.folder.part(number)), "rb") as file:
                reader = pa.ipc.open_file(file)
                for i in range(reader.num_record_batches):
                    table = pa.Table.from_batches([reader.get_batch(i)])
                    if facts["events"] or not table.num_columns:
                        yield table
                    else:
                        empty = table
            if progress is not None:
                progress((number + 1) / len(tasks), events)
        if not events and empty is not None:
            yield empty
        self.folder.merge()

    def _count_damage(self, number: int, facts: dict[str, Any], damage: Damage | None) -> None:
        if damage is None or facts["damage"] is None:
            return
        lost, notes = facts["damage"]
        for note in notes:
            damage.add(0, note)
        damage.events += lost
        place = self.manifest["parts"][number][0]
        if not facts["events"] and lost and (facts["selection"] or [0])[0] == 0:
            raise nothing_left(self.manifest["inputs"][place]["path"], damage)

    def finish(self, *, manifest: bool) -> None:
        """Say what was done, and remove the parts."""
        path = Path(self.plan.out)
        output = {"bytes": path.stat().st_size, "sha256": digest(path)}
        facts = final(self.manifest, self.done, output) | {"tally": totals(self.done)}
        forget_manifest(path)
        if manifest:
            with replace_aside(f"{self.plan.out}.manifest.json", overwrite=True) as aside:
                aside.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        self.folder.remove()


def totals(done: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Add up what parts held, as JSON would hold it."""
    fates: Counter[str] = Counter()
    selected = [0, 0]
    for facts in done:
        fates.update(facts["fates"])
        if facts["selection"]:
            selected = [a + b for a, b in zip(selected, facts["selection"], strict=True)]
    return {
        "events": sum(facts["events"] for facts in done),
        "particles": sum(facts["particles"] for facts in done),
        "fates": dict(sorted(fates.items())),
        "off_shell": sum(facts["off_shell"] for facts in done),
        "selection": selected,
    }


def add_up(tally: Tally, done: Sequence[dict[str, Any]]) -> None:
    """Add what parts held to a tally."""
    take_totals(tally, totals(done))


def take_totals(tally: Tally, found: dict[str, Any]) -> None:
    """Add sums that `totals` gave to a tally."""
    tally.events += found["events"]
    tally.particles += found["particles"]
    tally.off_shell += found["off_shell"]
    tally.fates.update({Fate(int(fate)): n for fate, n in found["fates"].items()})
    if tally.selection is not None:
        tally.selection.events += found["selection"][0]
        tally.selection.kept += found["selection"][1]


def finished(plan: Plan, crew: Crew) -> dict[str, Any] | None:
    """Read what was done, if this job was done before and its output is still what it was."""
    path = Path(f"{plan.out}.manifest.json")
    if Folder(plan.out).exists() or not (path.exists() and Path(plan.out).exists()):
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        whole = facts["output"]["sha256"] == digest(Path(plan.out))
        old = {**facts, "parts": [[part["input"], *part["entries"]] for part in facts["parts"]]}
    except (ValueError, KeyError, TypeError):
        return None
    if not whole:
        return None
    manifest = plan.manifest(crew, None)
    check_same(str(path), old, manifest)
    check_content(str(path), _hashes(old["inputs"]), _hashes(manifest["origins"]))
    done: dict[str, Any] = facts["tally"]
    return done


def _hashes(origins: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {origin["path"]: origin["sha256"] for origin in origins if "sha256" in origin}


def _check_touched(where: str, crew: Crew, begun: dict[str, Any], now: dict[str, Any]) -> None:
    """Read inputs again that were changed, or only touched, since the job began."""
    touched = {
        new["place"]: origin
        for old, new, origin in zip(begun["inputs"], now["inputs"], begun["origins"], strict=True)
        if old.get("changed") != new["changed"] and "sha256" in origin
    }
    digests = crew(content, [(place,) for place in touched])
    hashes = {origin["path"]: text for origin, text in zip(touched.values(), digests, strict=True)}
    check_content(where, _hashes(list(touched.values())), hashes)


def forget_manifest(out: str | os.PathLike[str]) -> None:
    """Remove the manifest of a job whose output was replaced by another."""
    Path(f"{os.fspath(out)}.manifest.json").unlink(missing_ok=True)


def rng_of(out: str) -> int | None:
    """Find the `rng` of a job that was begun, or finished, where the command does not say it."""
    begun = Folder(out).manifest() if Folder(out).exists() else None
    if begun is None:
        try:
            begun = json.loads(Path(f"{out}.manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
    return int(begun["recipe"]["rng"])


def _forget(out: str, pid: int) -> None:
    """Remove what a process that was killed was writing."""
    if pid == os.getpid():
        return
    for name in (out, f"{out}.json", f"{out}.manifest.json"):
        target = Path(os.path.realpath(name))
        target.with_name(f".{target.name}.{pid}.part").unlink(missing_ok=True)


@contextmanager
def told_where(folder: Folder) -> Iterator[None]:
    """Say, of what stops a job, that it can go on."""
    try:
        yield
    except BaseException as error:
        if folder.exists():
            error.add_note(f"{folder} holds what is done: --resume goes on")
        raise
    finally:
        folder.unlock()

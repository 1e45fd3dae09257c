"""What comes before the events of a HepMC file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from forefold.io.provenance import UNKNOWN
from forefold.io.readers import hepmc_text as hepmctext

__all__ = ["RunInfo"]

_HEADER = re.compile(
    rb"HepMC::Version [ -~]++\s*+$|HepMC::[\w-]+-START_EVENT_LISTING\s*+$|[WATN](?: |\s*+$)|\s*+$"
)


@dataclass(frozen=True)
class RunInfo:
    """What comes before the events of a file.

    Attributes
    ----------
    kind : Dialect
        Format of the text.
    prelude : bytes
        The part of the header that the parser needs again for each batch.
    attributes : dict of str to str
        The run's attributes.
    tools : tuple of (str, str, str)
        Generators: name, version, description.
    """

    kind: hepmctext.Dialect
    prelude: bytes
    attributes: dict[str, str] = field(default_factory=dict)
    tools: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def of(cls, path: str) -> RunInfo:
        """Read it."""
        text = hepmctext.header(path)
        kind = hepmctext.dialect(text)
        assert kind is not None, "the reader has looked at the file before"
        if b"\x00" in text:
            msg = f"{path}: the header of the {kind.name} listing is damaged"
            raise ValueError(msg)
        lines = text.splitlines(keepends=True)
        odd = [line for line in lines if not _HEADER.match(line)]
        if odd:
            # Were it let through, a first event whose line is damaged would count as header.
            shown = odd[0][:60].decode("ascii", errors="backslashreplace").rstrip()
            msg = f"{path}: unexpected line {shown!r} before the first event"
            raise ValueError(msg)
        # Weight names matter to every batch; the hundred other attributes only cost time.
        prelude = b"".join(line for line in lines if line[:2] in (b"He", b"W ", b"N "))
        attributes: dict[str, str] = {}
        tools = []
        for line in lines:
            words = line.decode(errors="replace").rstrip("\r\n").split(" ", 2)
            if words[0] == "A" and len(words) > 1:
                attributes[words[1]] = _unescape(words[2]).strip() if len(words) == 3 else ""
            elif words[0] == "T":
                parts = [*" ".join(words[1:]).split("\\|"), "", ""]
                tools.append((parts[0], parts[1], parts[2]))
        return cls(kind, prelude, attributes, tuple(tools))

    @property
    def generator(self) -> tuple[str, ...]:
        """Generators, with versions."""
        return tuple(
            name if version in ("", UNKNOWN) else f"{name} {version}"
            for name, version, _ in self.tools
        )

    @property
    def version(self) -> str:
        """Version of NuHepMC, such as 1.0.0; empty if the file is plain HepMC."""
        parts = [
            self.attributes.get(f"NuHepMC.Version.{part}") for part in ("Major", "Minor", "Patch")
        ]
        return ".".join(part for part in parts if part)

    @property
    def process_names(self) -> dict[int, str]:
        """Names that the file gives its processes."""
        pattern = re.compile(r"NuHepMC\.ProcessInfo\[(-?\d+)\]\.Name")
        matches = ((pattern.fullmatch(key), value) for key, value in self.attributes.items())
        return {int(match[1]): value for match, value in matches if match}


def _unescape(text: str) -> str:
    return text.replace("\\|", "\n").replace("\\\\", "\\")

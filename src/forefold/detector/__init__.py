"""What a detector card may say: the schema, and the checks that need no event.

A card is data.  Every key is named here; anything else is an error.
"""

from __future__ import annotations

from forefold.detector.angle import Angle
from forefold.detector.card import Card
from forefold.detector.energy import Energy, Part
from forefold.detector.identification import Identification, Identified, Parameter, TableBlock
from forefold.detector.rule import Conditions, Interval, RecoThreshold, Rule, Threshold
from forefold.detector.stage_blocks import BoxBlock, Containment, StageBlock
from forefold.detector.uncertainty import Correlation, ShiftBlock
from forefold.detector.vertex import Position, Time, VertexBlock

__all__ = [
    "Angle",
    "BoxBlock",
    "Card",
    "Conditions",
    "Containment",
    "Correlation",
    "Energy",
    "Identification",
    "Identified",
    "Interval",
    "Parameter",
    "Part",
    "Position",
    "RecoThreshold",
    "Rule",
    "ShiftBlock",
    "StageBlock",
    "TableBlock",
    "Threshold",
    "Time",
    "VertexBlock",
]

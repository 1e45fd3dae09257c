"""What a detector card may say: the schema, and the checks that need no event.

A card is data.  Every key is named here; anything else is an error.
"""

from __future__ import annotations

from forefold.schema.angle import Angle
from forefold.schema.card import Card
from forefold.schema.conditions import Conditions, Interval, RecoThreshold, Threshold
from forefold.schema.detector import BoxBlock, Containment, StageBlock
from forefold.schema.energy import Energy, Part
from forefold.schema.extras import Identification, Identified, Parameter, TableBlock
from forefold.schema.rules import Rule
from forefold.schema.uncertainty import Correlation, ShiftBlock
from forefold.schema.vertex import Position, Time, VertexBlock

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

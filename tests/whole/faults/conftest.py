"""Here programs are broken in ways that they have, not led to lines that nobody has seen."""

from __future__ import annotations

from tests.untraced import programs_untraced

__all__ = ["programs_untraced"]

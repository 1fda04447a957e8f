"""Here programs are broken in ways that they have, not led to lines that nobody has seen."""

from __future__ import annotations

from tests.whole.untraced import untraced

__all__ = ["untraced"]

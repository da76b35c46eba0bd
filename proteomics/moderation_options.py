"""How moderated statistics are asked for; apart from the statistics, so that reading an experiment loads no SciPy."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModerationOptions"]


@dataclass(frozen=True, kw_only=True)
class ModerationOptions:
    """How the variances are moderated and which values enter.

    Parameters
    ----------
    trend
        Prior variance as a smooth curve over the average abundance.
    robust
        Proteins that vary far more than the others keep more of their own variance.
    below_lod
        ``"as_measured"``: the numbers that the platform gives below its limit; ``"missing"``: left out.
    """

    trend: bool = False
    robust: bool = False
    below_lod: str = "as_measured"

    def __post_init__(self) -> None:
        if self.below_lod not in ("as_measured", "missing"):
            raise ValueError(f"below_lod {self.below_lod!r}: 'as_measured' or 'missing'")

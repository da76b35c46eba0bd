"""Behavior and serum joined: cohort, associations, signatures, reversal."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "bleeds": ("BLEED_RULES", "bleed_timing_problems", "choose_bleeds"),
        "cohort": ("Cohort", "CohortOptions", "join_cohort"),
    },
)

"""Serum tables: readers, quality, moderated statistics, immune axis scores."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "design_matrix": ("Design", "build_design", "coefficient_name"),
        "differential": ("ModerationOptions", "moderated_test", "slope", "two_group"),
        "linear_model": ("LinearFit", "fit_linear"),
        "moderated": ("FTest", "ModeratedFit", "f_test", "moderate"),
        "signature": ("SIGNATURE_COLUMNS", "SignatureResult", "false_discovery_q", "signature_table"),
    },
)

"""Simulated serum tables with known truth: a mouse bead panel in pg/mL, Olink NPX in long form."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "bead_panel": ("BeadPanelOptions", "simulate_bead_panel", "write_bead_table"),
        "factor_model": ("Analyte", "SerumSimulation", "simulate_levels"),
        "olink": ("OlinkOptions", "olink_long", "simulate_olink", "write_olink_long"),
    },
)

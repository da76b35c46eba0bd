"""Simulated recordings of the social interaction test, rendered to video files with known truth."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "looks": ("CONDITIONS", "KNOWN_FAILURES", "Look", "draw_look"),
        "box_geometry": ("BoxGeometry",),
        "movement": ("MovementOptions", "Paths", "simulate_paths", "zone_seconds"),
        "posture": ("BodyShape",),
        "render": ("RenderOptions", "calibration", "render_trial"),
        "truth": ("Truth", "si_ratio"),
    },
)

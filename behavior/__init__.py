"""Recordings of the social interaction test: tracks, zones, measures, SI ratio, classes."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "arena": ("Arena", "ArenaOptions", "build_arena", "check_arena", "corners_from_rectangle"),
        "release": ("Release", "find_release"),
    },
)

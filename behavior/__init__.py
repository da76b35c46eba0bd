"""Recordings of the social interaction test: tracks, zones, measures, SI ratio, classes."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(__name__, {})

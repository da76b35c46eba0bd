"""Serum tables: readers, quality, moderated statistics, immune axis scores."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(__name__, {})

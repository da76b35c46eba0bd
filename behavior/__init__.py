"""Recordings of the social interaction test: tracks, zones, measures, SI ratio, classes."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "arena": ("Arena", "ArenaOptions", "build_arena", "check_arena", "corners_from_rectangle"),
        "classes": ("CLASS_RULES", "ClassOptions", "classify", "control_cuts"),
        "defensive": ("DefensiveOptions", "Event", "events_table", "find_events", "find_stretches", "flight_counts"),
        "occupancy": ("OccupancyMap", "map_occupancy"),
        "quality": ("QualityOptions", "RecordingQuality", "check_recording", "check_trial_list", "check_trial_rows"),
        "region": ("Region",),
        "release": ("Release", "find_release"),
        "simulation": ("RenderOptions", "Truth", "render_trial"),
        "reliability": ("half_scores", "split_half"),
        "social_interaction": (
            "AnimalScores",
            "ExclusionOptions",
            "ScoreOptions",
            "TrialPart",
            "TrialScore",
            "score_animals",
            "score_parts",
            "score_trial",
        ),
        "tracker": ("TrackOptions", "track"),
        "tracks": ("frame_durations", "from_arrays", "read_tracks", "tracks_table", "validate_tracks", "write_tracks"),
        "uncertainty": ("BootstrapOptions", "ratio_uncertainty"),
        "video": ("Frame", "Video", "VideoInfo", "open_video", "probe"),
    },
)

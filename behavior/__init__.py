"""Recordings of the social interaction test: tracks, zones, measures, SI ratio, classes."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "arena": ("Arena", "ArenaOptions", "build_arena", "check_arena", "corners_from_rectangle"),
        "assay": ("AssayScore",),
        "classes": ("CLASS_RULES", "ClassOptions", "classify", "control_cuts"),
        "defensive": ("DefensiveOptions", "Event", "events_table", "find_events", "find_stretches", "flight_counts"),
        "elevated_maze": ("MazeOptions", "score_elevated_maze"),
        "light_dark": ("score_light_dark",),
        "occupancy": ("OccupancyMap", "map_occupancy"),
        "open_field": ("score_open_field",),
        "quality": ("QualityOptions", "RecordingQuality", "check_recording", "check_trial_list", "check_trial_rows"),
        "region": ("Region",),
        "release": ("Release", "find_release"),
        "reliability": ("half_scores", "split_half"),
        "simulation": ("RenderOptions", "Truth", "render_trial"),
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
        "social_preference": ("score_preference_animals", "score_preference_trial"),
        "templates": (
            "Layout",
            "elevated_plus_maze",
            "light_dark_box",
            "open_field_box",
            "place_layout",
            "three_chambers",
            "two_target_box",
            "zero_maze",
        ),
        "tracker": ("TrackOptions", "track"),
        "tracks": ("frame_durations", "from_arrays", "read_tracks", "tracks_table", "validate_tracks", "write_tracks"),
        "uncertainty": ("BootstrapOptions", "ratio_uncertainty"),
        "video": ("Frame", "Video", "VideoInfo", "open_video", "probe"),
    },
)

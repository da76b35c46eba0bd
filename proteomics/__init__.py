"""Serum tables: readers, quality, moderated statistics, immune axis scores."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "array_weights": ("array_weights",),
        "block_correlation": ("BlockCorrelation", "block_correlation"),
        "camera": ("camera", "camera_of_statistics"),
        "contrasts": ("contrast_matrix", "contrasts"),
        "roast": ("fry", "roast"),
        "romer": ("romer",),
        "set_effects": ("SetEffects", "set_effects"),
        "treat": ("TreatResult", "treat"),
        "abundance": (
            "FLAGS",
            "abundance_frame",
            "detected_share",
            "from_frame",
            "has_lod",
            "set_samples",
            "subject_samples",
            "validate_abundance",
        ),
        "axes": ("AxisScores", "axis_members", "axis_names", "axis_scores", "panel_coverage"),
        "design_matrix": ("Design", "build_design", "coefficient_name"),
        "differential": ("ModerationOptions", "moderated_test", "slope", "two_group"),
        "linear_model": ("LinearFit", "fit_linear"),
        "moderated": ("FTest", "ModeratedFit", "f_test", "moderate"),
        "orthologues": ("human_orthologue", "mouse_orthologue", "resolve_name"),
        "quality": (
            "QualityOptions",
            "QualityReport",
            "handling_scores",
            "order_effects",
            "plate_detection",
            "plate_effects",
            "protein_quality",
            "quality_report",
            "sample_quality",
        ),
        "readers": ("READERS", "SerumOptions", "SerumTable", "read_serum"),
        "signature": ("SIGNATURE_COLUMNS", "SignatureResult", "false_discovery_q", "signature_table"),
        "simulation": ("BeadPanelOptions", "SerumSimulation", "simulate_bead_panel", "simulate_olink"),
    },
)

"""Behavior and serum joined: cohort, associations, signatures, reversal."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "association": ("ASSOCIATION_COLUMNS", "Association", "AssociationOptions", "associate"),
        "bleeds": ("BLEED_RULES", "bleed_timing_problems", "choose_bleeds"),
        "cohort": ("Cohort", "CohortOptions", "join_cohort"),
        "contrast_maps": ("ContrastMap", "contrast_map", "noise_correlation", "shared_null_correlation"),
        "contrasts": ("COMPARISON_COLUMNS", "ComparisonOptions", "Comparisons", "compare_groups"),
        "counts": ("group_counts",),
        "markers": ("Markers", "select_markers"),
        "mediation": ("Mediation", "mediate"),
        "meta_analysis": ("MetaAnalysis", "cohort_estimates", "influence", "random_effects"),
        "mixed_model": ("mixed_slope",),
        "model_terms": ("FACTORS", "ModelTerms", "coincide", "complete_rows", "model_terms", "same_partition"),
        "multiplicity": ("add_q_values",),
        "outcomes": ("OUTCOMES", "Outcome", "outcome_named"),
        "pingouin_results": (
            "Estimate",
            "analysis_of_variance",
            "correlation",
            "group_ancova",
            "linear_slope",
            "partial_correlation",
            "welch_t",
        ),
        "randomise": ("RandomiseOptions", "allocate", "allocation_balance"),
        "readers": ("READERS", "read_signature"),
        "reversal": ("Reversal", "ReversalOptions", "drug_reversal"),
        "reversal_data": ("DiseaseData", "DrugData", "disease_data", "drug_data"),
        "reversal_scores": ("REVERSAL_SCORES", "percent_reversal"),
        "signature_scores": ("SCORES", "Score"),
        "signatures": (
            "Signature",
            "axis_logfc",
            "build_signature",
            "signature_overlap",
            "signature_quadrants",
            "table_similarity",
        ),
        "similarity": (
            "SIMILARITY_COLUMNS",
            "Similarity",
            "SimilarityOptions",
            "group_similarity",
            "similarity_difference",
        ),
        "treatment": ("TreatmentOptions", "TreatmentResult", "treatment_effects"),
        "power": ("smallest_detectable_correlation", "smallest_detectable_difference"),
    },
)

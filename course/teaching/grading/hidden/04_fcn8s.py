# %% 04-11
check_same_scores(
    PaperFCN8s(5, 0.0625),
    FCN8s(5, width=0.0625, padding=100),
    {
        "trunk": "trunk",
        "score_fr": "score",
        "score_pool4": "skip_scores.0",
        "score_pool3": "skip_scores.1",
        "upscore2": "upsamplings.0",
        "upscore_pool4": "upsamplings.1",
    },
)

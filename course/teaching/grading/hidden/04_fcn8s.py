# %% 04-11
check_same_scores(PaperFCN8s(5, 0.0625), FCN8s(5, width=0.0625, padding=100))

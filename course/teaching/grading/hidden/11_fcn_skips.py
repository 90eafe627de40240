# %% 11-06
for accuracy in (0.0, 0.25, 0.949, 1.0):
    expect_close(least_weighted_iou(accuracy), accuracy**2, f"The bound for accuracy {accuracy}")
# %% 11-11
for coarse, fine in ((FCN32s, FCN16s), (FCN16s, FCN8s)):
    pair = [network(5, width=0.0625, padding="aligned") for network in (coarse, fine)]
    check_same_start(pair[0], refined(*pair))

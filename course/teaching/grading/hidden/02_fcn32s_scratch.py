# %% 02-06
check_layers(vgg16_blocks(0.25), Trunk("vgg16", 0.25, padding=100).features, VGG16_NAMES)
# %% 02-09
check_layers([vgg16_head(0.25)], Trunk("vgg16", 0.25, padding=100).classifier, ["fc6", "fc7"])
# %% 02-14
for classes, stride in ((5, 4), (2, 16)):
    check_bilinear(bilinear_kernel(classes, stride), stride)
# %% 02-17
check_same_scores(PaperFCN32s(7, 0.0625), FCN32s(7, width=0.0625, padding=100))
# %% 02-26
first = ever_moved(zero=False, steps=1)
expect(
    first == ["score_fr.bias", "score_fr.weight"],
    f"In the first step {len(first)} tensors get a gradient; only those of the score layer do, as it starts at zero.",
)

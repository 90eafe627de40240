# %% 01-11
images = torch.rand(3, 3, 41, 23, generator=torch.Generator().manual_seed(1))
network = FirstFCN().eval()
with torch.no_grad():
    together, alone = network(images), network(images[1:2])
expect(together.shape == (3, 12, 41, 23), f"Three 41 x 23 pictures give {tuple(together.shape)}.")
expect_close(together[1:2], alone, "The scores of a picture among others", tolerance=1e-5)
expect(len(torch.unique(alone)) > 12, "The scores don't depend on the picture's pixels.")
# %% 01-18
for seed in (1, 2):
    generator = torch.Generator().manual_seed(seed)
    true, guess = torch.randint(3, (2, 6, 5), generator=generator)
    found = again("counts", truth=true, predicted=guess)["counts"]
    expected = torch.bincount((3 * true + guess).flatten(), minlength=9).view(3, 3)
    expect_close(found, expected, "counts, of other label maps,")
# %% 01-21
matrix = torch.tensor([[5.0, 1, 0], [2, 3, 1], [0, 4, 6]])
found = again("pixel_accuracy", counts=matrix)
for name, right in {
    "pixel_accuracy": 14 / 22,
    "mean_accuracy": (5 / 6 + 3 / 6 + 6 / 10) / 3,
    "mean_iou": (5 / 8 + 3 / 11 + 6 / 11) / 3,
    "frequency_weighted_iou": (6 * 5 / 8 + 6 * 3 / 11 + 10 * 6 / 11) / 22,
}.items():
    expect_close(found[name], right, f"{name}, from other counts,")

# %% 06-06
probe = np.random.default_rng(99).integers(0, 256, (7, 3, 3), dtype=np.uint8)
expect_close(prepare(probe), normalise(probe[None])[0], "Another picture, prepared,", tolerance=1e-5)
# %% 06-11
scores = 5 * torch.randn(6, 9, generator=torch.Generator().manual_seed(1))
found, probability = get_cls_pred(scores)
right = scores.softmax(dim=1).max(dim=1)
expect(torch.equal(found, right.indices), "Of other scores, these are not the most probable classes.")
expect_close(probability, right.values, "The probability, of other scores,", tolerance=1e-5)
# %% 06-17
generator = torch.Generator().manual_seed(1)
channels, weight = torch.randn(4, 3, 5, generator=generator), torch.randn(6, 4, generator=generator)
for c in (0, 5):
    right = 255 * scale_to_unit(class_activation_map(channels[None], weight, torch.tensor([c]))[0])
    mine = returnCAM(channels, weight, c)
    expect(mine.shape == (3, 5), f"Of 4 channels of 3 x 5 cells the map is {mine.shape}.")
    expect(
        np.abs(mine.astype(float) - np.asarray(right)).max() <= 1, f"The map of class {c} differs, of other features."
    )

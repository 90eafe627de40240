# %% 09-07
pictures = np.random.default_rng(99).random((3, 28, 28), dtype=np.float32)
digits = np.array([7, 0, 4])
right = np.where(pictures > THRESHOLD, digits[:, None, None], BACKGROUND)
expect((masks_of(pictures, digits) == right).all(), "The masks of other pictures differ.")
# %% 09-23
pictures = test["single"].images[-40:]
expect((baseline(classifier, pictures) == single_baseline(classifier, pictures)).all(), "It differs on other digits.")
# %% 09-32
generator = torch.Generator().manual_seed(1)
network = FCN8().eval()
for height, width in ((28, 28), (57, 40)):
    image = torch.rand(1, 1, height, width, generator=generator)
    with torch.inference_mode():
        found, right = forward(network, image), network(image)
    expect(found.shape == right.shape, f"{height} x {width} pixels give scores of {tuple(found.shape[2:])}.")
    expect_close((found - right).abs().max(), 0.0, "The largest difference, for another size,", tolerance=1e-4)
# %% 09-40
careless = copy.deepcopy(networks["fcn8"]).train()
pictures = test["grid"].images[20:23]
with torch.no_grad():
    grids = [torch.from_numpy(255 * picture)[None, None].to(best_device()) for picture in pictures]
    right = torch.cat([careless(grid).argmax(dim=1).cpu() for grid in grids]).numpy()
share = (as_published(networks["fcn8"], pictures) == right).mean()
expect(share > 0.99, f"With fcn8, {share:.0%} of the pixels are as both mistakes make them: one grid at a time.")

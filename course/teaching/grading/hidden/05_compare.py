# %% 05-14
band, interior = again("band_and_interior", radius=5)["band_and_interior"](models["8s, pretrained"])
wide = sum(int(boundary_band(label[None], 5).sum()) for _, label in test_set)
expect(
    int(band.counts.sum()) == wide,
    f"With a radius of 5 the band counts {int(band.counts.sum())} pixels; it has {wide}: use `radius`.",
)

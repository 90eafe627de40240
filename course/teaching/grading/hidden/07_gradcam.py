# %% 07-08
generator = torch.Generator().manual_seed(1)
slope, maps = torch.randn(2, 3, 6, 2, 4, generator=generator)
expect_close(channel_weights(slope), slope.flatten(2).mean(dim=2), "The weights, of another gradient,", tolerance=1e-5)
right = torch.einsum("nc,nchw->nhw", slope.flatten(2).mean(dim=2), maps).clamp(min=0)
expect_close(weighted_map(maps, channel_weights(slope)), right, "The map, of other features,", tolerance=1e-5)

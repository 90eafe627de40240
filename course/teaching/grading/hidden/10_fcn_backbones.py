# %% 10-06
for channels, side, outputs in ((3, 2, 5), (6, 1, 4)):
    layer, maps = nn.Linear(channels * side**2, outputs), torch.randn(2, channels, side, side)
    expect_close(
        as_convolution(layer, side)(maps)[..., 0, 0].detach(),
        layer(maps.flatten(1)).detach(),
        f"The answer for {channels} channels of {side} x {side}",
        tolerance=1e-5,
    )
# %% 10-14
found = receptive_field([(7, 2), (3, 2), (1, 1), (5, 3)])
expect(tuple(found) == (27, 12), f"Other layers come out as {tuple(found)}; they see 27 pixels, 12 apart.")

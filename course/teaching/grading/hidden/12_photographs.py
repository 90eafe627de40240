# %% 12-08
generator = torch.Generator().manual_seed(1)
for block, settings in ((trunk.blocks[3][0], (40, 80, 3, 2, 6)), (trunk.blocks[4][0], (80, 112, 5, 1, 6))):
    check_same_block(inverted_residual(*settings), block, torch.randn(1, settings[0], 20, 17, generator=generator))
# %% 12-11
for case, right in {(300, 7, 2): (2, 3), (11, 1, 3): (0, 0), (10, 3, 3): (1, 1)}.items():
    found = same_padding(*case)
    expect(tuple(found) == right, f"A side of {case[0]}, kernel {case[1]}, stride {case[2]} gets {found}, not {right}.")
# %% 12-15
drawn = np.random.default_rng(99).integers(0, 12, (60, 80))
for mirrored in (False, True):
    pixels, label = cut(np.stack([drawn, 2 * drawn, drawn], axis=-1), drawn, 31, 47, 17, mirrored)
    right = drawn[31:48, 47:64][:, :: -1 if mirrored else 1]
    expect((label == right).all() and (pixels[..., 1] == 2 * right).all(), "Another window is cut wrongly.")

# %% 08-09
wide = torch.randn(1, 5, 6, 10, generator=torch.Generator().manual_seed(1))
mine = shortcut(wide, 12)
expect(mine.shape == (1, 12, 3, 5), f"Of (1, 5, 6, 10) the shortcut to 12 channels makes {tuple(mine.shape)}.")
expect(torch.equal(mine[:, :5], wide[..., ::2, ::2]) and not mine[:, 5:].any(), "It differs for another size.")
# %% 08-12
wide = torch.randn(1, 8, 6, 10, generator=torch.Generator().manual_seed(1))
for channels, stride in ((8, 1), (24, 2)):
    for kind in ("identity", "none"):
        block = Block(8, channels, stride, kind, "relu", batch_norm=True).eval()
        mine, right = block_forward(block, wide, residual=kind == "identity"), block(wide)
        expect(torch.allclose(mine, right, atol=1e-5), f'A block from 8 to {channels} channels, "{kind}", differs.')
# %% 08-15
model = Network(8, "none", "tanh", batch_norm=False, initialisation="xavier")
mine, right = my_gradient_norms(model, x[:7], labels[:7]), list(gradient_norms(model, x[:7], labels[:7]).values())
expect(len(mine) == len(right), f"A network of 8 layers has {len(right)} convolutions, not {len(mine)}.")
expect_close(
    torch.tensor(mine).log10(), torch.tensor(right).log10(), "log10 of the norms, of another network,", tolerance=1e-3
)
# %% 08-29
rows = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
expect_close(spread(rows), rows.var(dim=0).sum().sqrt(), "The spread of other gradients", tolerance=1e-5)

"""Plain and residual networks for 32 × 32 pictures, how they train, and probes of their gradients."""

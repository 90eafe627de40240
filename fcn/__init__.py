"""Fully convolutional networks for semantic segmentation (Long, Shelhamer and Darrell, CVPR 2015)."""

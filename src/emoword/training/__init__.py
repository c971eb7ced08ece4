"""Training: the network (Figure 1), losses, data, loop, run."""

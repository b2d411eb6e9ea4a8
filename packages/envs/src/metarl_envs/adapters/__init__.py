"""Ways to play: pure JAX environments, simulations and any gymnasium environment as tasks side by side or alone."""

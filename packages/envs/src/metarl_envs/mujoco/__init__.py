"""What all simulations in MuJoCo share: the library, stacked tasks, drawing (extra `mujoco`)."""

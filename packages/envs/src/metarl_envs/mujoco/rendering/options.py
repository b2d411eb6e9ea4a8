"""What is drawn, and how dearly."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class RenderOptions:
    """What MuJoCo draws by default but costs most without a graphics card is off here.

    height: px of one camera's picture.
    width: px of one camera's picture.
    shadows: whether lights cast them.
    reflections: whether floors mirror; the ray tracer has none.
    multisamples: samples of a pixel, which smooth edges; 0 for none.
    geom_groups: groups of geoms that are drawn.
    """

    height: int = 64
    width: int = 64
    shadows: bool = False
    reflections: bool = False
    multisamples: int = 0
    geom_groups: tuple[int, ...] = (0, 1, 2)

    def __post_init__(self) -> None:
        """Raises ValueError where an option is out of range."""
        for name, least in (("height", 1), ("width", 1), ("multisamples", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)} must be at least {least}")
        if not all(0 <= group < 6 for group in self.geom_groups):
            raise ValueError(f"geom_groups={self.geom_groups} must be numbers from 0 to 5")

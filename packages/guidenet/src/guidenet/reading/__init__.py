"""Files and arrays in, whatever kind of picture they are: one reader for all of the package.

What can be read in one way is read; what can be read in several is refused, with the option that decides.
"""

from guidenet.reading.colour import Pixels, to_rgb
from guidenet.reading.decoding import MAX_PIXELS, Decoded, decode, num_pages, upright_size
from guidenet.reading.errors import AmbiguousError, ReadError, TooManyPixelsError, UnreadableError
from guidenet.reading.folders import SUFFIXES, find_images, in_order, is_image, list_images, natural_key
from guidenet.reading.intensity import Intensity, parse_intensity
from guidenet.reading.masks import Colour, find_labels, parse_colour, read_labels, voc_palette
from guidenet.reading.photos import as_image, read_image
from guidenet.reading.values import KINDS, Found, Ids

__all__ = [
    "KINDS",
    "MAX_PIXELS",
    "SUFFIXES",
    "AmbiguousError",
    "Colour",
    "Decoded",
    "Found",
    "Ids",
    "Intensity",
    "Pixels",
    "ReadError",
    "TooManyPixelsError",
    "UnreadableError",
    "as_image",
    "decode",
    "find_images",
    "find_labels",
    "in_order",
    "is_image",
    "list_images",
    "natural_key",
    "num_pages",
    "parse_colour",
    "parse_intensity",
    "read_image",
    "read_labels",
    "to_rgb",
    "upright_size",
    "voc_palette",
]

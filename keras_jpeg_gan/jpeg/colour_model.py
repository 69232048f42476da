"""What the components of a file mean, decided as libjpeg decides it."""

import enum

_PROFILE_OF_XYB = "XYB".encode("utf-16-be")  # how the description in its ICC profile begins


class ColourModel(enum.Enum):
    """The components of a file, by the name that reports give them."""

    GRAY = "gray"
    YCBCR = "YCbCr"
    RGB = "RGB"
    CMYK = "CMYK"
    YCCK = "YCCK"

    @property
    def converted(self) -> bool:
        """Whether an encoder converts colour to Y, Cb and Cr; if not, it is coded as it is."""
        return self not in (ColourModel.RGB, ColourModel.CMYK)

    @property
    def inks(self) -> bool:
        """Whether pixels are inks: cyan, magenta, yellow and black."""
        return self in (ColourModel.CMYK, ColourModel.YCCK)

    @property
    def parts(self) -> tuple[slice, ...]:
        """The channels that are coded together, in order: the three of YCbCr, or one by itself."""
        match self:
            case ColourModel.GRAY:
                return (slice(0, 1),)
            case ColourModel.YCBCR:
                return (slice(0, 3),)
            case ColourModel.YCCK:
                return slice(0, 3), slice(3, 4)
            case _:
                count = 4 if self.inks else 3
                return tuple(slice(k, k + 1) for k in range(count))

    @classmethod
    def of(cls, components: int, converted: bool) -> "ColourModel":
        """The colour model of this many components, one, three or four."""
        if components == 1:
            return cls.GRAY
        if components == 3:
            return cls.YCBCR if converted else cls.RGB
        return cls.YCCK if converted else cls.CMYK

    @classmethod
    def decide(cls, identifiers: bytes, jfif: bool, adobe: int | None) -> "ColourModel":
        """The colour model of a file, by libjpeg's rules (jdapimin.c, default_decompress_parms).

        Args:
            identifiers: of the components, one, three or four.
            jfif: whether there is a JFIF segment.
            adobe: the transform that an Adobe segment names, or None without one. libjpeg takes
                unknown ones for a conversion.
        """
        count = len(identifiers)
        if count == 4:
            return cls.of(4, adobe not in (None, 0))
        if count == 3 and not jfif:
            return cls.of(3, identifiers != b"RGB" if adobe is None else adobe != 0)
        return cls.of(count, True)


def is_xyb(model: ColourModel, icc_profile: bytes) -> bool:
    """Whether a file has jpegli's XYB colours: RGB-coded, with an ICC profile that is named so."""
    return model is ColourModel.RGB and _PROFILE_OF_XYB in icc_profile

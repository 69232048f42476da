"""A network for the workers of tests; some images are too much for it."""

import os
import signal
import time

from tests.decoding.made_up import ShiftedBlur

# Images with this many rows and 32 columns kill the process that restores them, or take a while.
DEADLY, SLOW = 208, 176


class Moody(ShiftedBlur):
    """As `ShiftedBlur`, except for images of these sizes."""

    def restore(self, image, tables, noise=None):
        if image.shape[1:3] == (DEADLY, 32):
            os.kill(os.getpid(), signal.SIGKILL)
        if image.shape[1:3] == (SLOW, 32):
            time.sleep(0.3)
        return super().restore(image, tables, noise)


def install() -> None:
    """Let every decoder of this process use that network."""
    from keras_jpeg_gan.decoding import runtimes

    runtimes.open_runtime = lambda kind, model, threads: Moody()

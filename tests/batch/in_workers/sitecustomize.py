"""Python imports this when it starts: Ray's workers get a network that needs no framework."""

import sys

if any("default_worker" in argument for argument in sys.orig_argv):
    from tests.batch.stand_in import install

    install()

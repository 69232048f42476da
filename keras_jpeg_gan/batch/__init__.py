"""Many files on Ray Data, on one machine or a cluster: the command jpeg-gan-batch."""

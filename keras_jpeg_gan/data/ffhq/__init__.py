"""FFHQ as a dataset of TensorFlow Datasets, which looks for builders in folders like this."""

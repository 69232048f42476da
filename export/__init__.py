"""What a model ships as: a SavedModel for servers, TFLite files for phones and browsers."""

"""TFLite files of a model and of the float projection.

The command is `tflite.py` beside this folder; of two of one name, Python imports the folder.
"""

"""What TensorRT shows a Python program, without TensorRT; ``STANDIN_TENSORRT`` says of which version."""

import os

import standin_tensorrt

globals().update(standin_tensorrt.module(os.environ["STANDIN_TENSORRT"]))

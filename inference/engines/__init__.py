"""Engines: the backends that run a model, behind one contract.

- :mod:`.engine`: ``Engine`` and ``EngineInfo``, the contract
- :mod:`.parity`: golden windows, and the check that an engine passes before it serves
- :mod:`.inputs`: what every engine asks of what it is given; :mod:`.tensors`: whether a graph has what the
  manifest names; :mod:`.refusals`: what each says in the same words
- :mod:`.buckets`: batches of a backend with fixed shapes
- :mod:`.ort`: ONNX Runtime, on a CPU core or a CUDA device
- :mod:`.openvino_engine`, :mod:`.torch_engine`: peers on a CPU core, where their libraries are installed
- :mod:`.oracle`: the same model in float64, which an engine is held against when it is made ready
- :mod:`.tensorrt`: a plan for one GPU; a package of its own
- :mod:`.registry`: every backend by its name; where a new one enters
- :mod:`.choice`: the ordered list; what was tried, what runs and why
"""

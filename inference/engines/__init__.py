"""Engines: the backends that run a model, behind one contract.

- :mod:`.engine`: ``Engine`` and ``EngineInfo``, the contract
- :mod:`.parity`: golden windows, and the check that an engine passes before it serves
- :mod:`.ort`: ONNX Runtime, on a CPU core or a CUDA device
- :mod:`.choice`: the ordered list; what was tried, what runs and why
"""

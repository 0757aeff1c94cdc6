"""TensorRT: a bundle's graph built for one GPU, tried in a process of its own, and run beside nothing else.

- :mod:`.driver`: which GPU there is, asked of libcuda before anything heavy is imported
- :mod:`.library`: the ``tensorrt`` module, 10.x or 11.x, and what it says while it works
- :mod:`.building`: the graph to a plan: strongly typed, TF32 cleared, one profile for each bucket of windows
- :mod:`.cache`: plans on disk, by bundle, version, GPU and driver
- :mod:`.memory`: pinned and device memory, the side stream and captured graphs; the one place that imports torch here
- :mod:`.lane`: one bucket: its context, its buffers and its graph
- :mod:`.proof`: which buckets give the same bits, and so may serve
- :mod:`.engine`: the engine that a scorer opens
- :mod:`.apart`: building and first loading, each in a child process
- :mod:`.preparing`: build, try, prove and only then keep
- :mod:`.checkup`: all of it as one table
"""

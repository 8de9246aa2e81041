"""The Open Inference Protocol, also known as the KServe V2 protocol, over REST.

https://github.com/kserve/open-inference-protocol is the specification that docstrings name the
sections of; "Binary Tensor Data Extension" is that of KServe's and Triton's documentation.
"""

"""Write PyTorch tensors as a safetensors file, by the format's text alone (train/safetensors.h)."""
import json
import struct

import torch


def write(path, tensors, meta):
    names = {torch.float32: "F32", torch.float64: "F64", torch.int32: "I32"}
    header, buffer = {"__metadata__": meta}, b""
    for name, t in sorted(tensors.items(), key=lambda kv: -kv[1].element_size()):
        raw = t.contiguous().numpy().tobytes()
        header[name] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [len(buffer), len(buffer) + len(raw)]}
        buffer += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + buffer)

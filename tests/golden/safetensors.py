#!/usr/bin/env python3
"""Print what is in a safetensors file, read by the format's text alone (no library).

    python3 tests/golden/safetensors.py FILE      ->  one line per tensor: name dtype shape values
"""
import json
import struct
import sys

data = open(sys.argv[1], "rb").read()
(n,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + n].decode("utf-8"))
meta = header.pop("__metadata__", {})
assert n <= 100_000_000 and (8 + n) % 64 == 0 and all(isinstance(v, str) for v in meta.values())
end = 0
for name, t in header.items():
    begin, stop = t["data_offsets"]
    code = {"F32": "f", "F64": "d", "I32": "i", "I64": "q", "U8": "B"}[t["dtype"]]
    count = 1
    for d in t["shape"]:
        count *= d
    assert begin == end and stop - begin == count * struct.calcsize("<" + code)
    assert begin % struct.calcsize("<" + code) == 0
    values = struct.unpack(f"<{count}{code}", data[8 + n + begin:8 + n + stop])
    print(name, t["dtype"], "x".join(map(str, t["shape"])), *(f"{v:g}" if isinstance(v, float) else v for v in values))
    end = stop
assert 8 + n + end == len(data)
for key, value in meta.items():
    print(key, "=", value)

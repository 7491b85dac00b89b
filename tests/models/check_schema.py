#!/usr/bin/env python3
"""The JSON Schemas that `poise schema` prints, held against the specs of this tree.

Every good spec validates: the runs in the root, the zoo, tests/models/good, and what the program
itself writes.  Every bad spec of tests/models/bad is refused, but for those that beyond_schema.txt
lists, each with the reason why no schema can know; and those it takes, so that the list stays short.

usage: check_schema.py POISE SOURCE      (exit status 77 where yaml or jsonschema is not installed)
"""
import glob
import json
import os
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as e:
    print(f"skipped: {e}; Debian packages python3-yaml and python3-jsonschema")
    sys.exit(77)

class Loader(yaml.SafeLoader):
    """YAML whose plain scalars mean what models/yaml.h says: YAML 1.1 reads 1e-3 as text and no as
    false, a spec (as YAML 1.2 and editors) does not."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern in (
    ("bool", r"true|false"),
    ("null", r"~|null|"),
    ("int", r"[-+]?0[xX][0-9a-fA-F]+|[-+]?[0-9]+"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), None)


def whole(loader, node):
    text = loader.construct_scalar(node)
    return int(text, 16 if "x" in text.lower() else 10)


Loader.add_constructor("tag:yaml.org,2002:int", whole)
Loader.add_constructor(
    "tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node))
)


def load(path):
    with open(path, encoding="utf-8") as f:
        return yaml.load(f, Loader)


def is_refused(validator, path):
    """Whether the schema finds something in a file that a YAML reader can read."""
    try:
        tree = load(path)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return False
    return not validator.is_valid(tree)


def main():
    poise, source = sys.argv[1:]
    validator = {}
    for kind in "run", "model":
        text = subprocess.run([poise, "schema", kind], check=True, capture_output=True).stdout
        schema = json.loads(text)
        jsonschema.Draft7Validator.check_schema(schema)
        validator[kind] = jsonschema.Draft7Validator(schema)

    wrong = 0

    def files(pattern):
        found = sorted(glob.glob(os.path.join(source, pattern)))
        assert found, f"no file matches {pattern}"
        return found

    good = [(f, "run") for f in files("*.yaml")]
    good += [(f, "run") for d in ("good", "odd") for f in files(f"tests/models/{d}/*.yaml")]
    good += [(f, "model") for f in files("models/*.yaml")]
    for path, kind in good:
        tree = load(path)
        if kind == "run" and "network" in tree:
            kind = "model"
        for e in validator[kind].iter_errors(tree):
            wrong += 1
            print(f"{path} is good, but: {'.'.join(map(str, e.absolute_path))}: {e.message[:300]}")

    # What is installed: names are offered, and a strategy's settings and a model's parameters checked.
    run = "data: {generate: funnel}\nmodel: %s\nbalancer: %s\n"
    for model, balancer, valid in (
        ("mmoe", "gradnorm", True),
        ("./mine.yaml", "./mine.so", True),
        ("{use: mmoe, experts: 4}", "{use: gradnorm, alpha: 1}", True),
        ("{use: ./mine.yaml, exprets: 4}", "{use: ./mine.so, alhpa: 1}", True),
        ("{use: mmoe, exprets: 4}", "equal", False),
        ("{use: mmoe, experts: 0}", "equal", False),
        ("{use: mmoe, experts: 2.5}", "equal", False),
        ("{use: mmoe, units: 8}", "equal", False),
        ("{use: mmoe, units: [8, 0]}", "equal", False),
        ("{use: mmoe, units: [8, 4], dropout: 0.1}", "equal", True),
        ("{use: escm2_ips, click: click, conversion: detail, both: favourite}", "equal", True),
        ("escm2_ips", "equal", False),
        ("{}", "equal", False),
        ("{network: {}}", "equal", False),
        ("mmoe", "{use: gradnorm, alhpa: 1}", False),
        ("mmoe", "{use: gradnorm, alpha: -1}", False),
        ("mmoe", "[{use: gradnorm, optimizer: adma, epochs: 1}, equal]", False),
    ):
        text = run % (model, balancer)
        if validator["run"].is_valid(yaml.load(text, Loader)) != valid:
            wrong += 1
            print(f"this should be {'right' if valid else 'wrong'}:\n{text}")
    offered = json.dumps(validator["run"].schema["definitions"]["run"]["properties"]["balancer"])
    if '"gradnorm"' not in offered:
        wrong += 1
        print("the names of strategies are not offered")
    models = json.dumps(validator["run"].schema["definitions"]["model"])
    for hint in '"how many experts the tasks share', '"maximum": 4096', '"default": [256, 128]':
        if hint not in models:
            wrong += 1
            print(f"of the parameters of models {hint} is not there")

    beyond = {}
    with open(os.path.join(source, "tests/models/beyond_schema.txt"), encoding="utf-8") as f:
        for line in f:
            name, _, reason = line.strip().partition(": ")
            if line.strip() and not line.startswith("#"):
                assert reason and name not in beyond, f"beyond_schema.txt: {line}"
                beyond[name] = reason
    refused = 0
    for path in files("tests/models/bad/*.yaml"):
        name = os.path.basename(path).removesuffix(".yaml")
        is_wrong = is_refused(validator["run"], path)
        refused += is_wrong
        if is_wrong == (name not in beyond):
            continue
        wrong += 1
        if name in beyond:
            print(f"{path} is refused: beyond_schema.txt need not list it ({beyond[name]})")
        else:
            print(f"{path} is bad, but the schema takes it")
    for name in beyond:
        if not os.path.exists(os.path.join(source, "tests/models/bad", name + ".yaml")):
            wrong += 1
            print(f"beyond_schema.txt lists {name}, which is not there")
    print(
        f"{len(good)} good specs; of the bad ones {refused} refused, {len(beyond)} beyond a schema: "
        f"{wrong} wrong"
    )
    return wrong > 0


sys.exit(main())

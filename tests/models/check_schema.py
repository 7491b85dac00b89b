#!/usr/bin/env python3
"""The JSON Schemas that `poise schema` prints, held against the specs of this tree.

Every good spec validates: the runs in the root, the zoo, tests/models/good, and what the program
itself writes.  Every bad spec whose announced messages are about structure (an unknown key, a wrong
type, a number out of its range, a word that is no choice) does not.

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

# What a message of a structural mistake says, and what else has these words: a value may depend on
# the model's parameters, on the data, or on what a text means.
STRUCTURAL = re.compile(r"has no (key )?'|; it must be |^[a-z ]+ is '[^']*'; (did you mean|there is:) ")
ELSE = re.compile(
    r"\(for [^)]*\$|^parameter '|has no parameter '|^monitor is '|and the data is not generated"
    r"|^task '.*: it has no |is an input: it has no |^when: "
)


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

    structural = 0
    for path in files("tests/models/bad/*.yaml"):
        with open(path, encoding="utf-8", errors="replace") as f:
            announced = f.readline().removeprefix("# error: ").rstrip("\n").split(" || ")
        # LINE:COLUMN: message: those with a file before it are of another file
        messages = [m.split(": ", 1)[1] for m in announced if m[:1].isdigit() and ": " in m]
        if not any(STRUCTURAL.search(m) and not ELSE.search(m) for m in messages):
            continue
        structural += 1
        if validator["run"].is_valid(load(path)):
            wrong += 1
            print(f"{path} is bad ({' || '.join(messages)}), but the schema takes it")
    if structural < 40:
        wrong += 1
        print(f"only {structural} bad specs are about structure")
    print(f"{len(good)} good specs, {structural} structurally bad ones: {wrong} wrong")
    return wrong > 0


sys.exit(main())

"""The benchmark's policy and requests, given to the PyPI package principalmapper."""

import collections
import collections.abc
import json
import sys
import time

# The package asks for names that Python 3.10 moved.
for moved in ("Mapping", "MutableMapping"):
    setattr(collections, moved, getattr(collections.abc, moved))

from principalmapper.common import Node, Policy  # noqa: E402
from principalmapper.querying.local_policy_simulation import has_matching_statement  # noqa: E402
from principalmapper.querying.query_interface import local_check_authorization  # noqa: E402
from principalmapper.util.case_insensitive_dict import CaseInsensitiveDict  # noqa: E402

policy_path, requests_path, seconds = sys.argv[1:4]
data = json.load(open(requests_path))
policy = Policy(data["principal"], "exec", json.load(open(policy_path)))
node = Node(data["principal"], "AROAEXAMPLE", [policy], None, {"Version": "2012-10-17", "Statement": []},
            None, 0, False, False, None, False, None)
requests = [(r["action"], r["resource"], r["context"], r["expected"]) for r in data["requests"]]


def check(action, resource, context):
    return local_check_authorization(node, action, resource, context)


def bare(action, resource, context):
    keys = CaseInsensitiveDict(context)
    allowed = has_matching_statement(node, "Allow", action, resource, keys)
    return allowed and not has_matching_statement(node, "Deny", action, resource, keys)


agreed = sum((expected == "Allowed") == check(a, r, c) for a, r, c, expected in requests)
print(f"principalmapper: agrees on {agreed} of {len(requests)} (allowed or not; it tells no more)")
for name, function in [("principalmapper", check), ("principalmapper, statements only", bare)]:
    start = time.perf_counter()
    count = 0
    while time.perf_counter() - start < float(seconds):
        for action, resource, context, _ in requests:
            function(action, resource, context)
            count += 1
    print(f"{name:<44} {count / (time.perf_counter() - start):>12.0f} decisions/s")

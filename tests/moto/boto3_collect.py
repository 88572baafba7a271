"""Make the calls of a bundle with boto3, one after another or with threads: the benchmark's rival.

    .venv/bin/python tests/moto/boto3_collect.py URL BUNDLE THREADS

Prints the seconds for the calls alone; the interpreter's start and the making of clients, which
boto3 does once per process, are not counted. The order is the bundle's, so with threads a call may
go out before the one that would have named its ids: a real script could not be as fast.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def make_clients(url, calls):
    """One client per service and Region, shared by all threads."""
    options = Config(retries={"max_attempts": 0}, max_pool_connections=16)
    names = {(call["service"], call["region"]) for call in calls}
    return {
        (service, region): boto3.client(
            service,
            endpoint_url=url,
            region_name=region,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=options,
        )
        for service, region in names
    }


def make_call(clients, call):
    """One call with all its pages; a refusal is an answer too."""
    client = clients[call["service"], call["region"]]
    method = xform_name(call["operation"])
    try:
        if client.can_paginate(method):
            return client.get_paginator(method).paginate(**call["request"]).build_full_result()
        return getattr(client, method)(**call["request"])
    except (ClientError, BotoCoreError) as error:
        return error


def main():
    url, bundle, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(bundle, encoding="utf-8") as file:
        calls = [call for call in json.load(file)["calls"] if call["service"] != "launchpath"]
    clients = make_clients(url, calls)
    start = time.perf_counter()
    if threads == 1:
        for call in calls:
            make_call(clients, call)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda call: make_call(clients, call), calls))
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()

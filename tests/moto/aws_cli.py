"""Answer calls with the real AWS CLI: one JSON line in, one JSON line out, in one process.

In: {"service", "operation", "request"}, as a bundle records them; the request becomes the CLI's
`--cli-input-json`. Out: {"code", "out", "err"}. Options before the first line (`--endpoint-url …`)
are passed to every call. Starting the CLI anew for each call would take a second every time.
"""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver
from botocore import xform_name

# Where the AWS CLI gives the service's own name to something else.
CLI_NAMES = {"s3": "s3api"}


def run(driver, options, call):
    """One call, as if typed."""
    arguments = [
        *options,
        "--output",
        "json",
        CLI_NAMES.get(call["service"], call["service"]),
        xform_name(call["operation"], "-"),
        "--cli-input-json",
        json.dumps(call["request"]),
    ]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = driver.main(arguments)
        except SystemExit as stop:
            code = stop.code
    text = out.getvalue()
    return {"code": code, "out": json.loads(text) if text.strip() else None, "err": err.getvalue()}


def main():
    driver = create_clidriver()
    for line in sys.stdin:
        print(json.dumps(run(driver, sys.argv[1:], json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

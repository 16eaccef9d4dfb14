"""Writes the OpenAPI document to a file, `python -m tools.openapi_file PATH`: types of the pages are made from it."""

import sys
from pathlib import Path

from control_api.http.openapi.document import openapi_document, render
from control_api.operations import OPERATIONS, WEBHOOKS

if __name__ == "__main__":
    [path] = sys.argv[1:]
    Path(path).write_bytes(render(openapi_document(OPERATIONS, WEBHOOKS)))

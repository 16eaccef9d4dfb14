"""The OpenAPI document as the API serves it: to make it takes half a second, so that all tests look at one."""

from control_api.http.openapi.document import openapi_document, render
from control_api.operations import OPERATIONS, WEBHOOKS

SERVED: bytes = render(openapi_document(OPERATIONS, WEBHOOKS))

"""What an error status means on every operation, in one sentence for the OpenAPI document."""

STATUS_DESCRIPTIONS: dict[int, str] = {
    400: "The request itself is wrong.",
    401: "Missing or invalid API key.",
    402: "The organization's quota is used up.",
    403: "The API key or the link does not allow this.",
    404: "Not found in this organization.",
    405: "The path has no such method.",
    406: "None of the media types that Accept asks for is served.",
    408: "The body did not arrive in time.",
    409: "The request conflicts with the present state.",
    410: "It no longer exists.",
    412: "A precondition of the request does not hold.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    416: "The Range lies outside the file.",
    422: "Request body or parameters failed validation.",
    429: "Too many requests.",
    500: "Internal server error",
    503: "Not available for a moment: repeat after Retry-After.",
}

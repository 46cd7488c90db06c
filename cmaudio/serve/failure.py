"""Refusals, in the form that clients of OpenAI's API expect: `{"error": {message, type, param, code}}`."""

from __future__ import annotations

from starlette.responses import JSONResponse


class Failure(Exception):
    """A request that is refused.

    Args:
        status: of HTTP.
        message: what is wrong, what is allowed, and the remedy.
        code: machine-readable.
        param: the invalid field of the request.
        retry_seconds: after which to retry.
    """

    def __init__(
        self, status: int, message: str, code: str, param: str | None = None, retry_seconds: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.retry_seconds = retry_seconds

    @property
    def type(self) -> str:
        """OpenAI's kind of error."""
        if self.status >= 500:
            return "server_error"
        return {401: "authentication_error", 429: "rate_limit_error"}.get(self.status, "invalid_request_error")

    @property
    def content(self) -> dict[str, dict[str, str | None]]:
        """The body of the response."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """The response."""
        headers = {} if self.retry_seconds is None else {"Retry-After": str(self.retry_seconds)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.content, self.status, headers)

"""Who may talk to the app: this machine's user, from the app's own pages, and nobody else.

A page on the web cannot reach a server on this machine by another name for it (the Host check
stops DNS rebinding), cannot make it act (requests that change something must come from the app's
own origin), and nothing in a transcript can run in the app's pages (the content security policy).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing but the app's own files; a page that carries its script in itself names its hash."""

SAFE = ("GET", "HEAD")


class Guard:
    """Refuses requests that are not from the app's own pages, and sets every answer's policy."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        """Take the app and what it may be called in an address, without port."""
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal:
            await PlainTextResponse(refusal, 403)(scope, receive, _guarded(send))
            return
        await self.app(scope, receive, _guarded(send))

    def _refusal(self, method: str, headers: Headers) -> str:
        host = headers.get("host", "")
        if _name(f"http://{host}") not in self.hosts:
            return f"This server answers to {', '.join(sorted(self.hosts))} only."
        site = headers.get("sec-fetch-site", "same-origin")
        if method not in SAFE:
            origin = headers.get("origin")
            if origin != f"http://{host}" or site != "same-origin":
                return "Only the app's own pages may change anything."
        elif site == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return "Other sites may link to the app but not read from it."
        return ""


def _name(address: str) -> str:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return f"[{host}]" if ":" in host else host


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("content-security-policy", POLICY)
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "same-origin"
            headers["cross-origin-opener-policy"] = "same-origin"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return guarded

"""A small real OpenID Connect provider on loopback: discovery, codes with PKCE, signed tokens."""

import base64
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.ports import free_port
from tests.support.waiting import wait_for

CLIENT, SECRET = "millpond-test", "a-secret-of-the-test"


@dataclass
class Issuer:
    """The provider's state; tests set who is logged in there, and what it does wrong."""

    address: str
    subject: str = "42"
    # Claims that are put in the place of the right ones.
    wrong: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signing_key: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.address,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.wrong
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": "one"}
        return jwt.encode(header, claims, self.signing_key or self.key)


def application(issuer: Issuer) -> FastAPI:
    """Return the provider as an application."""
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return {
            "issuer": issuer.address,
            "authorization_endpoint": f"{issuer.address}/authorize",
            "token_endpoint": f"{issuer.address}/token",
            "jwks_uri": f"{issuer.address}/keys",
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [issuer.key.as_dict(private=False)]}

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        right = {"client_id": CLIENT, "response_type": "code", "code_challenge_method": "S256"}
        if any(asked.get(name) != value for name, value in right.items()):
            return Response(status_code=400)
        code = secrets.token_urlsafe()
        issuer.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    @app.post("/token")
    def token(
        request: Request,
        code: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
    ) -> Response:
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = issuer.codes.pop(code, None)
        if (
            request.headers.get("authorization") != f"Basic {expected}"
            or asked is None
            or asked["redirect_uri"] != redirect_uri
            or asked["code_challenge"] != create_s256_code_challenge(code_verifier)
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        body = {"access_token": "unused", "token_type": "Bearer", "id_token": issuer.token(asked)}
        return JSONResponse(body)

    return app


@contextmanager
def provider() -> Iterator[Issuer]:
    """Serve a provider for the length of the block."""
    port = free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}")
    config = uvicorn.Config(application(issuer), host="127.0.0.1", port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="provider")
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), "the provider to start")
        yield issuer
    finally:
        server.should_exit = True
        thread.join(30)

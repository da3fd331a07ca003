"""Logging in at the bureau's own provider (OpenID Connect, authorization code with PKCE).

Authlib is an extra (`pip install millpond[oidc]`): it is imported only where a provider is named.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from api.errors import LogInRefused, NotServed

_WAIT_S = 10.0
_CLOCKS_DIFFER_S = 60
_DISCOVERY = "/.well-known/openid-configuration"
# Signatures with a key that only the provider has.
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Began:
    """A log-in that is sent to the provider: where to, and what is to be remembered of it."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(slots=True)
class Provider:
    """The bureau's provider: its issuer, and who this service is to it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    _metadata: dict[str, Any] = field(default_factory=dict, repr=False)

    def check(self) -> None:
        """Raise NotServed unless it can be used: https (or this machine), and the extra there."""
        where = urlsplit(self.issuer)
        if where.scheme != "https" and where.hostname not in _LOOPBACK:
            raise NotServed(f"the provider {self.issuer} must be reached by https://")
        try:
            import authlib  # noqa: F401  # whether the extra is there
        except ImportError as error:
            raise NotServed("Authlib is not installed: run pip install 'millpond[oidc]'") from error

    def begin(self, back: str) -> Began:
        """Return where to send a person, who comes back to `back`; raises LogInRefused."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        address = prepare_grant_uri(
            self._discovered()["authorization_endpoint"],
            self.client_id,
            "code",
            redirect_uri=back,
            scope="openid",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Began(address, state, nonce, verifier)

    def finish(self, code: str, back: str, *, nonce: str, verifier: str) -> str:
        """Return who came back with a code, as issuer and subject; raises LogInRefused."""
        given = self._asked(
            "POST",
            self._discovered()["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": back,
                "code_verifier": verifier,
            },
            auth=(self.client_id, self.client_secret),
        )
        subject = self._subject(given, nonce)
        return key_of_person(self.issuer, subject)

    def _subject(self, given: dict[str, Any], nonce: str) -> str:
        """Return whom the provider's signed token names."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        published = self._asked("GET", self._discovered()["jwks_uri"])
        try:
            keys = KeySet.import_key_set({"keys": published["keys"]})
            token = jwt.decode(str(given.get("id_token", "")), keys, algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self.client_id},
                },
                {"nonce": nonce, "client_id": self.client_id},
            )
            claims.validate(leeway=_CLOCKS_DIFFER_S)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise LogInRefused(f"the provider's token does not hold: {error}") from error
        return str(claims["sub"])

    def _discovered(self) -> dict[str, Any]:
        if not self._metadata:
            found = self._asked("GET", self.issuer.rstrip("/") + _DISCOVERY)
            if found.get("issuer") != self.issuer or not all(each in found for each in _ENDPOINTS):
                raise LogInRefused("the provider describes another issuer, or not itself")
            self._metadata = found
        return self._metadata

    def _asked(self, method: str, address: str, **content: Any) -> dict[str, Any]:
        try:
            answer = httpx.request(method, address, timeout=_WAIT_S, **content).raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise LogInRefused(f"the provider did not answer as it should: {error}") from error
        if not isinstance(found, dict):
            raise LogInRefused("the provider did not answer as it should")
        return found


def key_of_person(issuer: str, subject: str) -> str:
    """Return what an account knows a person of a provider by."""
    return f"{issuer}|{subject}"

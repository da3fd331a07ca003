"""One session at one OPC UA server: secured as the file says, opened, watched and let go of.

Nothing here opens a connection again: that is the runner's alone, so that no two layers compete
and a server never meets a storm of sessions.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClientState
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaError, UaStatusCodeError
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from collectors.config.secrets import secret
from collectors.context import Context
from collectors.errors import NotSet, SourceError, SourceLost
from collectors.opcua import certificates
from collectors.opcua.certificates import Identity
from collectors.opcua.profiles import Profile, profile_for
from collectors.opcua.settings import NO_SECURITY, OpcuaSource
from collectors.opcua.trust import check_server

ERRORS: tuple[type[Exception], ...] = (SourceError, NotSet, UaError, OSError, TimeoutError)

_log = logging.getLogger("collectors.opcua")

_SESSION_TIMEOUT_MS = 60_000
_NAMESPACES = ua.NodeId.from_string("i=2255")  # Server_NamespaceArray
_CURRENT_TIME = ua.NodeId.from_string("i=2258")  # Server_ServerStatus_CurrentTime
# ProductName, ProductUri, ManufacturerName of BuildInfo; MaxNodesPerRead, MaxMonitoredItemsPerCall.
_ABOUT = [ua.NodeId.from_string(f"i={number}") for number in (2261, 2262, 2263, 11705, 11714)]

_UNTRUSTED = {
    StatusCodes.BadSecurityChecksFailed,
    StatusCodes.BadCertificateUntrusted,
    StatusCodes.BadCertificateUriInvalid,
    StatusCodes.BadCertificateInvalid,
    StatusCodes.BadCertificateTimeInvalid,
}
_LOGIN_REFUSED = {
    StatusCodes.BadUserAccessDenied,
    StatusCodes.BadIdentityTokenInvalid,
    StatusCodes.BadIdentityTokenRejected,
}


class CarefulClient(Client):
    """Refuses to send a password where nothing would hide it, unless the file allows it."""

    may_send_plain = False

    def server_policy(self, token_type: ua.UserTokenType) -> ua.UserTokenPolicy:
        policy = super().server_policy(token_type)
        hidden = (
            policy.SecurityPolicyUri != security_policies.SecurityPolicyNone.URI
            or self.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
        )
        if token_type == ua.UserTokenType.UserName and not hidden and not self.may_send_plain:
            raise SourceError(
                "the server would take the password unencrypted, so it was not sent; "
                'use security_mode = "SignAndEncrypt"'
            )
        return policy


class Connection:
    """One session; profile and namespaces are what the server said when it was opened."""

    def __init__(self, source: OpcuaSource, context: Context) -> None:
        self._source = source
        self._context = context
        self._client: Client | None = None
        self._lost: str | None = None
        self._warned: str | None = None
        self.profile: Profile = profile_for(source.profile, "")
        self.namespaces: list[str] = []

    async def open(self) -> None:
        """Connect, log in and ask what the server is; ends with one of ERRORS."""
        source = self._source
        self._lost = None
        self._client = client = CarefulClient(
            source.url, timeout=source.timeout_s, watchdog_intervall=source.timeout_s
        )
        client.session_timeout = _SESSION_TIMEOUT_MS
        client.name = "Millpond gateway"
        client.description = f"Millpond {source.name}"
        client.application_uri = client.product_uri = "urn:millpond:gateway"
        client.connection_lost_callback = partial(self._on_lost, client)
        self._log_in(client)
        identity = await self._secure(client) if source.is_secure else None
        try:
            await client.connect()
        except UaStatusCodeError as error:
            raise self._explained(error, identity) from error
        await self._look_around()

    async def close(self) -> None:
        """Close the session with all that belongs to it, or just the socket when that fails."""
        client, self._client = self._client, None
        if client is None:
            return
        protocol = client.uaclient.protocol
        transport = protocol.transport if protocol is not None else None
        try:
            with suppress(*ERRORS):
                async with asyncio.timeout(self._source.timeout_s):
                    await client.disconnect()
        finally:
            # The library leaves the socket open where it found the connection dead before.
            if transport is not None:
                transport.abort()

    def check_alive(self) -> None:
        """Raise SourceLost when the connection broke."""
        if self._lost or self._client is None or self._client.state is not UaClientState.CONNECTED:
            raise SourceLost(self._lost or f"the connection to {self._source.url} broke")

    async def read(
        self, nodes: Sequence[ua.NodeId], attribute: AttributeIds = AttributeIds.Value
    ) -> list[ua.DataValue]:
        """Read an attribute of nodes in one call, with both times; the caller bounds the number."""
        wanted = [ua.ReadValueId(NodeId=node, AttributeId=attribute) for node in nodes]
        both = ua.TimestampsToReturn.Both
        values: list[ua.DataValue] = await self.session.read(
            ua.ReadParameters(MaxAge=0, TimestampsToReturn=both, NodesToRead=wanted)
        )
        return values

    async def read_with_clock(
        self, nodes: Sequence[ua.NodeId]
    ) -> tuple[list[ua.DataValue], ua.DataValue]:
        """Read values of nodes, and the server's clock in the same call."""
        *values, clock = await self.read([*nodes, _CURRENT_TIME])
        return values, clock

    async def read_namespaces(self) -> list[str]:
        """Read which namespace has which number now."""
        return _texts((await self.read([_NAMESPACES]))[0])

    @property
    def session(self) -> Any:
        """The services of the open session; raises SourceLost without one."""
        if self._client is None:
            raise SourceLost(f"the connection to {self._source.url} is closed")
        return self._client.uaclient.session

    # --- who we are, who the server is -----------------------------------------------------------

    def _log_in(self, client: CarefulClient) -> None:
        source, folder = self._source, self._context.folder
        if source.username is not None:
            client.set_user(source.username)
            client.set_password(secret(folder, source.password_env, source.password_file) or "")
            client.may_send_plain = source.allow_plain_password or not source.has_password
        elif source.user_certificate is not None and source.user_private_key is not None:
            person = certificates.given_identity(
                folder / source.user_certificate, folder / source.user_private_key
            )
            client.user_certificate = x509.load_der_x509_certificate(person.certificate)
            client.user_private_key = serialization.load_pem_private_key(person.private_key, None)

    async def _secure(self, client: CarefulClient) -> Identity:
        source = self._source
        identity = self._identity()
        warning = identity.warning(certificates.now())
        if warning and warning != self._warned:
            _log.warning("%s: %s", source.name, warning)
        self._warned = warning
        policy = getattr(security_policies, f"SecurityPolicy{source.security}")
        mode = ua.MessageSecurityMode[source.security_mode]
        server = await self._server_certificate(client, policy.URI, mode)
        client.application_uri = identity.uri or client.application_uri
        await client.set_security(
            policy,
            CertProperties(identity.certificate, "der"),
            CertProperties(identity.private_key, "pem"),
            server_certificate=CertProperties(server, "der"),
            mode=mode,
        )
        return identity

    def _identity(self) -> Identity:
        source, context = self._source, self._context
        if source.certificate is not None and source.private_key is not None:
            folder = context.folder
            return certificates.given_identity(
                folder / source.certificate, folder / source.private_key
            )
        return certificates.own_identity(context.state / "opcua", keep=not context.probing)

    async def _server_certificate(
        self, client: CarefulClient, policy: str, mode: ua.MessageSecurityMode
    ) -> bytes:
        """Ask for the endpoints on a connection of their own and judge the certificate of ours."""
        endpoints = await client.connect_and_get_server_endpoints()
        for endpoint in endpoints:
            ours = endpoint.SecurityPolicyUri == policy and endpoint.SecurityMode == mode
            if ours and endpoint.ServerCertificate:
                # A chain may follow; DER says the length of the first in bytes 2 and 3.
                length = int.from_bytes(endpoint.ServerCertificate[2:4], "big") + 4
                certificate = bytes(endpoint.ServerCertificate[:length])
                check_server(self._source, self._context, certificate)
                return certificate
        offered = sorted({_offer(endpoint) for endpoint in endpoints})
        raise SourceError(
            f"{self._source.url} does not offer {self._source.security} with "
            f"{self._source.security_mode}; it offers {', '.join(offered) or 'nothing'}"
        )

    async def _look_around(self) -> None:
        self.namespaces = await self.read_namespaces()
        *build, per_read, per_call = await self.read(_ABOUT)
        names = " ".join(str(value.Value.Value) for value in build if value.Value is not None)
        self.profile = profile_for(self._source.profile, names).bounded(
            items_per_call=_count(per_call), nodes_per_read=_count(per_read)
        )

    def _explained(self, error: UaStatusCodeError, identity: Identity | None) -> Exception:
        if identity is not None and error.code in _UNTRUSTED:
            return SourceError(
                f"{self._source.url} refused the gateway's certificate: {_shown(identity)}"
            )
        if error.code in _LOGIN_REFUSED:
            return SourceError(
                f"{self._source.url} refused the login; check the user and its rights ({error})"
            )
        return error

    async def _on_lost(self, client: Client, error: Exception) -> None:
        # One that could not be closed in time may still speak up when the next one is open.
        if client is self._client:
            self._lost = (
                f"the connection to {self._source.url} broke: {error or type(error).__name__}"
            )


def _shown(identity: Identity) -> str:
    where = identity.path or "the one that is made when the gateway first runs"
    return f"let it trust {where} (SHA-256 {certificates.fingerprint(identity.certificate)})"


def _offer(endpoint: ua.EndpointDescription) -> str:
    policy = str(endpoint.SecurityPolicyUri).rpartition("#")[2]
    mode = ua.MessageSecurityMode(endpoint.SecurityMode)
    return NO_SECURITY if mode.name == "None_" else f"{policy} with {mode.name}"


def _texts(data: ua.DataValue) -> list[str]:
    return list(data.Value.Value or ()) if data.Value is not None else []


def _count(data: ua.DataValue) -> int | None:
    value = data.Value.Value if data.Value is not None else None
    return value if isinstance(value, int) else None

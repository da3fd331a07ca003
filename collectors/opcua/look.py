"""Looking at a server once: its endpoints, and the nodes that it shows."""

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaError

from collectors.context import Context
from collectors.errors import SourceUnreachable
from collectors.opcua.address_space import AddressSpace
from collectors.opcua.browse import Browser, Limits, Progress
from collectors.opcua.connection import ERRORS, Connection
from collectors.opcua.settings import NO_SECURITY, OpcuaSource


async def look(
    source: OpcuaSource, context: Context, limits: Limits, progress: Progress
) -> AddressSpace:
    """Connect as a gateway would, walk through the server and let go of it again.

    Raises SourceError or NotSet, with what to do, when the server cannot be read.
    """
    connection = Connection(source, context)
    try:
        await connection.open()
        return await Browser(connection.session, limits, progress).browse()
    except (OSError, TimeoutError, UaError) as error:
        raise SourceUnreachable(_why(source.url, error)) from error
    finally:
        await connection.close()


async def offers(url: str, timeout_s: float) -> list[str]:
    """Return the policies and modes that a server offers; raises SourceUnreachable."""
    client = Client(url, timeout=timeout_s)
    try:
        endpoints = await client.connect_and_get_server_endpoints()
    except ERRORS as error:
        raise SourceUnreachable(_why(url, error)) from error
    found = {
        (_policy(str(one.SecurityPolicyUri)), ua.MessageSecurityMode(one.SecurityMode))
        for one in endpoints
    }
    return sorted(
        NO_SECURITY if mode == ua.MessageSecurityMode.None_ else f"{policy} with {mode.name}"
        for policy, mode in found
    )


def _policy(uri: str) -> str:
    """Return a policy as a gateway file spells it, without the underscores of its URI."""
    return uri.rpartition("#")[2].replace("_", "")


def _why(url: str, error: BaseException) -> str:
    return f"{url} cannot be browsed: {str(error) or type(error).__name__}"

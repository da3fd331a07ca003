"""One delivery: a signed POST to the address that was judged, without redirects or proxies."""

import asyncio
import hashlib
import hmac
import ssl
import time
from functools import cache

import httpx

from api.errors import AddressRefused
from api.webhooks import address
from api.webhooks.address import Target
from api.webhooks.rules import DeliveryRules

SIGNATURE = "Millpond-Signature"
DELIVERY = "Millpond-Delivery"


def signature(secret: str, at_s: int, body: bytes) -> str:
    """Return `t=TIME,v1=HMAC`: HMAC-SHA256 over the time in s since 1970, a dot and the body."""
    made = hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256)
    return f"t={at_s},v1={made.hexdigest()}"


async def send(
    url: str, secret: str, delivery: str, body: bytes, rules: DeliveryRules
) -> str | None:
    """Deliver a body; return None when it arrived, else what went wrong."""
    try:
        async with asyncio.timeout(rules.within_s):
            target = await address.resolve(url, rules)
            status = await _post(target, _headers(target, secret, delivery, body), body, rules)
    except AddressRefused as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {rules.within_s:g} s"
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
        return f"{type(error).__name__}: {error}"[:300]
    if 300 <= status < 400:
        return f"answered {status}: redirects are not followed"
    return None if 200 <= status < 300 else f"answered {status}"


def _headers(target: Target, secret: str, delivery: str, body: bytes) -> dict[str, str]:
    return {
        "Host": target.url.netloc,
        "Content-Type": "application/json",
        "User-Agent": "Millpond",
        "Accept-Encoding": "identity",
        DELIVERY: delivery,
        SIGNATURE: signature(secret, int(time.time()), body),
    }


async def _post(target: Target, headers: dict[str, str], body: bytes, rules: DeliveryRules) -> int:
    url = httpx.URL(
        scheme=target.url.scheme,
        host=str(target.address),
        port=target.port,
        path=target.url.path or "/",
        query=target.url.query.encode() or None,
    )
    # The name on the certificate is that of the address given, not of the number connected to.
    extensions = {"sni_hostname": str(target.url.hostname)}
    async with (
        httpx.AsyncClient(
            verify=_trust(rules.ca), trust_env=False, follow_redirects=False, timeout=rules.within_s
        ) as client,
        # Of the answer the head alone is read: what it says beside its status is of no use here.
        client.stream("POST", url, content=body, headers=headers, extensions=extensions) as answer,
    ):
        return answer.status_code


@cache
def _trust(ca: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        context.load_verify_locations(ca)
    return context

"""`millpond api`."""

import ipaddress
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import store
from deploy.commands.common import DatabaseOption, database_url
from deploy.commands.pool_notices import NoticesOption
from deploy.errors import DeployError
from deploy.ports import require_free
from deploy.signals import stopped_by_sigterm
from deploy.supervisor import Supervisor

if TYPE_CHECKING:
    from api.peer import Tls
    from api.provider import Provider
    from api.webhooks.rules import DeliveryRules

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Pages and REST interface."""


@app.command()
def serve(
    database: DatabaseOption = None,
    host: Annotated[
        str, typer.Option(help="Address; other than loopback only over TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535)] = 8321,
    refresh_s: Annotated[
        int | None, typer.Option(help="Seconds between two refreshes; 60.", min=5)
    ] = None,
    schedule: Annotated[
        Path | None, typer.Option(help="Schedule of the jobs (TOML).", envvar="MILLPOND_SCHEDULE")
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="Certificate of this server and its chain (PEM).")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Key of the certificate (PEM).")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(help="Who may issue client certificates of gateways (PEM).")
    ] = None,
    certificate_header: Annotated[
        str | None,
        typer.Option(help="Header in which a proxy in front always sets the certificate."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Host name under which people elsewhere are served over TLS."),
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="Issuer at which people may log in (OpenID Connect).")
    ] = None,
    provider_client: Annotated[
        str | None, typer.Option(help="What this service is called at the issuer.")
    ] = None,
    provider_secret: Annotated[
        Path | None, typer.Option(help="File with the secret that the issuer gave.")
    ] = None,
    notices: NoticesOption = None,
    webhook_network: Annotated[
        list[str] | None,
        typer.Option(help="Network beside the public internet that webhooks may go to (CIDR)."),
    ] = None,
    webhook_ca: Annotated[
        Path | None, typer.Option(help="Authority of the receivers' certificates, beside known.")
    ] = None,
) -> None:
    """Serve the pages and bring the figures up to date until Ctrl-C or SIGTERM.

    The pages answer to this machine alone, and over TLS to others under each --name; gateways may
    come from elsewhere over TLS under any name.

    Example: `millpond api serve --port 8321`
    """
    url = database_url(database)
    tls = _tls(tls_certificate, tls_key, client_ca)
    sso = _provider(provider, provider_client, provider_secret)
    require_free(port)
    with closing(store.connect(url)):  # a server that is away is told now, in one line
        pass
    from api.exports.worker import DOCUMENTS
    from api.pool import nightly
    from api.pool import notices as telling
    from api.pool.entry_runs import ENTRIES
    from api.pool.reruns import RERUNS
    from api.server import serve as serve_pages  # slow to import
    from api.webhooks.delivery import delivering
    from api.worker import working
    from kpi import jobs

    rules = _delivery_rules(webhook_network or [], webhook_ca)
    senders = telling.load(notices) if notices else ()
    plan = jobs.load_schedule(schedule) if schedule else None
    # The server ends in order by itself, and then passes on what stopped it.
    with (
        suppress(KeyboardInterrupt),
        stopped_by_sigterm(),
        jobs.scheduled(url, refresh_s, plan),
        nightly.scheduled(url),
        telling.scheduled(url, senders),
        working(url, DOCUMENTS, ENTRIES, RERUNS),
        delivering(url, rules),
    ):
        serve_pages(
            url, host, port,
            tls=tls, certificate_header=certificate_header, names=name or (), provider=sso,
            beat=Supervisor().beat,
        )  # fmt: skip


@app.command()
def health(
    url: Annotated[str, typer.Option(help="Where the service answers on this machine.")] = (
        "http://127.0.0.1:8321"
    ),
) -> None:
    """Ask a running service whether it and its database work; exits with 1 when they do not.

    The certificate is not looked at: it is for another name than that of the machine itself.

    Example: `millpond api health --url https://127.0.0.1:8443`
    """
    import httpx  # slow to import

    try:
        found = httpx.get(f"{url.rstrip('/')}/healthz", verify=False, timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise DeployError(f"{url} does not answer: {error}") from error
    if found.status_code != httpx.codes.OK:
        raise DeployError(f"{url} answers {found.status_code}: see the service's log")
    print(f"{url} works")


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> "Tls | None":
    if (certificate is None) != (key is None):
        raise typer.BadParameter("--tls-certificate and --tls-key go together")
    if certificate is None or key is None:
        if client_ca is not None:
            raise typer.BadParameter("--client-ca needs --tls-certificate and --tls-key")
        return None
    from api.peer import Tls

    return Tls(certificate, key, client_ca)


def _provider(issuer: str | None, client: str | None, secret: Path | None) -> "Provider | None":
    if issuer is None and client is None and secret is None:
        return None
    if issuer is None or client is None or secret is None:
        raise typer.BadParameter("--provider, --provider-client and --provider-secret go together")
    from api.provider import Provider

    return Provider(issuer, client, secret.read_text(encoding="utf-8").strip())


def _delivery_rules(networks: list[str], ca: Path | None) -> "DeliveryRules":
    from api.webhooks.rules import DeliveryRules

    if ca is not None and not ca.is_file():
        raise typer.BadParameter(f"there is no file {ca}", param_hint="--webhook-ca")
    try:
        named = tuple(ipaddress.ip_network(each) for each in networks)
    except ValueError as error:
        raise typer.BadParameter(f"{error}", param_hint="--webhook-network") from error
    return DeliveryRules(networks=named, ca=None if ca is None else str(ca))

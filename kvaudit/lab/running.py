"""A running lab: the server, what points clients at it, and what was asked of it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from kvaudit.lab.estate import Estate
from kvaudit.lab.estate_file import load_estate
from kvaudit.lab.server import Server
from kvaudit.lab.throttling import Throttle
from kvaudit.lab.world import JournalEntry, World


class Lab:
    """A lab that serves an estate until it is closed; a context manager.

    Args:
        server: the running server.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.world = server.world

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def proxy_url(self) -> str:
        """What `HTTPS_PROXY` holds."""
        return self._server.proxy_url

    @property
    def ca_file(self) -> Path:
        """Certificate of the lab's throw-away authority."""
        return self._server.ca_file

    @property
    def journal(self) -> list[JournalEntry]:
        """Every request so far, oldest first."""
        return self.world.journal

    def environment(self, identity: str = "auditor") -> dict[str, str]:
        """Environment variables that point an unmodified Azure client at the lab, signed in as an identity of the estate.

        Raises:
            KeyError: the estate has no such identity.
        """
        who = self.world.estate.identities[identity]
        return {
            "HTTPS_PROXY": self.proxy_url,
            "https_proxy": self.proxy_url,
            "NO_PROXY": "",
            "no_proxy": "",
            "SSL_CERT_FILE": str(self.ca_file),
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "AZURE_TENANT_ID": who.tenant_id,
            "AZURE_CLIENT_ID": who.app_id,
            "AZURE_CLIENT_SECRET": who.client_secret,
        }

    def close(self) -> None:
        """Ends the server; closing twice is allowed."""
        self._server.close()


def start(
    estate: Estate | Path | str,
    *,
    port: int = 0,
    clock: Callable[[], datetime] | None = None,
    latency: float = 0.0,
    throttling: bool = False,
) -> Lab:
    """Starts a lab.

    Args:
        estate: an estate, the path of an estate file, or the name of a packaged sample (`contoso`).
        port: port of the proxy on 127.0.0.1; 0 for a free one.
        clock: the lab's clock; the machine's when None.
        latency: seconds that every request waits.
        throttling: whether the documented limits answer 429.

    Raises:
        EstateFileError: the file has mistakes.
        FileNotFoundError: there is no such file or sample.
        OSError: the port is taken.
    """
    loaded = estate if isinstance(estate, Estate) else load_estate(estate)
    world = World(loaded, page_size=int(loaded.paging.get("size") or 50))
    if clock is not None:
        world.clock = clock
    if throttling:
        world.interceptors.append(Throttle().intercept)
    return Lab(Server(world, port=port, latency=latency))

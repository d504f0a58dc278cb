"""Where a language model is reached, and its key: read from the environment when it is needed, and kept nowhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from pipelines.errors import EndpointError


@dataclass(frozen=True)
class Endpoint:
    """Where a model is reached and how: `key_variable` names the environment variable of the key, "" for none."""

    url: str
    model: str
    key_variable: str = ""
    timeout_s: float = 60.0
    retries: int = 4
    concurrency: int = 4

    @property
    def host(self) -> str:
        """What a message may show of the address."""
        return urlsplit(self.url).netloc

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        return is_loopback(self.url)

    def key(self) -> str | None:
        """Return the key, read from the environment now; None where none is needed.

        Raises:
            EndpointError: when the variable is not set, or holds what cannot be a key.
        """
        if not self.key_variable:
            return None
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise EndpointError(
                f"The key for {self.host} should be in the environment variable {self.key_variable}, which is not set "
                "in the process that does the work; set it, start the workbench again, and run again."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise EndpointError(
                f"The environment variable {self.key_variable} holds something that cannot be a key (a space, a line "
                "break or a character beyond ASCII); set it to the key alone."
            )
        return key


def is_loopback(url: str) -> bool:
    """Return whether an address is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False

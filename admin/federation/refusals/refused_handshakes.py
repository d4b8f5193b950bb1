"""Says in the server's log who was refused at the TLS port, and why; FLARE and asyncio close it without a word."""

from __future__ import annotations

import ssl
import time
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import Any

from nvflare.apis.fl_component import FLComponent

QUIET_SECONDS = 60.0  # one line for an address and a reason in this time: a kit that is refused tries for ever
REMEMBERED = 1000  # addresses and reasons
HANDSHAKE_ENDED = "_on_handshake_complete"  # of asyncio's SSLProtocol, in Python 3.11 to 3.14

FOREIGN = "its certificate is from a foreign authority"
NO_AUTHORITY = "a participant has signed its certificate, who is no authority"
CERTIFICATE_REASONS = {
    7: FOREIGN,
    9: "its certificate is not yet valid",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: FOREIGN,
    20: FOREIGN,
    21: FOREIGN,
    24: NO_AUTHORITY,
    79: NO_AUTHORITY,
}
"""By OpenSSL's number of a verification error."""
NO_TRUST = "it does not trust the server's certificate"
TLS_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it has no certificate",
    "TLSV1_ALERT_UNKNOWN_CA": NO_TRUST,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": NO_TRUST,
    "SSLV3_ALERT_BAD_CERTIFICATE": NO_TRUST,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it holds the server's certificate for expired",
}


class RefusedHandshakes(FLComponent):  # type: ignore[misc]
    """Logs one line for each address and reason in a minute. FLARE loads it before the server listens."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}
        ended = getattr(SSLProtocol, HANDSHAKE_ENDED, None)
        if ended is None:
            self.logger.warning("refused connections are not logged: this version of Python is not known")
        else:
            setattr(SSLProtocol, HANDSHAKE_ENDED, self.watched(ended))

    def watched(self, ended: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        """Returns asyncio's method that is called at the end of a handshake, which now says why it failed."""

        def told(protocol: Any, error: Any) -> None:
            tls = getattr(protocol, "_sslobj", None)
            if isinstance(error, ssl.SSLError) and tls is not None and tls.server_side:
                address = protocol._transport.get_extra_info("peername")
                self.say(str(address[0]) if address else "an unknown address", reason_of(error))
            ended(protocol, error)

        return told

    def say(self, address: str, reason: str) -> None:
        """Logs one line, unless it was logged within a minute."""
        now = time.monotonic()
        if now - self._said.get((address, reason), -QUIET_SECONDS) < QUIET_SECONDS:
            return
        if len(self._said) >= REMEMBERED:
            self._said.clear()
        self._said[address, reason] = now
        self.logger.warning(f"refused a connection from {address}: {reason}")


def reason_of(error: ssl.SSLError) -> str:
    """Returns why a handshake failed, in words; OpenSSL's own where we have none."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CERTIFICATE_REASONS.get(error.verify_code, f"its certificate cannot be used: {error.verify_message}")
    reason = str(error.reason or type(error).__name__)
    return TLS_REASONS.get(reason, f"it does not speak TLS as the server does ({reason.lower().replace('_', ' ')})")

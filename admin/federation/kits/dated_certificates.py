"""Issue certificates for as long as the project file says; FLARE's own builder gives every kit 360 days.

``nvflare provision`` loads this class by its path. The authority, the state and the files of the kits stay FLARE's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.x509 import ExtendedKeyUsage
from cryptography.x509.oid import ExtendedKeyUsageOID
from nvflare.lighter.constants import ParticipantType, PropKey
from nvflare.lighter.impl.cert import CertBuilder
from nvflare.lighter.utils import Identity, generate_cert, generate_keys

CLIENT_USES = [ExtendedKeyUsageOID.CLIENT_AUTH]
SERVER_USES = [ExtendedKeyUsageOID.SERVER_AUTH, *CLIENT_USES]  # its processes also connect to each other
"""What a certificate may be used for. FLARE's have no such list: any participant could pose as the server to a site,
because a site compares the server's name in a message only, which can be passed on."""


class DatedCertBuilder(CertBuilder):  # type: ignore[misc]
    """FLARE's builder of certificates, with dates of its own and a renewal of single participants.

    Args:
        root_valid_days: of a new authority.
        valid_days: of a new certificate; it never outlasts the authority.
        renew: participants who get a new key and certificate although the state has one.
    """

    def __init__(self, root_valid_days: int, valid_days: int, renew: Sequence[str] = ()) -> None:
        super().__init__(root_valid_days=root_valid_days)
        self.valid_days = valid_days
        self.renew = renew

    def initialize(self, project: Any, ctx: Any) -> None:
        """Load the state, without the certificates to renew. FLARE writes the state back after the kits are made."""
        super().initialize(project, ctx)
        for name in self.renew:
            self.persistent_state.content.pop(name, None)

    def get_pri_key_cert(self, participant: Any) -> tuple[Any, Any]:
        """Return a new key and a certificate for it, signed by the authority."""
        private, public = generate_keys()
        server, person = (participant.type == kind for kind in (ParticipantType.SERVER, ParticipantType.ADMIN))
        begins = datetime.now(UTC)
        certificate = generate_cert(
            subject=Identity(
                participant.subject, participant.org, participant.get_prop(PropKey.ROLE) if person else None
            ),
            issuer=Identity(self.issuer),
            signing_pri_key=self.pri_key,
            subject_pub_key=public,
            server_default_host=participant.get_default_host() if server else None,
            server_additional_hosts=participant.get_prop(PropKey.HOST_NAMES) if server else None,
            not_valid_before=begins,
            not_valid_after=min(begins + timedelta(days=self.valid_days), self.root_cert.not_valid_after_utc),
            extra_extensions=[(ExtendedKeyUsage(SERVER_USES if server else CLIENT_USES), False)],
        )
        return private, certificate

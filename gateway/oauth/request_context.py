"""The context of one OAuth request: its unit of work, time, and the caller's key and certificate."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gateway.access.dpop import Proof
from gateway.clients.certificates import Certificate
from gateway.oauth.unit_of_work import UnitOfWork
from gateway.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """The circumstances of one request.

    `jkt` is the thumbprint of the DPoP proof's key (RFC 9449), `certificate` the TLS client's.
    """

    unit_of_work: UnitOfWork
    runtime: Runtime
    now: datetime
    jkt: str | None
    certificate: Certificate | None
    unspent_proof: Proof | None = None
    """The DPoP proof, where it is spent with the count of the request."""

    @property
    def connection(self) -> Connection:
        """The request's transaction; raises `NoTransactionError` where there is none."""
        return self.unit_of_work.connection

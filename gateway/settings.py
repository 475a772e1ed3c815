"""Settings from environment variables `XINQIAO_…`, parsed once at start-up; no default secrets."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway import environment
from gateway.database_address import driver_url
from gateway.environment import variable
from gateway.origin import is_plain_origin
from gateway.trusted_proxies import Network, parse_networks

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
MIN_SECRET_LENGTH = 32
REDIS_SCHEMES = frozenset({"redis", "rediss", "unix", "redis+cluster", "rediss+cluster"})

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _roles_of(value: object) -> object:
    """Split a text by spaces."""
    return tuple(value.split()) if isinstance(value, str) else value


def _addresses_of(value: object) -> object:
    """Split a text by commas."""
    return tuple(each.strip() for each in value.split(",")) if isinstance(value, str) else value


def _limits_of(value: object) -> object:
    """Parse `operation=calls` pairs, each operation once."""
    if not isinstance(value, str):
        return value
    pairs = [each.partition("=") for each in value.split()]
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise ValueError("names one operation twice")
    return {name: number for name, _, number in pairs}


Operation = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,22}$")]
CallsPerMinute = Annotated[int, Field(ge=1, le=1_000_000)]
EndpointLimits = Annotated[dict[Operation, CallsPerMinute], NoDecode, BeforeValidator(_limits_of)]
Addresses = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_addresses_of)]
Role = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Roles = Annotated[tuple[Role, ...], NoDecode, BeforeValidator(_roles_of)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(parse_networks)]


REQUEST_TIMEOUT = 10
BACKGROUND_STATEMENT_TIMEOUT = 15 * 60


class SettingsError(Exception):
    """The settings do not let the gateway start."""


class DatabaseSettings(BaseSettings):
    """Settings of operator commands: the database."""

    model_config = SettingsConfigDict(env_prefix="XINQIAO_", frozen=True, extra="ignore")

    database_url: Url = Field(
        description="PostgreSQL, as postgresql://user:password@host/database", repr=False
    )
    background_statement_timeout: int = Field(
        default=BACKGROUND_STATEMENT_TIMEOUT,
        ge=10,
        le=24 * 3600,
        description="seconds that a statement of a command or of background work may take",
    )

    @field_validator("database_url")
    @classmethod
    def _asyncpg(cls, value: str) -> str:
        return driver_url(value)

    @classmethod
    def from_env(cls, **overrides: Any) -> Self:
        """Parse the environment; raises `SettingsError` with one sentence for each problem."""
        fields, given = Settings.model_fields, set(cls.model_fields) - set(overrides)
        mistyped = environment.mistyped(unknown_variables(), fields)
        if trouble := [*mistyped, *environment.empty(os.environ, fields, given)]:
            raise SettingsError("\n".join(trouble))
        try:
            return cls(**overrides)
        except ValidationError as error:
            sentences = (environment.sentence_on(each, fields) for each in error.errors())
            raise SettingsError("\n".join(sentences)) from None


class IntakeSettings(DatabaseSettings):
    """Settings of commands that write credit files."""

    vault_keys: Path = Field(description="path of a file made by `xinqiao-gateway keys init`")


class Settings(DatabaseSettings):
    """Everything that differs between two installations. Each field is `XINQIAO_<NAME>`."""

    issuer: Url = Field(description="The gateway's own origin, as https://credit.example.gov.cn")
    secret: SecretStr = Field(
        description="at least 32 random characters; digests, nonces and CSRF tokens are derived from it"
    )
    signing_keys: Path = Field(description="path of a file made by `xinqiao-gateway keys init`")
    vault_keys: Path = Field(description="path of a file made by `xinqiao-gateway keys init`")
    log_checkpoints: Addresses = Field(
        description=(
            "folders that all hosts share, or https addresses that take PUT and GET, by commas; "
            "each keeps the log's newest signed checkpoint"
        ),
        repr=False,
    )
    redis_url: SecretStr | None = Field(default=None, description="as redis://host:6379/0")
    workers: int = Field(default=1, ge=1, le=64, description="how many worker processes")
    demo: bool = Field(default=False, description="loopback http, demo identity provider")
    demo_people: Path | None = Field(default=None, description="the demo provider's accounts")
    font: Path | None = Field(
        default=None, description="a font with Chinese, for PDFs; else Noto Sans CJK where it is"
    )
    spool: Path | None = Field(
        default=None,
        description="folder for departments' uploads, its owner's alone, the same for all workers",
    )
    spool_per_source: int = Field(
        default=8 << 30,
        ge=1 << 20,
        description="bytes of unfinished uploads that a source may have",
    )
    national_code_prefix: Url | None = Field(
        default=None,
        description="what the address of a national enterprise code begins with, up to its identifier",
    )
    authority: Url | None = Field(
        default=None, description="whose pages these are, as 某省公共信用信息中心; shown on them"
    )
    authority_en: Url | None = Field(default=None, description="the same in English")
    purge_url: Url | None = Field(
        default=None,
        description="where the CDN in front of the public pages takes purges, as https://cdn.example/purge",
        repr=False,
    )
    purge_token: SecretStr | None = Field(default=None, description="its bearer token")
    purge_max_age: int = Field(
        default=60, ge=1, le=300, description="seconds that the CDN may keep a page without asking"
    )
    anomaly_rate: int = Field(
        default=25,
        ge=1,
        le=100,
        description=(
            "percent of its rate that a client keeps until midnight once an anomaly is flagged; "
            "100: flagged only"
        ),
    )
    alert_url: Url | None = Field(
        default=None,
        description="where alerts of anomalies are posted, as https://alerts.example.cn/xinqiao",
        repr=False,
    )
    alert_secret: SecretStr | None = Field(
        default=None,
        description="signs them: whsec_ and the base64 of 24 to 64 random bytes",
    )
    database_pool: int = Field(default=10, ge=1, le=200, description="connections per worker")
    statement_sets: Literal["auto", "off"] = Field(
        default="auto",
        description="auto: calls under way together share a statement, unless tables are distributed",
    )
    calls_per_second: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="calls under /v1 that are admitted in a second, of all clients together",
    )
    endpoint_limits: EndpointLimits = Field(
        default_factory=dict,
        description="calls of one client a minute, by operation, as query=60 verify_batch=6, by spaces",
    )
    request_timeout: int = Field(
        default=REQUEST_TIMEOUT, ge=1, le=600, description="seconds in which a call is answered"
    )

    job_days: int = Field(
        default=7,
        ge=1,
        le=90,
        description="days that a verification job is kept after its end, unstarted or paused by its "
        "client; after as many without an answered line a started one is stopped",
    )

    smtp_url: SecretStr | None = Field(
        default=None, description="as smtps://user:password@host:465; notices go out by it"
    )
    notices_from: Url | None = Field(
        default=None, description="the sender of notices, as 信桥 <notices@example.gov.cn>"
    )
    sms_url: Url | None = Field(
        default=None, description="an SMS gateway, as https://sms.example.cn/send"
    )
    sms_token: SecretStr | None = Field(default=None, description="its bearer token")
    notices_every: int = Field(
        default=5, ge=1, le=3600, description="seconds between a worker's looks for due notices"
    )
    notices_folder: Path | None = Field(
        default=None, description="of the demo: notices by e-mail are written there instead"
    )

    trusted_proxies: Networks = Field(
        default=(),
        description=(
            "addresses or networks of the proxies whose Client-Cert and X-Forwarded-For are believed, "
            "by spaces"
        ),
    )
    mtls_origin: Url | None = Field(
        default=None,
        description="where the proxy asks for certificates, as https://mtls.example.cn",
    )

    identity_issuer: Url | None = Field(
        default=None, description="the OpenID provider at which people sign in, exactly as it says"
    )
    identity_client_id: Url | None = Field(default=None, description="the gateway's name there")
    identity_client_key: Path | None = Field(
        default=None, description="path of a file made by `xinqiao-gateway keys identity`"
    )
    identity_client_secret: SecretStr | None = Field(
        default=None, description="the provider's secret for us, where it knows no private_key_jwt"
    )
    identity_scope: Url = Field(default="openid", description="as openid profile enterprises")
    identity_claim: Url | None = Field(
        default=None, description="the claim that names the enterprises a person may act for"
    )
    identity_delegate_roles: Roles = Field(
        default=(),
        description="roles in that claim by which the provider itself appoints delegates, by spaces",
    )
    identity_acr: Url | None = Field(
        default=None, description="what a sign-in must reach, one of these, by spaces"
    )
    identity_max_age: int | None = Field(
        default=None, ge=60, description="seconds since the person really signed in"
    )
    identity_rs256: bool = Field(default=False, description="ID tokens may be signed RS256")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            scheme, separator, rest = value.get_secret_value().partition("://")
            if not separator or not rest or scheme not in REDIS_SCHEMES:
                raise ValueError(
                    f"must begin with one of {', '.join(sorted(REDIS_SCHEMES))}, and ://"
                )
            try:
                _ = urlsplit(f"redis://{rest}").port
            except ValueError:
                raise ValueError("has no port that can be read") from None
        return value

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError(f"must have at least {MIN_SECRET_LENGTH} characters")
        return value

    @model_validator(mode="after")
    def _issuer_is_an_origin(self) -> Self:
        if not is_plain_origin(self.issuer):
            raise ValueError(
                "XINQIAO_ISSUER must be an origin only, as https://credit.example.gov.cn: in lower case, "
                "without path, query, trailing slash or the port that goes without saying"
            )
        if not self._is_https(urlsplit(self.issuer)):
            raise ValueError(
                "XINQIAO_ISSUER must be an https origin (http is for the loopback demo only)"
            )
        return self

    @field_validator("national_code_prefix")
    @classmethod
    def _national_prefix(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[!-~]+[/=]", value):
            raise ValueError("must be an address that ends with / or =, before the identifier")
        return value

    @model_validator(mode="after")
    def _checkpoints_have_places(self) -> Self:
        if not any(self.log_checkpoints):
            raise ValueError(
                "XINQIAO_LOG_CHECKPOINTS is empty. Set it to a folder outside the database's own "
                "storage, or an https address"
            )
        for each in self.log_checkpoints:
            if not each.startswith("/") and not self._is_store_address(each):
                raise ValueError(
                    "XINQIAO_LOG_CHECKPOINTS must name folders by absolute paths, or https addresses, "
                    "by commas (http is for the loopback demo only)"
                )
        if len(set(self.log_checkpoints)) < len(self.log_checkpoints):
            raise ValueError("XINQIAO_LOG_CHECKPOINTS names one place twice")
        return self

    @model_validator(mode="after")
    def _many_workers_need_redis(self) -> Self:
        if self.workers > 1 and self.redis_url is None:
            raise ValueError(
                "XINQIAO_REDIS_URL is needed with more than one worker: they share their limits there"
            )
        return self

    @model_validator(mode="after")
    def _purges_are_authenticated(self) -> Self:
        if (self.purge_url is None) != (self.purge_token is None):
            raise ValueError("XINQIAO_PURGE_URL and XINQIAO_PURGE_TOKEN are set together")
        return self

    @model_validator(mode="after")
    def _alerts_are_signed(self) -> Self:
        if (self.alert_url is None) != (self.alert_secret is None):
            raise ValueError("XINQIAO_ALERT_URL and XINQIAO_ALERT_SECRET are set together")
        return self

    @model_validator(mode="after")
    def _mtls_origin_is_an_origin(self) -> Self:
        if self.mtls_origin is None:
            return self
        if not self.trusted_proxies:
            raise ValueError("XINQIAO_MTLS_ORIGIN is set, and XINQIAO_TRUSTED_PROXIES is not")
        parts = urlsplit(self.mtls_origin)
        plain = self.mtls_origin == f"https://{parts.netloc}" == self.mtls_origin.lower()
        if not plain or not parts.hostname or parts.username is not None:
            raise ValueError(
                "XINQIAO_MTLS_ORIGIN must be an https origin only, in lower case, without path"
            )
        return self

    @model_validator(mode="after")
    def _identity_is_whole(self) -> Self:
        given = {
            name
            for name, field in type(self).model_fields.items()
            if name.startswith("identity_") and getattr(self, name) != field.default
        }
        if given and "identity_issuer" not in given:
            raise ValueError(f"{variable(min(given))} is set, and XINQIAO_IDENTITY_ISSUER is not")
        if given:
            for name in ("identity_client_id", "identity_claim"):
                if name not in given:
                    raise ValueError(f"{variable(name)} is needed with XINQIAO_IDENTITY_ISSUER")
            if len(given & {"identity_client_key", "identity_client_secret"}) != 1:
                raise ValueError(
                    "XINQIAO_IDENTITY_CLIENT_KEY or XINQIAO_IDENTITY_CLIENT_SECRET is needed with "
                    "XINQIAO_IDENTITY_ISSUER, and not both"
                )
            if "openid" not in self.identity_scope.split():
                raise ValueError("XINQIAO_IDENTITY_SCOPE must name openid")
            self._judge_identity_issuer(self.identity_issuer or "")
        return self

    def origin_at(self, host: str | None) -> str:
        """Our origin that a client called, by its Host: the mutual-TLS origin or the issuer."""
        if self.mtls_origin is not None and host is not None:
            ours = self.mtls_origin.removeprefix("https://")
            if host.lower() in {ours, f"{ours}:443"}:
                return self.mtls_origin
        return self.issuer

    def _is_store_address(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return False
        is_good = address.isascii() and address.isprintable() and " " not in address
        return is_good and bool(host) and self._is_https(parts)

    def _is_https(self, parts: SplitResult) -> bool:
        """True for https, and in the demo for http to this machine."""
        loopback = parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
        return parts.scheme == "https" or (self.demo and loopback)

    def _judge_identity_issuer(self, issuer: str) -> None:
        parts = urlsplit(issuer)
        whole = parts.hostname and not (parts.query or parts.fragment or parts.username)
        if not whole or not self._is_https(parts):
            raise ValueError(
                "XINQIAO_IDENTITY_ISSUER must be an https address without query or fragment"
            )


def unknown_variables() -> list[str]:
    """Environment variables with our prefix that nothing reads."""
    return environment.unknown_names(os.environ, Settings.model_fields)

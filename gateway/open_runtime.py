"""Opening of a worker's runtime from its settings: databases, keys, limiter, channels; and its end.

Settings that cannot be used raise `SettingsError` here, at start-up.
"""

from datetime import UTC, datetime
from typing import Final

from gateway.anomalies.alert import AlertHook
from gateway.background.catalogue_reload import catalogue_in_force
from gateway.clients.agreements import AgreementCache
from gateway.db.engine import background_engine, make_engine
from gateway.db.generation import SessionGeneration
from gateway.db.prepared import HotDatabase, sets_for
from gateway.limits.memory_store import MemoryStore
from gateway.limits.redis_store import RedisStore
from gateway.limits.store_protocol import LimitStore
from gateway.notices.channels import Channels, Folder, HttpSms, Notifier, Smtp
from gateway.pages.cdn import PageCdn
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.runtime import Runtime
from gateway.safe_fetch import address_problem
from gateway.settings import Settings, SettingsError
from gateway.signing.access_tokens import TokenVerifier
from gateway.signing.decryption_keys import DecryptionKeys
from gateway.signing.dpop_nonces import DpopNonces
from gateway.signing.keyed_digests import KeyedDigests
from gateway.signing.keys import KeyRing

BACKGROUND_POOL: Final = 4  # connections, and as many more for a moment


async def open_runtime(settings: Settings) -> Runtime:
    """Open every connection that a worker needs."""
    digests = KeyedDigests(settings.secret.get_secret_value())
    keys = KeyRing.read(settings.signing_keys)
    generation = SessionGeneration()
    hot = await HotDatabase.open(
        settings.database_url,
        size=settings.database_pool,
        statement_timeout=settings.request_timeout,
        generation=generation,
    )
    try:
        hot.use_sets(await sets_for(hot, settings.statement_sets))
        catalogue = await catalogue_in_force(hot)
    except BaseException:
        await hot.close()
        raise
    return Runtime(
        settings=settings,
        engine=make_engine(
            settings.database_url,
            pool_size=settings.database_pool,
            statement_timeout=settings.request_timeout,
            generation=generation,
        ),
        background=background_engine(settings, pool_size=BACKGROUND_POOL, generation=generation),
        hot=hot,
        keys=keys,
        decryption_keys=DecryptionKeys.read(settings.signing_keys),
        digests=digests,
        catalogue=catalogue,
        vault=_vault(settings),
        limiter=_store(settings),
        agreements=AgreementCache(hot),
        tokens=TokenVerifier(keys, settings.issuer),
        nonces=DpopNonces(digests.key("nonce")),
        now=utc_now,
        cdn=_cdn(settings, digests),
        alert_hook=_alert_hook(settings),
        channels=_channels(settings),
    )


async def close_runtime(runtime: Runtime) -> None:
    """Close every connection."""
    await runtime.quality_counts.close()
    await runtime.limiter.close()
    await runtime.hot.close()
    await runtime.engine.dispose()
    await runtime.background.dispose()


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


def _cdn(settings: Settings, digests: KeyedDigests) -> PageCdn | None:
    """The CDN that takes purges; raises `SettingsError` at start-up if its address cannot be used."""
    if settings.purge_url is None or settings.purge_token is None:
        return None
    trouble = address_problem(settings.purge_url, loopback=True, private=True)
    if trouble is not None:
        raise SettingsError(f"XINQIAO_PURGE_URL cannot be used: {trouble}")
    return PageCdn(
        url=settings.purge_url,
        token=settings.purge_token.get_secret_value(),
        max_age=settings.purge_max_age,
        digest_key=digests.key("surrogate_key"),
    )


def _alert_hook(settings: Settings) -> AlertHook | None:
    """The webhook of alerts; raises `SettingsError` at start-up if they cannot be sent or signed."""
    if settings.alert_url is None or settings.alert_secret is None:
        return None
    trouble = address_problem(settings.alert_url, loopback=True, private=True)
    if trouble is not None:
        raise SettingsError(f"XINQIAO_ALERT_URL cannot be used: {trouble}")
    try:
        return AlertHook.parse(
            settings.alert_url, settings.alert_secret.get_secret_value(), loopback=True
        )
    except ValueError as error:
        raise SettingsError(f"XINQIAO_ALERT_SECRET cannot be used: it {error}.") from None


def _channels(settings: Settings) -> Channels:
    """The channels of notices; raises `SettingsError` at start-up if one cannot be used."""
    found: dict[str, Notifier] = {}
    if settings.smtp_url is not None:
        try:
            found["email"] = Smtp.from_url(
                settings.smtp_url.get_secret_value(), settings.notices_from or ""
            )
        except ValueError as error:
            raise SettingsError(f"XINQIAO_SMTP_URL cannot be used: it {error}.") from None
    elif settings.demo and settings.notices_folder is not None:
        found["email"] = Folder(path=settings.notices_folder)
    if settings.sms_url is not None:
        trouble = address_problem(settings.sms_url, loopback=settings.demo, private=True)
        if trouble is not None or settings.sms_token is None:
            raise SettingsError(
                f"XINQIAO_SMS_URL cannot be used: {trouble or 'XINQIAO_SMS_TOKEN is not set.'}"
            )
        found["sms"] = HttpSms(
            url=settings.sms_url,
            token=settings.sms_token.get_secret_value(),
            loopback=settings.demo,
        )
    return found


def _vault(settings: Settings) -> Vault:
    try:
        return Vault(VaultKeys.parse(settings.vault_keys.read_text()))
    except (OSError, ValueError):  # VaultKeysError, UnicodeDecodeError
        raise SettingsError(
            f"XINQIAO_VAULT_KEYS names {settings.vault_keys}, which cannot be read as a file of vault "
            "keys. Make one with `xinqiao-gateway keys init`."
        ) from None


def _store(settings: Settings) -> LimitStore:
    if settings.redis_url is None:
        return MemoryStore(utc_now)
    return RedisStore(settings.redis_url.get_secret_value())

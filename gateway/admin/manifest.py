"""The YAML file of clients and agreements for `client apply`, read strictly.

An unknown or duplicate key refuses the whole file. A field that the file leaves out is not changed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import orjson
import yaml
from pydantic import Field, ValidationError

from gateway import strict_json, strict_yaml
from gateway.access.http.body import WireModel
from gateway.access.http.invalid_members import invalid_members
from gateway.admin.schemas import CertificateSubjectIn, ClientId, FilingIn, Tags, TermsIn, Text
from gateway.clients.registration import RegistrationError
from gateway.strict_json import StrictJsonError

LARGEST_FILE: Final = 1_000_000
SHOWN_MISTAKES: Final = 5


class DeclaredClient(CertificateSubjectIn):
    """A client in the file. A new one needs the fields that `ClientDetailsIn` requires."""

    kind: Text | None = None
    name_zh: Text | None = None
    name_en: Text | None = None
    scopes: Tags | None = None
    redirect_uris: tuple[Text, ...] | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: Text | None = None
    filing: FilingIn | None = None
    personal_credit_licence: Text | None = None
    contact: Text | None = None
    token_endpoint_auth_method: Text | None = None
    tls_client_certificate_bound_access_tokens: bool | None = None
    state: Literal["active", "suspended", "ended"] | None = None


class Declared(WireModel):
    """The contents of the file."""

    clients: dict[ClientId, DeclaredClient] = Field(default_factory=dict)
    agreements: dict[ClientId, TermsIn] = Field(default_factory=dict)


def read(path: Path) -> Declared:
    """Read the file at `path`; raises `RegistrationError` with a sentence for each mistake."""
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > LARGEST_FILE:
            raise RegistrationError(f"{path} is larger than {LARGEST_FILE} signs.")
        found = _with_key_files(strict_yaml.load(text), path.parent)
        return Declared.model_validate_json(orjson.dumps({} if found is None else found))
    except ValidationError as error:
        raise RegistrationError(f"Mend these in {path}: {mistakes(error)}.") from None
    except OSError as error:
        name = error.filename or path
        raise RegistrationError(f"{name} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise RegistrationError(f"{path} is not YAML as it is read here: {_flat(error)}.") from None
    except TypeError as error:
        raise RegistrationError(f"{path} has a value that no field takes: {error}.") from None


def _with_key_files(found: Any, folder: Path) -> Any:  # whatever YAML gave
    """Replace each `jwks_file` by the JWK set in that file, relative to the manifest."""
    clients = found.get("clients") if isinstance(found, dict) else None
    for client in clients.values() if isinstance(clients, dict) else ():
        name = client.pop("jwks_file", None) if isinstance(client, dict) else None
        if name is None:
            continue
        if "jwks" in client or not isinstance(name, str):
            raise RegistrationError("Give keys once: as jwks, as jwks_file or as jwks_uri.")
        client["jwks"] = key_file(folder / name)
    return found


def key_file(path: Path) -> Mapping[str, Any]:
    """Read a JWK set from a JSON file."""
    try:
        found = strict_json.parse(path.read_bytes())
    except OSError:
        raise RegistrationError(f"{path} cannot be read.") from None
    except StrictJsonError as error:
        raise RegistrationError(f"{path} cannot be read as JSON: {error}.") from None
    if not isinstance(found, dict):
        raise RegistrationError(f"{path} is no JSON object.")
    return found


def mistakes(error: ValidationError) -> str:
    """The members that are wrong and why, without their values."""
    return invalid_members(
        error.errors(include_url=False, include_input=False), most=SHOWN_MISTAKES
    )


def _flat(error: Exception) -> str:
    return " ".join(str(error).split())

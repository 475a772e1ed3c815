"""Agreement approval by two operators; the database enforces append-only history."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.admin import agreement_service, client_service
from gateway.admin.agreement_service import InForce, Proposed
from gateway.admin.audit_log import ActContext, leaf_hash
from gateway.admin.errors import AdminRefusal, RefusalReason
from gateway.admin.operators import Operator
from gateway.admin.schemas import TermsIn
from gateway.clients import registry
from gateway.clients.client_details import change, versions_of
from gateway.clients.filing import COLUMNS
from gateway.clients.registration import Registration
from gateway.clients.terms import Terms, TermsError
from tests.client_builders import make_agreement, make_filing, make_registration, make_set

FANG, QIANG = Operator.at_the_shell("fang"), Operator.at_the_shell("qiang")
DATASETS = ("registration", "penalty", "licence")


def terms(**changes: Any) -> Terms:
    """Terms of an agreement in a file."""
    known = {name: value for name, value in changes.items() if name != "quotas"}
    read = TermsIn.model_validate(
        {
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in make_agreement().items()
                if name not in {"signatures", "valid_from", "valid_until"}
            },
            "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
            "valid_until": datetime(2036, 1, 1, tzinfo=UTC),
            "signatures": {
                side: {"name": "王芳", "role": "处长", "signed_on": datetime(2026, 1, 5).date()}  # noqa: DTZ001  # a day
                for side in ("operator", "client")
            },
        }
    ).to_terms()
    return replace(read, **known)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFixture:
    """Operators acting on one client."""

    engine: AsyncEngine
    client_id: str

    async def do(
        self, verb: Any, operator: Operator = FANG, *, later: timedelta = timedelta(), **given: Any
    ) -> Any:
        """Perform one act in its own transaction."""
        async with self.engine.begin() as connection:
            at = ActContext(
                connection=connection,
                operator=operator,
                now=datetime.now(UTC) + later,
                datasets=DATASETS,
            )
            return await verb(at, **given)

    async def put(self, wanted: Terms, operator: Operator = FANG) -> Any:
        """Put or propose these terms."""
        return await self.do(
            agreement_service.put, operator, client_id=self.client_id, terms=wanted
        )

    async def approve(self, made: Any, operator: Operator = QIANG, **when: timedelta) -> Any:
        """Approve a proposal by its digest."""
        own = made.proposal
        read = {"proposal_id": own.proposal_id, "digest": own.digest}
        return await self.do(agreement_service.approve, operator, **when, **read)

    async def agreed(self, wanted: Terms) -> InForce:
        """These terms, put in force by two operators."""
        put = await self.approve(await self.put(wanted))
        assert isinstance(put, InForce), put
        return put

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        """Execute SQL directly."""
        async with self.engine.begin() as connection:
            found = await connection.execute(text(statement), {"c": self.client_id, **values})
            return list(found.mappings()) if found.returns_rows else []

    async def versions(self) -> list[Any]:
        """Every version of the agreement."""
        async with self.engine.connect() as connection:
            return await versions_of(connection, self.client_id)


@pytest_asyncio.fixture
async def office(engine: AsyncEngine) -> AsyncIterator[OperatorFixture]:
    """A registered bank without an agreement."""
    made = OperatorFixture(engine=engine, client_id=f"bank-{secrets.token_hex(4)}")
    await _register(made)
    yield made


async def _register(office: OperatorFixture, **changes: Any) -> None:
    wanted = make_registration(**changes) | {"client_id": office.client_id}
    wanted["scopes"] = tuple(wanted["scopes"])
    await office.do(client_service.register, registration=Registration(**wanted))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agreement SET datasets = array_append(datasets, 'licence') WHERE client_id = :c",
        "UPDATE agreement SET purposes = '{tender}' WHERE client_id = :c",
        "UPDATE agreement SET questions = '{}' WHERE client_id = :c",
        """UPDATE agreement SET quotas = '{"per_minute": 9999}' WHERE client_id = :c""",
        "UPDATE agreement SET valid_until = valid_until + interval '1 day' WHERE client_id = :c",
        "UPDATE agreement SET version = version + 1 WHERE client_id = :c",
        "UPDATE agreement SET signatures = NULL WHERE client_id = :c",
        "UPDATE agreement SET ended_at = now(), valid_until = now() WHERE client_id = :c",
        "DELETE FROM agreement WHERE client_id = :c",
        "TRUNCATE agreement",
        "UPDATE operator_act SET operator = 'nobody' WHERE client_id = :c",
        "DELETE FROM operator_act WHERE client_id = :c",
        "TRUNCATE operator_act",
        "UPDATE agreement_proposal SET status = 'open' WHERE client_id = :c",
        "UPDATE agreement_proposal SET decided_by = 'shell:else' WHERE client_id = :c",
        "UPDATE agreement_proposal SET document = '{}' WHERE client_id = :c",
        "DELETE FROM agreement_proposal WHERE client_id = :c",
        "TRUNCATE agreement_proposal",
        "DELETE FROM client WHERE client_id = :c",
        "TRUNCATE client",
    ],
)
async def test_agreements_and_acts_are_append_only(office: OperatorFixture, statement: str) -> None:
    """UPDATE and DELETE are refused by the database."""
    await office.agreed(terms())
    before = await office.versions()
    with pytest.raises(DBAPIError):
        await office.sql(statement)
    assert await office.versions() == before


async def test_an_agreement_ends_once(office: OperatorFixture) -> None:
    """Its end can be set once, neither moved nor removed."""
    await office.agreed(terms())
    await office.sql("UPDATE agreement SET ended_at = now() WHERE client_id = :c")
    for later in ("now() + interval '1 day'", "NULL"):
        with pytest.raises(DBAPIError):
            await office.sql(f"UPDATE agreement SET ended_at = {later} WHERE client_id = :c")  # noqa: S608


async def test_an_open_proposal_cannot_be_changed_between_reading_and_approving(
    office: OperatorFixture,
) -> None:
    """Neither its document, its digest nor its proposer."""
    await office.put(terms())
    for changed in ("document = '{}'", r"digest = '\x00'", "proposed_by = 'shell:else'"):
        with pytest.raises(DBAPIError):
            await office.sql(f"UPDATE agreement_proposal SET {changed} WHERE client_id = :c")  # noqa: S608


async def test_the_database_knows_no_approval_by_the_proposer(office: OperatorFixture) -> None:
    """A constraint of the table."""
    await office.put(terms())
    with pytest.raises(DBAPIError):
        await office.sql(
            "UPDATE agreement_proposal SET status = 'approved', decided_by = proposed_by"
            " WHERE client_id = :c"
        )


async def test_a_first_agreement_waits_for_a_second_operator(office: OperatorFixture) -> None:
    """Until then there is no agreement."""
    made = await office.put(terms())
    assert isinstance(made, Proposed)
    assert await office.versions() == []
    assert isinstance(await office.approve(made), InForce)
    (version,) = await office.versions()
    assert version.terms == terms()
    assert version.digest == made.proposal.digest


async def test_the_proposer_cannot_approve(office: OperatorFixture) -> None:
    """Also under another spelling of the same name; the proposal stays open."""
    made = await office.put(terms())
    for same in (FANG, Operator.at_the_shell("FANG"), Operator.with_token("ops-1", "fang")):
        refused = await office.approve(made, operator=same)
        assert isinstance(refused, AdminRefusal)
        assert refused.reason is RefusalReason.SECOND_OPERATOR
    assert isinstance(await office.approve(made), InForce)


async def test_a_narrowing_takes_effect_at_once(office: OperatorFixture) -> None:
    """One operator is enough; older versions stay readable."""
    await office.agreed(terms())
    put = await office.put(terms(datasets=frozenset({"registration"})))
    assert isinstance(put, InForce)
    newest, first = await office.versions()
    assert (newest.version, first.version) == (2, 1)
    assert newest.terms.datasets == {"registration"}


async def test_a_narrowed_agreement_widens_only_by_two_operators(office: OperatorFixture) -> None:
    """Compared with the present version, not with an earlier wider one."""
    await office.agreed(terms())
    await office.put(terms(datasets=frozenset()))
    back = await office.put(terms())
    assert isinstance(back, Proposed)
    assert back.proposal.widens == ("dataset penalty", "dataset registration")


async def test_the_same_terms_again_are_nothing_to_do(office: OperatorFixture) -> None:
    """Neither a new version nor a second proposal."""
    first, again = await office.put(terms()), await office.put(terms())
    assert not again.anew
    assert first.proposal.proposal_id == again.proposal.proposal_id
    await office.approve(first)
    assert await office.put(terms()) == InForce(version=1, digest=first.proposal.digest, anew=False)


async def test_another_digest_approves_nothing(office: OperatorFixture) -> None:
    """The digest must be that of the proposal."""
    made = await office.put(terms())
    wrong = await office.do(
        agreement_service.approve, QIANG, proposal_id=made.proposal.proposal_id, digest=bytes(32)
    )
    assert isinstance(wrong, AdminRefusal)
    assert await office.versions() == []


async def test_a_new_proposal_takes_the_place_of_an_open_one(office: OperatorFixture) -> None:
    """The older proposal is void."""
    older = await office.put(terms())
    newer = await office.put(terms(datasets=frozenset(DATASETS)))
    assert isinstance(await office.approve(older), AdminRefusal)
    assert isinstance(await office.approve(newer), InForce)


async def test_a_proposal_against_a_version_that_changed_is_void(office: OperatorFixture) -> None:
    """Approving it would undo the narrowing in between."""
    await office.agreed(terms())
    wide = await office.put(terms(datasets=frozenset(DATASETS)))
    await office.put(terms(datasets=frozenset()))
    assert isinstance(await office.approve(wide), AdminRefusal)
    assert (await office.versions())[0].terms.datasets == frozenset()


async def test_ending_voids_what_was_proposed(office: OperatorFixture) -> None:
    """An ended agreement does not come back by an old proposal."""
    await office.agreed(terms())
    wide = await office.put(terms(datasets=frozenset(DATASETS)))
    await office.do(agreement_service.end, client_id=office.client_id)
    assert isinstance(await office.approve(wide), AdminRefusal)
    assert isinstance(await office.put(terms(datasets=frozenset())), Proposed)


async def test_a_rejected_proposal_is_decided(office: OperatorFixture) -> None:
    """By the other operator, or withdrawn by its proposer."""
    made = await office.put(terms())
    rejected = await office.do(
        agreement_service.reject, FANG, proposal_id=made.proposal.proposal_id
    )
    assert rejected.status == "rejected"
    assert isinstance(await office.approve(made), AdminRefusal)


async def test_concurrent_approvals_put_one_version(office: OperatorFixture) -> None:
    """The client's row is locked during an act."""
    made = await office.put(terms())
    others = [Operator.at_the_shell(f"op-{n}") for n in range(8)]
    outcomes = await asyncio.gather(*(office.approve(made, by) for by in others))
    assert sum(isinstance(each, InForce) for each in outcomes) == 1
    assert len(await office.versions()) == 1


async def test_narrowing_and_approving_at_once_never_leave_the_wide_one(
    office: OperatorFixture,
) -> None:
    """In either order the later act sees the earlier one."""
    await office.agreed(terms())
    wide = await office.put(terms(datasets=frozenset(DATASETS)))
    approved, narrowed = await asyncio.gather(
        office.approve(wide), office.put(terms(datasets=frozenset()))
    )
    assert isinstance(narrowed, InForce)
    if isinstance(approved, InForce):
        assert narrowed.version > approved.version
    assert (await office.versions())[0].terms.datasets == frozenset()


async def test_an_agency_without_a_licence_cannot_be_proposed_questions_on_a_person(
    engine: AsyncEngine,
) -> None:
    """R13: refused at the proposal; allowed with a licence."""
    personal = terms(questions=frozenset({"legal_representative_id.v1"}))
    for licence in (None, "L-1"):
        agency = OperatorFixture(engine=engine, client_id=f"agency-{secrets.token_hex(4)}")
        await _register(
            agency, kind="agency", filing=make_filing(), personal_credit_licence=licence
        )
        if licence is None:
            with pytest.raises(TermsError, match="licence"):
                await agency.put(personal)
        else:
            await agency.agreed(personal)
            with pytest.raises(TermsError, match="licence"):
                await agency.do(
                    client_service.amend,
                    client_id=agency.client_id,
                    values={"personal_credit_licence": None},
                )


async def test_a_licence_is_registered_before_the_agreement_that_it_widens(
    engine: AsyncEngine,
) -> None:
    """Else one operator would open operators' data to an agency (R13)."""
    agency = OperatorFixture(engine=engine, client_id=f"agency-{secrets.token_hex(4)}")
    await _register(agency, kind="agency", filing=make_filing())
    licence = {"personal_credit_licence": "L-1"}
    await agency.agreed(terms())
    refused = await agency.do(client_service.amend, client_id=agency.client_id, values=licence)
    assert isinstance(refused, AdminRefusal)
    await agency.do(agreement_service.end, client_id=agency.client_id)
    changed = await agency.do(client_service.amend, client_id=agency.client_id, values=licence)
    assert not isinstance(changed, AdminRefusal)


async def test_an_agreement_does_not_outlast_its_clients_filing(engine: AsyncEngine) -> None:
    """R13: up to the end of its last day in Shanghai, and not a second longer."""
    agency = OperatorFixture(engine=engine, client_id=f"agency-{secrets.token_hex(4)}")
    filing = make_filing(valid_until="2035-06-30")
    await _register(agency, kind="agency", filing=filing)
    end = datetime.fromisoformat("2035-07-01T00:00:00+08:00")
    with pytest.raises(TermsError, match="outlast its client's filing"):
        await agency.put(terms(valid_until=end + timedelta(seconds=1)))
    await agency.agreed(terms(valid_until=end))


async def test_an_agency_of_before_is_agreed_with_anew_when_its_filing_is_known(
    engine: AsyncEngine,
) -> None:
    """Its agreement goes on by the number alone, and its other details can be changed."""
    agency = OperatorFixture(engine=engine, client_id=f"agency-{secrets.token_hex(4)}")
    await _register(agency, kind="agency", filing=make_filing())
    await agency.agreed(terms())
    async with engine.begin() as connection:
        unknown = dict.fromkeys(COLUMNS) | {"filing_number": "F-1"}
        await change(connection, agency.client_id, unknown)
        client = await registry.find(connection, agency.client_id)
        assert client is not None
        assert client.agreement_in_force(datetime.now(UTC)) is not None
    with pytest.raises(TermsError, match="whole filing"):
        await agency.put(terms(datasets=frozenset()))
    contact = {"contact": "0571-00000000"}
    await agency.do(client_service.amend, client_id=agency.client_id, values=contact)
    whole = {"filing": make_filing()}
    changed = await agency.do(client_service.amend, client_id=agency.client_id, values=whole)
    assert changed.filing == make_filing()
    assert isinstance(await agency.put(terms(datasets=frozenset())), InForce)


async def test_an_operators_client_can_agree_on_nothing_to_read(engine: AsyncEngine) -> None:
    """Its agreement holds a term and quotas only."""
    ops = OperatorFixture(engine=engine, client_id=f"ops-{secrets.token_hex(4)}")
    await _register(ops, kind="operator", scopes=["admin"])
    with pytest.raises(TermsError, match="reads nothing"):
        await ops.put(terms())
    nothing = terms(purposes=frozenset(), datasets=frozenset(), questions=frozenset())
    await ops.agreed(nothing)


async def test_unknown_datasets_and_missing_signatories_are_refused(
    office: OperatorFixture,
) -> None:
    """Unknown datasets or missing signatories are refused at the proposal."""
    with pytest.raises(TermsError, match="no such dataset"):
        await office.put(terms(datasets=frozenset({"secrets"})))
    with pytest.raises(TermsError, match="signed"):
        await office.put(replace(terms(), signatures=None))


async def test_an_ended_client_does_not_come_back(office: OperatorFixture) -> None:
    """Neither by an act nor by SQL; its agreement has ended with it."""
    await office.agreed(terms())
    await office.do(client_service.set_state, client_id=office.client_id, state="ended")
    for act in (
        office.do(client_service.set_state, client_id=office.client_id, state="active"),
        office.do(client_service.replace_keys, client_id=office.client_id, jwks=make_set("k2")),
        office.put(terms()),
    ):
        assert isinstance(await act, AdminRefusal)
    with pytest.raises(DBAPIError):
        await office.sql("UPDATE client SET state = 'active' WHERE client_id = :c")
    assert (await office.versions())[0].ended_at is not None


async def test_each_act_is_written_with_its_digests_and_its_leaf(office: OperatorFixture) -> None:
    """In order, with the operator, the digests, and a pending log leaf for each."""
    put = await office.agreed(terms())
    await office.do(client_service.set_state, QIANG, client_id=office.client_id, state="suspended")
    await office.do(client_service.set_state, QIANG, client_id=office.client_id, state="suspended")
    acts = await office.sql("SELECT * FROM operator_act WHERE client_id = :c ORDER BY at")
    assert [(each["what"], each["operator"]) for each in acts] == [
        ("client.register", "shell:fang"),
        ("agreement.propose", "shell:fang"),
        ("agreement.approve", "shell:qiang"),
        ("client.suspend", "shell:qiang"),
    ]
    assert acts[2]["after"] == put.digest
    assert acts[3]["before"] == acts[0]["after"] != acts[3]["after"]
    for each in acts:
        row = {name: value for name, value in each.items() if name not in {"salt", "leaf_hash"}}
        assert leaf_hash(row, each["salt"]) == each["leaf_hash"]
        found = await office.sql(
            "SELECT leaf_hash FROM pending_leaf WHERE disclosure_id = :id UNION ALL"
            " SELECT leaf_hash FROM log_entry WHERE disclosure_id = :id",
            id=each["act_id"],
        )
        assert [leaf["leaf_hash"] for leaf in found] == [each["leaf_hash"]]


async def test_a_term_that_is_over_is_not_approved(office: OperatorFixture) -> None:
    """Refused, since it would never be in force."""
    made = await office.put(terms(valid_until=datetime.now(UTC) + timedelta(days=1)))
    assert isinstance(await office.approve(made, later=timedelta(days=2)), AdminRefusal)

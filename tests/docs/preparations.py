"""Surroundings of a documentation page's blocks: a checkout with a demo, and acts of other people."""

import asyncio
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from jwt.algorithms import ECAlgorithm
from pyarrow import parquet

import xinqiao
from gateway.creditfile.objections import lifecycle, service
from gateway.synthetic.demo.enterprise_list import listed
from gateway.synthetic.demo.state import DemoFolder
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor
from tests.docs.pages import ROOT
from tests.docs.runner import EndOfBlock, Runner
from tests.gateway_fixture import SCOPES, Caller, GatewayFixture
from tests.objection_builders import (
    ENTERPRISE,
    make_disputed_record,
    make_fresh_enterprise,
    object_to,
)
from tests.records_builders import deliver, make_penalty
from tests.repair_builders import apply_for_repair
from tests.servers.ports import free_port

USCC: Final = "91330106MAHD08319M"
"""The enterprise of the pages; it has consented to the demo's bank."""
MERCHANTS: Final = 20
OPERATOR: Final = ". .demo/operator.env; export XINQIAO_OPERATOR=fang"
SOURCE: Final = """
export XINQIAO_ISSUER=http://127.0.0.1:8420 XINQIAO_PRIVATE_JWKS=.demo/source.json
export XINQIAO_CLIENT_ID=$(jq -r .clients.source.client_id .demo/kit.json)
jq .clients.source.private_jwks .demo/kit.json > .demo/source.json
"""
TRUSTED_KEYS: Final = "curl -s http://127.0.0.1:8420/.well-known/jwks.json > trusted-keys.json"
OWN_DATABASE: Final = (
    "export XINQIAO_DATABASE_URL=postgresql://xinqiao:…@db.example/xinqiao XINQIAO_OPERATOR=fang"
)
RECORD_ONCE_LOGGED: Final = """
for _ in $(seq 100); do
    xinqiao curl /v1/consents/$(cat consent)/record --kit .demo/kit.json > record.json
    xinqiao verify-consent record.json --keys trusted-keys.json > /dev/null && break
    sleep 0.2
done
"""
"""A consent's record, asked for until the log has its newest events."""
Act = Callable[[Runner], object]


def shell(code: str) -> Act:
    """Commands of somebody else, or what the text around the block says."""
    return lambda runner: runner.shell(code)


@dataclass(slots=True, kw_only=True)
class Page:
    """A checkout with a demo's files, in which each role is a new client.

    `before` are acts before the first block that contains their text.
    """

    gateway: GatewayFixture
    folder: Path
    database: str
    uscc: str = USCC
    before: dict[str, Act] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Caller] = field(default_factory=dict)

    async def prepare(self) -> None:
        """Make the files."""
        for name in ("sdk", "deploy"):
            (self.folder / name).symlink_to(ROOT / name)
        for name in (".demo", "etc", "log", "loans"):
            (self.folder / name).mkdir(mode=0o700)
        self.replaced |= {
            "http://127.0.0.1:8420": self.gateway.issuer,
            "--port 8420": f"--port {free_port()}",
            "postgresql://xinqiao:…@db.example/xinqiao": _shell_url(self.database),
            "/etc/xinqiao": str(self.folder / "etc"),
            "/mnt/xinqiao-log": str(self.folder / "log"),
            "/var/tmp/merged": str(self.folder / "merged"),  # noqa: S108
            "gateway:…@": "gateway:a-password@",
            "wait=30": "wait=1",
            USCC: self.uscc,
        }
        state = DemoFolder(self.gateway.settings.signing_keys.parent)
        state.write_operator(self.gateway.settings)
        (self.folder / ".demo" / "operator.env").symlink_to(state.operator.resolve())
        await self._write_kit()
        self._write_enterprises()

    def _write_enterprises(self) -> None:
        """The demo's list, with few of them."""
        with (self.folder / ".demo" / "enterprises.csv").open("w", encoding="utf-8") as file:
            for _ in listed(self.gateway.entities[:MERCHANTS], file):
                pass

    async def _write_kit(self) -> None:
        kit = json.loads(json.dumps(self.gateway.kit))
        for role, entry in kit["clients"].items():
            caller = self.clients[role] = await self.gateway.client(role)
            key = ECAlgorithm.to_jwk(caller.key, as_dict=True) | {"kid": "k1"}
            entry |= {
                "client_id": caller.client_id,
                "private_jwks": {"keys": [key]},
                "redirect_uris": ["https://bank.test/callback"],
                "scope": " ".join(SCOPES),
            }
        datasets = kit["consents"]["active"]["datasets"]
        await self.gateway.grant(self.clients["bank"], self.uscc, datasets=datasets)
        (self.folder / ".demo" / "kit.json").write_text(json.dumps(kit))


class Readme(Page):
    """The README: its reader has imported the SDK; a record is delivered to a new enterprise."""

    async def prepare(self) -> None:
        """With the name of the enterprise."""
        self.uscc = await make_fresh_enterprise(self.gateway)
        self.names = {"xinqiao": xinqiao, "USCC": self.uscc}
        await super().prepare()


class Bank(Page):
    """A bank's application, with the enterprise at its browser."""

    async def prepare(self) -> None:
        """With the functions that are the bank's own."""
        await super().prepare()
        self.names = {
            "flows": {},
            "session_id": "of-this-browser",
            "last_cursor": None,
            "redirect_to": self._decide,
            "delete": lambda *_: None,
            "stop_using": lambda *_: None,
            "close_credit_line": _leave,
        }
        self.before = {
            "for change in bank.changes(": lambda _: self._withdraw(self.names["grant"].consent_id),
            "loan_files = [": shell(f"{TRUSTED_KEYS}; cp loan-file.json loans"),
        }

    def _decide(self, url: str) -> str:
        async def decide() -> str:
            async with self._person() as person:
                return await person.decide(url, datasets=["registration", "penalty"], questions=[])

        self.names["callback_url"] = asyncio.run(decide())
        return str(self.names["callback_url"])

    def _withdraw(self, consent_id: str) -> None:
        async def withdraw() -> None:
            async with self._person() as person:
                await person.withdraw(consent_id)

        asyncio.run(withdraw())

    def _person(self) -> HeadlessVisitor:
        subject = next(each for each in self.gateway.kit["subjects"] if each["uscc"] == self.uscc)
        return HeadlessVisitor(self.gateway.issuer, subject["login"])


class SdkReadme(Bank):
    """The SDK's README: the functions that it defines are called, too."""

    async def prepare(self) -> None:
        """As a bank's application would call them."""
        await super().prepare()
        self.before = {
            "private-key.json": shell("xinqiao keygen"),
            "def read(": lambda _: self._consent(),
            "def handle(": self._read_and_delete,
            "def read_once(": lambda _: self._follow(),
            'verify_evidence("loan': lambda _: self._read_once(),
            "verify-consent": shell(RECORD_ONCE_LOGGED),
            "verify_report(": lambda _: asyncio.run(write_report(self)),
        }

    def _consent(self) -> str:
        session = dict[str, str]()
        callback = self._decide(self.names["begin"](session))
        consent_id = str(self.names["come_back"](session, callback))
        (self.folder / "consent").write_text(consent_id)
        return consent_id

    def _read_and_delete(self, runner: Runner) -> None:
        runner.shell(TRUSTED_KEYS)
        self.names["read"]((self.folder / "consent").read_text())
        cursor = self.names["client"].changes().cursor
        deleted: list[Any] = []
        self.names["delete_what_is_due"](
            ["page-0.json"], cursor, lambda *which: deleted.append(which)
        )
        assert deleted == []

    def _follow(self) -> None:
        self._withdraw((self.folder / "consent").read_text())
        try:
            self.names["follow"](_leave)
        except EndOfBlock:
            return
        raise AssertionError

    def _read_once(self) -> None:
        self._consent()
        page = self.names["read_once"]("2026-0017", self.uscc)
        assert page == self.names["read_once"]("2026-0017", self.uscc)


class OwnReport(Page):
    """A bank that was handed the report of an enterprise."""

    async def prepare(self) -> None:
        """With the file."""
        await super().prepare()
        await write_report(self)


async def write_report(page: Page) -> None:
    """The PDF of a report that the page's enterprise makes on itself."""
    subject = next(each for each in page.gateway.kit["subjects"] if each["uscc"] == page.uscc)
    async with HeadlessVisitor(page.gateway.issuer, subject["login"]) as person:
        report_id = await person.make_report(
            page.uscc, datasets=["registration", "penalty"], recipient="示例银行"
        )
        pdf = await person.download(f"{page.gateway.issuer}/R/{report_id}/report.pdf")
    (page.folder / "report.pdf").write_bytes(pdf)


class Department(Page):
    """A department's computer, whose registration an operator takes."""

    async def prepare(self) -> None:
        """With its keys and its agreement."""
        self.uscc = await make_fresh_enterprise(self.gateway)
        await super().prepare()
        self.replaced["https://credit.example.gov.cn"] = self.gateway.issuer
        (self.folder / "agreement.json").write_text(
            json.dumps(
                {
                    "purposes": ["public_interest"],
                    "datasets": ["registration", "licence", "penalty"],
                    "valid_from": "2026-01-01T00:00:00+08:00",
                    "valid_until": "2036-01-01T00:00:00+08:00",
                    "signatures": {
                        side: {"name": "王芳", "role": "处长", "signed_on": "2025-12-20"}
                        for side in ("operator", "client")
                    },
                }
            )
        )
        self.before = {
            "client register": shell(f"""{OPERATOR}
                xinqiao keygen --out amr
                mv amr/private-key.json amr.private.json; mv amr/public-jwks.json amr.public.json"""),
            "XINQIAO_PRIVATE_JWKS": shell(
                "XINQIAO_OPERATOR=qiang xinqiao-gateway agreement approve prp_… DIGEST"
            ),
            "xinqiao deliver": self._write_licences,
            "xinqiao-gateway ingest": self._write_deliveries,
        }

    def _write_licences(self, _: Runner) -> None:
        rows = [f"{self.uscc},浙许〔2026〕{number}号,普通,2026-11-02," for number in ("5", "6")]
        header = "统一社会信用代码,行政许可决定文书号,许可类别,许可决定日期,备注"
        text = "\n".join((header, *rows, ""))
        (self.folder / "licences.csv").write_text(text, encoding="utf-8")

    def _write_deliveries(self, _: Runner) -> None:
        licence = {
            "uscc": self.uscc,
            "number": "浙许〔2026〕9号",
            "category": "普通",
            "decided_on": "2026-11-02",
        }
        table = pa.Table.from_pylist([licence])
        parquet.write_table(table, self.folder / "more.parquet")
        rows = [",".join(licence), ",".join(licence.values()).replace("9号", "8号")]
        (self.folder / "licences.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))


class Operator(Page):
    """An operator's shell on the demo."""

    async def prepare(self) -> None:
        """Load the settings before the first command."""
        await super().prepare()
        self.before = {"xinqiao-gateway": shell(OPERATOR)}


class DataQuality(Operator):
    """An operator's shell with the findings of a comparison."""

    async def prepare(self) -> None:
        """Write them."""
        await super().prepare()
        found = "kind,uscc,key,side,field,left,right\nmissing,91330106MAHD08319M,1,信用浙江,,,\n"
        (self.folder / "findings.csv").write_text(found, encoding="utf-8")


class Installation(Page):
    """An operator's shell on an installation of its own, with an empty database."""

    async def prepare(self) -> None:
        """With its address and keys before the first command."""
        await super().prepare()
        self.before = {"xinqiao-gateway": shell(f"{OWN_DATABASE}; xinqiao-gateway keys init etc")}


class Objections(Operator):
    """An operator's shell; an objection waits for its review, and a record for its deletion."""

    async def prepare(self) -> None:
        """Make both."""
        await super().prepare()
        gateway, source = self.gateway, self.clients["source"]
        objection = await object_to(gateway, await make_disputed_record(gateway, source))
        late = gateway.clock()
        async with gateway.runtime.engine.begin() as connection:
            await service.apply_act(
                connection,
                objection.objection_id,
                lambda held, _: lifecycle.ask_for_review(
                    replace(held, due_on=late.date().replace(year=2020)),
                    actor=replace(ENTERPRISE, party=held.uscc),
                    text="逾期未决定。",
                    kinds=gateway.runtime.catalogue.objections,
                    now=late,
                ),
            )
        ended = await make_disputed_record(gateway, source, dataset="abnormal_listing")
        await gateway.rows(
            "UPDATE record SET decided_on = '2015-01-05', removed_on = '2016-01-05'"
            " WHERE record_id = :id",
            id=ended.record_id,
        )
        (self.folder / "reasons.txt").write_text("事实不清，应予更正。")
        self.replaced["obj_…"] = objection.objection_id
        self.before["trusted-keys.json"] = shell(TRUSTED_KEYS)


class Repairs(Page):
    """A department's and an operator's shell; an enterprise has applied for a repair."""

    async def prepare(self) -> None:
        """Make the application."""
        self.uscc = await make_fresh_enterprise(self.gateway)
        await super().prepare()
        penalty = make_penalty(self.gateway, self.uscc, document_number="杭某监罚〔2026〕1号")
        (told,) = await deliver(self.clients["source"], "penalty", penalty)
        await apply_for_repair(self.gateway, self.uscc, told["record_id"])
        (self.folder / "缴款凭证.jpg").write_bytes(b"jpeg")
        self.before = {"xinqiao curl": shell(SOURCE), "xinqiao-gateway": shell(OPERATOR)}


class Backup(Operator):
    """An operator's shell that asks for the size of the log."""

    async def prepare(self) -> None:
        """The log is as large as `log check` says."""
        await super().prepare()
        self.before["--size 23"] = self._read_size

    def _read_size(self, runner: Runner) -> None:
        runner.shell("export SIZE=$(xinqiao-gateway log check | grep -om1 '[0-9]\\+')")
        self.replaced["--size 23"] = "--size $SIZE"


class Comparison(Page):
    """Two deliveries of penalties."""

    async def prepare(self) -> None:
        """Write both."""
        await super().prepare()
        penalty = {
            "uscc": USCC,
            "document_number": "杭某监罚〔2026〕1号",
            "fine": "1.2",
            "decided_on": "2026-03-02",
            "appeal_state": "none",
        }
        with (self.folder / "zhejiang.csv").open("w") as file:
            print(*penalty, "kinds", sep=",", file=file)
            print(*penalty.values(), "罚款", sep=",", file=file)
        table = pa.Table.from_pylist([penalty | {"fine": "1.3", "kinds": ["罚款"]}])
        parquet.write_table(table, self.folder / "publicity.parquet")


class SignIn(Page):
    """An operator's shell with the settings of a sign-in, of which the page explains one first."""

    async def prepare(self) -> None:
        """With those that belong together."""
        await super().prepare()
        self.before = {
            "XINQIAO_IDENTITY_DELEGATE_ROLES": shell(
                "export XINQIAO_IDENTITY_ISSUER=https://id.example.gov.cn/realms/enterprises"
                " XINQIAO_IDENTITY_CLIENT_ID=xinqiao XINQIAO_IDENTITY_CLAIM=enterprises"
                " XINQIAO_IDENTITY_CLIENT_KEY=/etc/xinqiao/identity-key.json"
            )
        }


def _leave(*_: object) -> None:
    raise EndOfBlock


def _shell_url(url: str) -> str:
    return "'" + url.replace("postgresql+asyncpg:", "postgresql:", 1) + "'"


PREPARATIONS: Final[Mapping[str, type[Page]]] = {
    "README.md": Readme,
    "sdk/README.md": SdkReadme,
    "docs/integrate/bank.md": Bank,
    "docs/integrate/own-report.md": OwnReport,
    "docs/operate/anomalies.md": Operator,
    "docs/operate/backup.md": Backup,
    "docs/operate/catalogue.md": Installation,
    "docs/operate/client-certificates.md": Installation,
    "docs/operate/comparison.md": Comparison,
    "docs/operate/data-quality.md": DataQuality,
    "docs/operate/delivering-records.md": Department,
    "docs/operate/objections.md": Objections,
    "docs/operate/personal-keys.md": Installation,
    "docs/operate/repairs.md": Repairs,
    "docs/operate/sign-in.md": SignIn,
}

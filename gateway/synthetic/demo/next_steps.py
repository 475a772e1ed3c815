"""Hints printed after the demo tour: addresses, a login, an enterprise code, SDK lines."""

import io
from datetime import UTC, datetime

import qrcode
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from gateway.data_quality.month import Month
from gateway.synthetic.demo.seed import Kit
from gateway.synthetic.demo.state import DemoFolder

SDK = """\
from xinqiao import Client
bank = Client.from_kit("{kit}", "bank")
print(bank.query("{uscc}", purpose="{purpose}", datasets=["registration"]).records)"""


def print_next_steps(kit: Kit, folder: DemoFolder, console: Console) -> None:
    """Print the hints."""
    subject = next(s for s in kit["subjects"] if "disputed" in s["traits"])
    active = kit["consents"]["active"]
    login = subject["login"]
    month = Month.at(datetime.now(UTC))
    places = Table.grid(padding=(0, 2))
    places.add_column()
    places.add_column(overflow="fold")  # of an address nothing is cut
    places.add_row("[bold]Portal 企业门户[/]", f"{kit['issuer']}/portal")
    places.add_row(
        "", f"sign in as [bold]{login['username']}[/], password [bold]{login['password']}[/]"
    )
    places.add_row("[bold]Report 信用报告[/]", "there, under 信用报告 Reports")
    places.add_row("[bold]Code 企业码[/]", subject["code_url"])
    places.add_row("[bold]API[/]", f"{kit['issuer']}/docs")
    places.add_row("[bold]Operator[/]", f". {folder.operator}; xinqiao-gateway client list")
    bulletin = f"xinqiao-gateway quality bulletin --month {month.previous} --out ."
    places.add_row("[bold]Bulletin 数据质量[/]", bulletin)
    places.add_row("[bold]Everybody else[/]", str(folder.kit))
    if folder.enterprises.exists():  # a demo of an earlier version has none
        places.add_row("[bold]Enterprises 名录[/]", str(folder.enterprises))
    console.print(Panel.fit(places, title="Try next · 接下来", border_style="cyan"))
    console.print("[bold]Python[/] (in .venv/bin/python)", highlight=False)
    sdk = SDK.format(kit=folder.kit, **active)
    console.print(sdk, markup=False, highlight=False, soft_wrap=True)
    console.print(_symbol(subject["code_url"]), markup=False, highlight=False)
    console.print("Serving. Ctrl-C stops. 按 Ctrl-C 停止。", highlight=False)


def _symbol(address: str) -> str:
    """A QR symbol in ASCII; upper case keeps it small."""
    code = qrcode.QRCode(border=2)
    code.add_data(address.upper())
    drawn = io.StringIO()
    code.print_ascii(out=drawn, invert=True)
    return drawn.getvalue()

"""Sign names and labels: real ones pass; verdicts, lures, addresses and what is not seen do not."""

from datetime import date

import pytest

from gateway.codes.sign_text import TextProblem, parse_label, parse_sign_name

TODAY = date(2026, 11, 29)
REAL = [
    "杭州云栖数据科技有限公司",
    "信用社",
    "西湖信用合作社",
    "翠微信用社",
    "政府路小吃",
    "市政府店",
    "张记·老面馆",
    "A&B咖啡",
    "McDonald's",
    "7-11便利店(南门)",
    "麦香+茶",
    "光合×作用",
    "98°C咖啡",
    "No.1面馆",
    "Dr.Wang牙科",
    "时光记录摄影馆",
    "李记录音棚",
    "云微信息技术有限公司",
    "小米官方旗舰店",
    "华为官方授权体验店",
    "中质认证咨询有限公司",
    "QQ糖果屋",
    "东方红包装厂",
    "小红包子铺",
    "诚信粮油",
    "守信五金",
    "清扫服务部",
    "嘉微电子",
    "Phở",
    "Hà",
    "Nội",
    "百货。",
    "㐂多寿司",
    "Café",
    "Ŗoyal",
    "征信路饺子馆",
    "公司食堂",
    "扫码科技",
    "收银台",
]


@pytest.mark.parametrize("name", REAL)
def test_real_signs_pass(name: str) -> None:
    """Also those that have a word of the lures inside another."""
    assert parse_sign_name(name, today=TODAY) == name


@pytest.mark.parametrize(
    "name",
    [
        "截至今日未查询到在公示期内的不良记录",
        "政府认证诚信店·无违法记录",
        "政府認證誠信店",
        "12315 官方",
        "１２３１５投诉",
        "官 · 方 认 证",
        "www.fake-12315.com 扫我付款",
        "fake。com扫",
        "FAKE．ＣＮ",
        "https://x",
        "加微信abc领红包",
        "加V信",
        "客服微信",
        "QQ群 123",
        "扫码付款",
        "信用良好",
        "Verified shop",
    ],
)
def test_a_verdict_a_lure_and_an_address_are_refused(name: str) -> None:
    """In any width, with blanks and points between, in traditional characters; as a label too."""
    assert parse_sign_name(name, today=TODAY) is TextProblem.CLAIM
    assert parse_label(name[:20], today=TODAY) is TextProblem.CLAIM


@pytest.mark.parametrize(
    "name",
    [
        "✓ 云栖小店",
        "✅云栖小店",
        "√云栖小店",
        "云栖小店😀",
        "\u3164",
        "店\u3164",
        "\u2800",
        "店\uffa0",
        "店\ufe0f",
        "店" + "\u0336" * 3,
        "店" + "\u0336" * 39,
        "店\u0378",
        "店\ue000",
        "云\u202e栖",
    ],
)
def test_symbols_and_what_is_not_seen_are_refused(name: str) -> None:
    """Ticks, emoji, fillers, piles of marks, code points without a character."""
    assert parse_sign_name(name, today=TODAY) is TextProblem.CHARACTERS

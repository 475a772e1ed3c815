"""Keywords beside a number that tell its kind, in folded form."""

from typing import Final

_IDENTITY: Final = (
    "身份证|身份證|身分证|身分證|公民身份|居民身份|居民证|居民證|证件号|證件號|证件编号|证件代码|居住证|居住證"
    "|居留许可|居留证|居留|永居|驾驶证|驾照|社会保障号|社保号|旅行证|旅行證|护照|護照|通行证|通行證|回乡证|回鄉證"
    "|台胞证|台胞證|臺胞證|海员证|警官证|警察证|学员证|优待证|军官证|軍官證|士兵证|士兵證|士官证|军人证"
    "|文职干部证|文职人员证|代证|回乡卡|入台证|身份号"
    "|ID CARD|IDCARD|ID NO|ID NUMBER|IDENTITY CARD|IDENTITY|PASSPORT"
)
"""Personal documents."""
_PHONE: Final = (
    "电话|電話|手机|手機|联系|聯繫|聯系|联络|聯絡|座机|座機|固话|传真|傳真|致电|致電|来电|來電|去电|拨打|撥打"
    "|热线|短信|小灵通|TELEPHONE|TEL|PHONE|MOBILE|MOB|CELLPHONE|CELL|FAX|CONTACT|CALL"
)
_SERIAL: Final = (
    "批号|批號|批次|条码|條碼|条形码|商品码|货号|案号|案號|单号|單號|订单|訂單|合同|发票|流水|序列|车架|发动机号"
    "|注册号|登记号|许可证|許可證|执照|LOT|BATCH|BARCODE|EAN|UPC|SN|SERIAL|ORDER|INVOICE"
)
_DATED: Final = (
    "编号|編號|编码|代码|期号|型号|规格|文号|字号|证号|字第|项目|标准|版本|批|生产|保质期|有效期|日期|时间"
    "|NO|NUMBER|CODE|DATE|MODEL"
)
_MONEY: Final = "金额|货值|资本|总额|数额|价款|罚款|没收|所得|人民币|RMB|CNY|USD|EUR|HKD"
_NOT_BEHIND: Final = {
    "证件号": "可照证",
    "代证": "替",
    "通行证": "车辆输路区",
    "通行證": "車輛輸路區",
}
"""Prefixes after which a keyword means a licence or a vehicle's pass."""


def _pattern(words: str) -> str:
    """A pattern of these words; a Latin one stands by itself."""
    return "|".join(
        rf"(?<![A-Z]){each}(?![A-Z])"
        if each.isascii()
        else (f"(?<![{_NOT_BEHIND[each]}])" if each in _NOT_BEHIND else "") + each
        for each in words.split("|")
    )


IDENTITY: Final = _pattern(_IDENTITY)
PHONE: Final = _pattern(_PHONE)
SERIAL: Final = _pattern(_SERIAL)
"""Serial numbers of lots, articles, cases, licences."""
DATED: Final = _pattern(f"{_SERIAL}|{_DATED}")
"""Numbers that may hold or be a date."""
MONEY: Final = _pattern(_MONEY) + r"|\$"
CLUES: Final = (*_IDENTITY.split("|"), *_PHONE.split("|"))
"""Keywords beside which a number of any form is personal."""
UNIT: Final = (
    "元(?![旦月])|圆整|[千万亿]元|百万元|十万元|[万亿]?(?:美元|美金|欧元|日元|港元|港币|英镑)|人民币"
    "|公斤|千克|吨|平方米|立方米|%|(?:RMB|CNY|USD|EUR|HKD|YUAN|KG)(?![A-Z])"
)
"""Units of amounts."""
BESIDE: Final = (
    r"(?:[ \n\-.,、/:;~*#+()]|号码|號碼|[号號码]|编号|编码|代码|证件|证书|证|[为為是系]|NO|NUMBER"
    "|\\([^0-9()\\0\ufffc]{1,10}\\))"
)
"""Text between a keyword and its number."""

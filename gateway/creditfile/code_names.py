"""Names of coded values of the registration: entity types, industries, currencies, divisions.

Sources: the registration authority's entity type codes (市场主体类型代码), the sections and divisions of
GB/T 4754-2017, ISO 4217. A code without a name stays as it is.
"""

import re
from typing import Final

from gateway.creditfile.divisions import division_label
from gateway.pages.i18n import Translated

_ENTITY_TYPES: Final = {
    "1100": ("有限责任公司", "Limited liability company"),
    "1110": ("有限责任公司（国有独资）", "Limited liability company, wholly state-owned"),
    "1120": (
        "有限责任公司（外商投资企业投资）",
        "Limited liability company, foreign-invested parent",
    ),
    "1130": (
        "有限责任公司（自然人投资或控股）",
        "Limited liability company held by natural persons",
    ),
    "1140": ("有限责任公司（国有控股）", "Limited liability company, state-controlled"),
    "1150": ("一人有限责任公司", "One-person limited liability company"),
    "1151": ("有限责任公司（自然人独资）", "Limited liability company, sole natural person"),
    "1152": (
        "有限责任公司（自然人投资或控股的法人独资）",
        "Limited liability company, sole shareholder held by natural persons",
    ),
    "1153": (
        "有限责任公司（非自然人投资或控股的法人独资）",
        "Limited liability company, sole corporate shareholder",
    ),
    "1190": ("其他有限责任公司", "Other limited liability company"),
    "1200": ("股份有限公司", "Joint-stock company"),
    "1210": ("股份有限公司（上市）", "Joint-stock company, listed"),
    "1219": ("其他股份有限公司（上市）", "Other joint-stock company, listed"),
    "1220": ("股份有限公司（非上市）", "Joint-stock company, unlisted"),
    "1222": (
        "股份有限公司（非上市、自然人投资或控股）",
        "Joint-stock company, unlisted, held by natural persons",
    ),
    "1223": ("股份有限公司（非上市、国有控股）", "Joint-stock company, unlisted, state-controlled"),
    "1229": ("其他股份有限公司（非上市）", "Other joint-stock company, unlisted"),
    "3100": ("全民所有制", "State-owned enterprise"),
    "3200": ("集体所有制", "Collectively owned enterprise"),
    "3400": ("股份合作制", "Joint-stock cooperative enterprise"),
    "4500": ("合伙企业", "Partnership"),
    "4530": ("合伙企业", "Partnership"),
    "4531": ("普通合伙企业", "General partnership"),
    "4532": ("特殊普通合伙企业", "Special general partnership"),
    "4533": ("有限合伙企业", "Limited partnership"),
    "4540": ("个人独资企业", "Sole proprietorship"),
    "9100": ("农民专业合作社", "Farmers’ cooperative"),
    "9500": ("个体工商户", "Individual business"),
}
_CURRENCIES: Final = {
    "CNY": ("人民币", "Renminbi"),
    "USD": ("美元", "US dollar"),
    "EUR": ("欧元", "Euro"),
    "HKD": ("港元", "Hong Kong dollar"),
    "MOP": ("澳门元", "Macao pataca"),
    "TWD": ("新台币", "New Taiwan dollar"),
    "JPY": ("日元", "Japanese yen"),
    "GBP": ("英镑", "Pound sterling"),
    "SGD": ("新加坡元", "Singapore dollar"),
    "AUD": ("澳大利亚元", "Australian dollar"),
    "CAD": ("加拿大元", "Canadian dollar"),
    "CHF": ("瑞士法郎", "Swiss franc"),
    "KRW": ("韩元", "South Korean won"),
}
_SECTIONS: Final = {
    "A": ("农、林、牧、渔业", "Agriculture, forestry and fishing"),
    "B": ("采矿业", "Mining"),
    "C": ("制造业", "Manufacturing"),
    "D": ("电力、热力、燃气及水生产和供应业", "Electricity, heat, gas and water supply"),
    "E": ("建筑业", "Construction"),
    "F": ("批发和零售业", "Wholesale and retail trade"),
    "G": ("交通运输、仓储和邮政业", "Transport, storage and postal services"),
    "H": ("住宿和餐饮业", "Accommodation and catering"),
    "I": ("信息传输、软件和信息技术服务业", "Information, software and IT services"),
    "J": ("金融业", "Finance"),
    "K": ("房地产业", "Real estate"),
    "L": ("租赁和商务服务业", "Leasing and business services"),
    "M": ("科学研究和技术服务业", "Research and technical services"),
    "N": ("水利、环境和公共设施管理业", "Water, environment and public facilities"),
    "O": ("居民服务、修理和其他服务业", "Household services, repair and other services"),
    "P": ("教育", "Education"),
    "Q": ("卫生和社会工作", "Health and social work"),
    "R": ("文化、体育和娱乐业", "Culture, sports and entertainment"),
    "S": ("公共管理、社会保障和社会组织", "Public administration and social organisations"),
    "T": ("国际组织", "International organisations"),
}
_INDUSTRY_DIVISIONS: Final = """
01农业 02林业 03畜牧业 04渔业 05农、林、牧、渔专业及辅助性活动 06煤炭开采和洗选业 07石油和天然气开采业
08黑色金属矿采选业 09有色金属矿采选业 10非金属矿采选业 11开采专业及辅助性活动 12其他采矿业 13农副食品加工业
14食品制造业 15酒、饮料和精制茶制造业 16烟草制品业 17纺织业 18纺织服装、服饰业
19皮革、毛皮、羽毛及其制品和制鞋业 20木材加工和木、竹、藤、棕、草制品业 21家具制造业 22造纸和纸制品业
23印刷和记录媒介复制业 24文教、工美、体育和娱乐用品制造业 25石油、煤炭及其他燃料加工业
26化学原料和化学制品制造业 27医药制造业 28化学纤维制造业 29橡胶和塑料制品业 30非金属矿物制品业
31黑色金属冶炼和压延加工业 32有色金属冶炼和压延加工业 33金属制品业 34通用设备制造业 35专用设备制造业
36汽车制造业 37铁路、船舶、航空航天和其他运输设备制造业 38电气机械和器材制造业
39计算机、通信和其他电子设备制造业 40仪器仪表制造业 41其他制造业 42废弃资源综合利用业
43金属制品、机械和设备修理业 44电力、热力生产和供应业 45燃气生产和供应业 46水的生产和供应业 47房屋建筑业
48土木工程建筑业 49建筑安装业 50建筑装饰、装修和其他建筑业 51批发业 52零售业 53铁路运输业 54道路运输业
55水上运输业 56航空运输业 57管道运输业 58多式联运和运输代理业 59装卸搬运和仓储业 60邮政业 61住宿业 62餐饮业
63电信、广播电视和卫星传输服务 64互联网和相关服务 65软件和信息技术服务业 66货币金融服务 67资本市场服务
68保险业 69其他金融业 70房地产业 71租赁业 72商务服务业 73研究和试验发展 74专业技术服务业
75科技推广和应用服务业 76水利管理业 77生态保护和环境治理业 78公共设施管理业 79土地管理业 80居民服务业
81机动车、电子产品和日用产品修理业 82其他服务业 83教育 84卫生 85社会工作 86新闻和出版业
87广播、电视、电影和录音制作业 88文化艺术业 89体育 90娱乐业 91中国共产党机关 92国家机构 93人民政协、民主党派
94社会保障 95群众团体、社会团体和其他成员组织 96基层群众自治组织及其他组织 97国际组织
"""
_DIVISION_NAMES: Final = {each[:2]: each[2:] for each in _INDUSTRY_DIVISIONS.split()}
_INDUSTRY_CODE: Final = re.compile(r"([A-T])(\d{2})?\d{0,2}")


CODED_FIELDS: Final = frozenset(
    {"entity_type", "currency", "division", "industry", "scope_industries"}
)
"""Fields of the registration whose values are codes."""


def code_name(field: str, value: str) -> Translated:
    """The name of a coded value of a field of the registration; the value itself if it has none."""
    match field:
        case "entity_type":
            return _named(_ENTITY_TYPES, value)
        case "currency":
            return _named(_CURRENCIES, value)
        case "division":
            return division_label(value)
        case "industry" | "scope_industries":
            return industry_name(value)
        case _:
            return Translated(value, value)


def industry_name(code: str) -> Translated:
    """The division or section of an industry code of GB/T 4754, followed by the code."""
    found = _INDUSTRY_CODE.fullmatch(code)
    if found is None:
        return Translated(code, code)
    zh, en = _SECTIONS[found[1]]
    zh = _DIVISION_NAMES.get(found[2] or "", zh)
    return Translated(f"{zh}（行业代码 {code}）", f"{en} (industry code {code})")


def _named(table: dict[str, tuple[str, str]], value: str) -> Translated:
    return Translated(*table.get(value, (value, value)))

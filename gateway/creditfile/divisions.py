"""Administrative divisions of Zhejiang (counties) by GB/T 2260 code, 2023, with romanised names."""

from typing import Final

from gateway.pages.i18n import Translated

CITIES: Final = {
    "3301 杭州市": """02上城区 05拱墅区 06西湖区 08滨江区 09萧山区 10余杭区 11富阳区 12临安区
                     13临平区 14钱塘区 22桐庐县 27淳安县 82建德市""",
    "3302 宁波市": """03海曙区 05江北区 06北仑区 11镇海区 12鄞州区 13奉化区 25象山县 26宁海县
                     81余姚市 82慈溪市""",
    "3303 温州市": """02鹿城区 03龙湾区 04瓯海区 05洞头区 24永嘉县 26平阳县 27苍南县 28文成县
                     29泰顺县 81瑞安市 82乐清市 83龙港市""",
    "3304 嘉兴市": "02南湖区 11秀洲区 21嘉善县 24海盐县 81海宁市 82平湖市 83桐乡市",
    "3305 湖州市": "02吴兴区 03南浔区 21德清县 22长兴县 23安吉县",
    "3306 绍兴市": "02越城区 03柯桥区 04上虞区 24新昌县 81诸暨市 83嵊州市",
    "3307 金华市": """02婺城区 03金东区 23武义县 26浦江县 27磐安县 81兰溪市 82义乌市 83东阳市
                     84永康市""",
    "3308 衢州市": "02柯城区 03衢江区 22常山县 24开化县 25龙游县 81江山市",
    "3309 舟山市": "02定海区 03普陀区 21岱山县 22嵊泗县",
    "3310 台州市": """02椒江区 03黄岩区 04路桥区 22三门县 23天台县 24仙居县 81温岭市 82临海市
                     83玉环市""",
    "3311 丽水市": """02莲都区 21青田县 22缙云县 23遂昌县 24松阳县 25云和县 26庆元县
                     27景宁畲族自治县 81龙泉市""",
}

ROMANISED: Final = {
    "3301 Hangzhou": """02 Shangcheng 05 Gongshu 06 Xihu 08 Binjiang 09 Xiaoshan 10 Yuhang 11
        Fuyang 12 Lin'an 13 Linping 14 Qiantang 22 Tonglu 27 Chun'an 82 Jiande""",
    "3302 Ningbo": """03 Haishu 05 Jiangbei 06 Beilun 11 Zhenhai 12 Yinzhou 13 Fenghua 25
        Xiangshan 26 Ninghai 81 Yuyao 82 Cixi""",
    "3303 Wenzhou": """02 Lucheng 03 Longwan 04 Ouhai 05 Dongtou 24 Yongjia 26 Pingyang 27
        Cangnan 28 Wencheng 29 Taishun 81 Rui'an 82 Yueqing 83 Longgang""",
    "3304 Jiaxing": """02 Nanhu 11 Xiuzhou 21 Jiashan 24 Haiyan 81 Haining 82 Pinghu 83 Tongxiang""",
    "3305 Huzhou": """02 Wuxing 03 Nanxun 21 Deqing 22 Changxing 23 Anji""",
    "3306 Shaoxing": """02 Yuecheng 03 Keqiao 04 Shangyu 24 Xinchang 81 Zhuji 83 Shengzhou""",
    "3307 Jinhua": """02 Wucheng 03 Jindong 23 Wuyi 26 Pujiang 27 Pan'an 81 Lanxi 82 Yiwu 83
        Dongyang 84 Yongkang""",
    "3308 Quzhou": """02 Kecheng 03 Qujiang 22 Changshan 24 Kaihua 25 Longyou 81 Jiangshan""",
    "3309 Zhoushan": """02 Dinghai 03 Putuo 21 Daishan 22 Shengsi""",
    "3310 Taizhou": """02 Jiaojiang 03 Huangyan 04 Luqiao 22 Sanmen 23 Tiantai 24 Xianju 81
        Wenling 82 Linhai 83 Yuhuan""",
    "3311 Lishui": """02 Liandu 21 Qingtian 22 Jinyun 23 Suichang 24 Songyang 25 Yunhe 26
        Qingyuan 27 Jingning 81 Longquan""",
}


def _names() -> dict[str, Translated]:
    """Names of the counties by code: 杭州市西湖区; Xihu, Hangzhou."""
    romanised = {
        city[:4] + number: f"{name}, {city[5:]}"
        for city, counties in ROMANISED.items()
        for number, name in zip(*[iter(counties.split())] * 2, strict=True)
    }
    return {
        code: Translated(f"{city[5:]}{county[2:]}", romanised[code])
        for city, counties in CITIES.items()
        for county in counties.split()
        if (code := city[:4] + county[:2])
    }


DIVISIONS: Final = _names()


def division_label(code: str) -> Translated:
    """Name of a division; the code itself if it is unknown."""
    return DIVISIONS.get(code, Translated(code, code))

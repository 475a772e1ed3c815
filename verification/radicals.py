"""CJK radicals and strokes mapped to ideographs: Unicode's Equivalent_Unified_Ideograph.

Fonts and PDF files write a radical in place of the ideograph (⻰ for 龙). Source: Unicode 15.0.0,
`EquivalentUnifiedIdeograph.txt`, without the Kangxi radicals (U+2F00 to U+2FD5), which NFKC maps the
same way. Radicals without an equivalent stay as they are.
"""

from typing import Final

_PAIRS: Final = (
    "⺁厂⺂乛⺃乚⺄乙⺅亻⺆冂⺇\U00020628⺈刀⺉刂⺊卜⺋㔾⺌小⺍小⺎兀⺏尣⺐尢⺑\U00021bc2⺒巳⺓幺"
    "⺔彑⺕\U0002b739⺖忄⺗心⺘扌⺙攵⺛旡⺜日⺝月⺞歺⺟母⺠民⺡氵⺢氺⺣灬⺤爫⺥爫⺦丬⺧牛⺨犭⺩王"
    "⺪\U00024d14⺫目⺬示⺭礻⺮\U00025ad7⺯糹⺰纟⺱罓⺲罒⺳㓁⺴冗⺵\U0002626b⺶羊⺷\U0002634c"
    "⺸\U0002634b⺹耂⺺肀⺻聿⺼肉⺽\U00026951⺾艹⺿艹⻀艹⻁虎⻂衤⻃覀⻄西⻅见⻆角⻇\U000278b2⻈讠"
    "⻉贝⻊\U00027fb7⻋车⻌辶⻍辶⻎辶⻏邑⻐钅⻑長⻒镸⻓长⻔门⻕\U00028e0f⻖阝⻗雨⻘青⻙韦⻚页⻛风"
    "⻜飞⻝食⻞\U0002967f⻟飠⻠饣⻡\U00029810⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿"
    "⻯竜⻰龙⻱龜⻲亀⻳龟㇆\U000200cc㇏乀㇐一㇑丨㇒丿㇓丿㇔丶㇕\U000200cd㇖乛㇗\U000200ca"
    "㇘\U000200ce㇙\U0002010c㇚亅㇛\U00021fe8㇜\U000200cb㇝乀㇞\U000200d1㇟乚㇠乙㇡\U0002010e"
)

EQUIVALENT: Final[dict[int, str]] = {
    ord(radical): ideograph for radical, ideograph in zip(_PAIRS[::2], _PAIRS[1::2], strict=True)
}
"""Radical → ideograph; the shape that `str.translate` takes."""

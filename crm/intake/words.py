"""Words of few: sexes, regions, countries, currencies, yes and no -> one way of writing each; others stay."""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from crm.intake.texts import each_once

SEXES: Final = {
    **dict.fromkeys(("m", "male", "man", "boy", "mr", "男", "男性", "男士", "先生"), "m"),
    **dict.fromkeys(("f", "female", "woman", "girl", "ms", "mrs", "miss", "女", "女性", "女士", "小姐", "太太"), "f"),
}
BOOLEANS: Final = {
    **dict.fromkeys(("1", "y", "yes", "true", "t", "on", "granted", "agreed", "optin", "subscribed"), "true"),
    **dict.fromkeys(("是", "有", "真", "对", "√", "同意", "已同意", "订阅", "已订阅", "授权", "允许"), "true"),
    **dict.fromkeys(("0", "n", "no", "false", "f", "off", "withdrawn", "refused", "optout", "unsubscribed"), "false"),
    **dict.fromkeys(("否", "无", "假", "不", "×", "不同意", "拒绝", "退订", "已退订", "撤回", "撤销", "禁止"), "false"),
}
CURRENCIES: Final = {
    **dict.fromkeys(("人民币", "元", "人民币元", "rmb", "cny", "yuan"), "CNY"),
    **dict.fromkeys(("美元", "美金", "usd", "us$", "$", "dollar", "usdollar"), "USD"),
    **dict.fromkeys(("欧元", "eur", "euro", "€"), "EUR"),
    **dict.fromkeys(("英镑", "gbp", "£", "pound"), "GBP"),
    **dict.fromkeys(("日元", "日圆", "jpy", "yen"), "JPY"),
    **dict.fromkeys(("港币", "港元", "hkd", "hk$"), "HKD"),
    **dict.fromkeys(("新台币", "台币", "twd", "nt$"), "TWD"),
}
CHANNELS: Final = {
    **dict.fromkeys(("邮件", "电子邮件", "邮箱", "电子邮箱"), "email"),
    **dict.fromkeys(("text", "texts", "textmessage", "textmessages", "短信", "手机短信"), "sms"),
    **dict.fromkeys(("call", "calls", "telephone", "电话"), "phone"),
    **dict.fromkeys(("weixin", "微信"), "wechat"),
    **dict.fromkeys(("letter", "letters", "信件", "邮寄"), "post"),
    **dict.fromkeys(("any", "every", "全部", "所有", "全部渠道", "所有渠道"), "all"),
}
"""Ways to reach a customer: a withdrawal in another writing must reach the consent that it is about."""

_PROVINCES: Final = """
北京 BJ Beijing|天津 TJ Tianjin|河北 HE Hebei|山西 SX Shanxi|内蒙古 NM InnerMongolia,NeiMongol,Neimenggu
辽宁 LN Liaoning|吉林 JL Jilin|黑龙江 HL Heilongjiang|上海 SH Shanghai|江苏 JS Jiangsu|浙江 ZJ Zhejiang|安徽 AH Anhui
福建 FJ Fujian|江西 JX Jiangxi|山东 SD Shandong|河南 HA Henan|湖北 HB Hubei|湖南 HN Hunan|广东 GD Guangdong,Canton
广西 GX Guangxi,GuangxiZhuang|海南 HI Hainan|重庆 CQ Chongqing|四川 SC Sichuan|贵州 GZ Guizhou|云南 YN Yunnan
西藏 XZ Xizang,Tibet|陕西 SN Shaanxi|甘肃 GS Gansu|青海 QH Qinghai|宁夏 NX Ningxia,NingxiaHui
新疆 XJ Xinjiang,XinjiangUygur,XinjiangUyghur|台湾 TW Taiwan|香港 HK HongKong|澳门 MO Macau,Macao
"""
"""Provinces of China (GB/T 2260): the short name, the letters, names in other letters."""

_CHINESE_ENDS: Final = ("", "省", "市", "自治区", "壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区")
_LATIN_ENDS: Final = ("", "province", "sheng", "shi", "city", "municipality", "autonomousregion", "sar")
_TRADITIONAL: Final = {"廣東": "广东", "廣西": "广西", "臺灣": "台湾", "台灣": "台湾", "澳門": "澳门"}

_COUNTRIES: Final = """
CN 中国 China,中华人民共和国,中国大陆,PRC,CHN,PeoplesRepublicofChina,MainlandChina
HK 香港 HongKong,中国香港,HKG,HongKongSAR|MO 澳门 Macau,Macao,中国澳门,MAC|TW 台湾 Taiwan,中国台湾,TWN
US 美国 UnitedStates,USA,UnitedStatesofAmerica,America,美利坚合众国
GB 英国 UnitedKingdom,UK,GBR,GreatBritain,England,Scotland,Wales|JP 日本 Japan,JPN
KR 韩国 SouthKorea,Korea,KOR,RepublicofKorea,大韩民国|KP 朝鲜 NorthKorea,PRK|SG 新加坡 Singapore,SGP
MY 马来西亚 Malaysia,MYS|TH 泰国 Thailand,THA|VN 越南 Vietnam,VietNam,VNM|ID 印度尼西亚 Indonesia,印尼,IDN
PH 菲律宾 Philippines,PHL|IN 印度 India,IND|PK 巴基斯坦 Pakistan,PAK|BD 孟加拉国 Bangladesh,孟加拉,BGD
MM 缅甸 Myanmar,Burma,MMR|KH 柬埔寨 Cambodia,KHM|LA 老挝 Laos,LAO|MN 蒙古 Mongolia,蒙古国,MNG
KZ 哈萨克斯坦 Kazakhstan,KAZ|AU 澳大利亚 Australia,澳洲,AUS|NZ 新西兰 NewZealand,NZL|CA 加拿大 Canada,CAN
MX 墨西哥 Mexico,MEX|BR 巴西 Brazil,Brasil,BRA|AR 阿根廷 Argentina,ARG|CL 智利 Chile,CHL|CO 哥伦比亚 Colombia,COL
PE 秘鲁 Peru,PER|DE 德国 Germany,Deutschland,DEU|FR 法国 France,FRA|IT 意大利 Italy,Italia,ITA
ES 西班牙 Spain,España,ESP|PT 葡萄牙 Portugal,PRT|NL 荷兰 Netherlands,Holland,NLD|BE 比利时 Belgium,BEL
LU 卢森堡 Luxembourg,LUX|CH 瑞士 Switzerland,Schweiz,CHE|AT 奥地利 Austria,Österreich,AUT|IE 爱尔兰 Ireland,IRL
SE 瑞典 Sweden,SWE|NO 挪威 Norway,NOR|DK 丹麦 Denmark,DNK|FI 芬兰 Finland,FIN|IS 冰岛 Iceland,ISL|PL 波兰 Poland,POL
CZ 捷克 CzechRepublic,Czechia,CZE|SK 斯洛伐克 Slovakia,SVK|HU 匈牙利 Hungary,HUN|RO 罗马尼亚 Romania,ROU
BG 保加利亚 Bulgaria,BGR|GR 希腊 Greece,GRC|HR 克罗地亚 Croatia,HRV|RU 俄罗斯 Russia,RussianFederation,俄国,RUS
UA 乌克兰 Ukraine,UKR|BY 白俄罗斯 Belarus,BLR|TR 土耳其 Turkey,Türkiye,TUR|IL 以色列 Israel,ISR
AE 阿联酋 UnitedArabEmirates,UAE,ARE|SA 沙特阿拉伯 SaudiArabia,沙特,SAU|IR 伊朗 Iran,IRN|EG 埃及 Egypt,EGY
ZA 南非 SouthAfrica,ZAF|NG 尼日利亚 Nigeria,NGA|KE 肯尼亚 Kenya,KEN|MA 摩洛哥 Morocco,MAR
"""
"""Countries that are met most often: two letters (ISO 3166), the Chinese name, others, three letters."""


def _entries(table: str) -> Iterable[tuple[str, str, list[str]]]:
    for entry in table.strip().replace("\n", "|").split("|"):
        first, second, others = entry.split(" ", 2)
        yield first, second, others.split(",")


def _regions() -> tuple[dict[str, str], dict[str, str]]:
    """Names of regions, and the letters that stand for them, which are those of regions elsewhere, too."""
    names: dict[str, str] = {}
    letters: dict[str, str] = {}
    for short, code, latin in _entries(_PROVINCES):
        names.update({short + end: short for end in _CHINESE_ENDS})
        names.update({name.lower() + end: short for name in latin for end in _LATIN_ENDS})
        names[f"cn{code.lower()}"] = short
        letters[code.lower()] = short
    for traditional, short in _TRADITIONAL.items():
        names.update({traditional + end: short for end in ("", "省", "特別行政區", "壯族自治區")})
    return names, letters


REGIONS, REGION_LETTERS = _regions()
COUNTRIES: Final = {
    name.lower(): code for code, chinese, others in _entries(_COUNTRIES) for name in (code, chinese, *others)
}
CHINA: Final = ("CN", "HK", "MO", "TW")


def word(texts: pl.Series, known: Mapping[str, str]) -> pl.Series:
    """What each text is one word for; null where it is none. Case, blanks and signs do not count."""

    def read(distinct: pl.Series) -> pl.Series:
        bare = _bare(distinct)
        return bare.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)

    return each_once(texts, read)


def _bare(texts: pl.Series) -> pl.Series:
    """Small letters without blanks and signs between them; signs alone, such as $, stay."""
    small = texts.str.to_lowercase()
    bare = small.str.replace_all(r"[\s.,'’_()\-]+", "")
    return bare.zip_with(bare != "", small)


def words(texts: pl.Series, known: Mapping[str, str]) -> pl.Series:
    """The same, where other texts stay as they are."""
    found = word(texts, known)
    return found.fill_null(texts)


def regions(texts: pl.Series, chinese: pl.Series) -> pl.Series:
    """Regions; those of China by their short names.

    Args:
        texts: Clean texts.
        chinese: Whether each may be in China, so that two letters stand for a province.
    """
    letters = word(texts, REGION_LETTERS)
    return words(texts, REGIONS).zip_with(~(chinese & letters.is_not_null()), letters)


def countries(texts: pl.Series) -> pl.Series:
    """Countries as two letters, where they are known; two letters become large ones."""
    upper = texts.str.to_uppercase().zip_with(texts.str.contains(r"^[A-Za-z]{2}$"), texts)
    return word(texts, COUNTRIES).fill_null(upper)


def channels(texts: pl.Series) -> pl.Series:
    """Ways to reach a customer; what is not known becomes small letters without blanks and signs."""
    return word(texts, CHANNELS).fill_null(_bare(texts))


def booleans(texts: pl.Series) -> pl.Series:
    """Yes and no; null for other texts."""
    return word(texts, BOOLEANS).replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)

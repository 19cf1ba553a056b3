"""Which of GB18030, Big5 and Windows-1252 a text that is no UTF-8 is likely to be in; UTF-8 with faults counts, too.

A list of customers is short and full of names, so frequencies of words say little. What tells is how common the
characters are that a reading gives: both Chinese sets begin with the characters of everyday use (level 1) and go on
with rare ones, and the bytes of one set give rare or no characters in the other. In Western text a byte beyond ASCII
stands alone among letters. Each byte beyond ASCII has a weight in each reading; the reading with the largest sum wins.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

_SAMPLE: Final = 1 << 16
"""So many bytes of lines that are not ASCII are looked at."""

_COMMON: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾"
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰文建国红梅春燕志雪琴浩宇欣怡子涵小大美海新天龙凤晓"
    "張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧蕭葉蘇呂盧鐘譚陸範賈偉靜麗強軍艷傑濤剛蘭國紅龍鳳曉怡雅婷佳家豪俊宏冠哲淑惠芬"
    "姓名电话手机邮箱地址客户编号日期金额订单性别生日公司备注类型状态城市省份价格数量产品会员年龄男女元先生士联系人时间"
    "電話機郵箱客戶編號額訂單別備註類狀態價數產會員齡聯繫時間"
    "的一是在不了有和这中大为上个我以要他来用们到作地出分对成主年工多方经学市省区县路街镇村楼室门东西南北京海广州深圳"
    "區縣鎮樓門東廣這個來們對經學臺灣北高雄中南新竹桃園灣號段巷弄里"
)
"""Characters of names, addresses and the headers of lists of customers, simplified and traditional."""

_LETTERS: Final = frozenset("éèêëáàâäãåæçíìîïñóòôöõøœúùûüýÿßÉÈÁÀÄÅÆÇÍÑÓÖØÚÜŠšŽž’‘“”–—€°ºª§®·…«»£")
"""What Western text has beyond ASCII."""

_UTF8_SIGN: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_RUN: Final = re.compile(rb"[\x80-\xff]+")
_BROKEN: Final = -4.0


def likely(data: bytes) -> str:
    """The encoding of a text: gb18030, big5hkscs, cp1252, or utf-8 with faults."""
    sample = _sample(data)
    sums = {name: weigh(sample) for name, weigh in _READINGS.items()}
    return max(sums, key=lambda name: sums[name])  # of equal ones the first


def _sample(data: bytes) -> bytes:
    """The first lines that are not ASCII."""
    found, size, start = [], 0, 0
    while size < _SAMPLE and (high := _RUN.search(data, start)):
        begin = max(data.rfind(b"\n", start, high.start()) + 1, start)
        end = data.find(b"\n", high.end())
        end = len(data) if end < 0 else end
        end = min(end, begin + _SAMPLE)
        found.append(data[begin:end])
        size, start = size + end - begin, end
    return b"\n".join(found)


def _utf8(sample: bytes) -> float:
    good = sum(len(sign) for sign in _UTF8_SIGN.findall(sample))
    high = sum(len(run) for run in _RUN.findall(sample))
    return 1.5 * good + _BROKEN * (high - good)


def _western(sample: bytes) -> float:
    return sum(_western_run(run) * times for run, times in Counter(_RUN.findall(sample)).items())


def _western_run(run: bytes) -> float:
    """Letters beyond ASCII stand alone, or two together at most."""
    weight = (2.0, 0.5)[len(run) - 1] if len(run) <= 2 else -1.0
    text = run.decode("cp1252", "replace")
    return sum(_BROKEN if sign == "\ufffd" else weight if sign in _LETTERS else -1.5 for sign in text)


def _chinese(encoding: str, level: Callable[[bytes], float]) -> Callable[[bytes], float]:
    def weigh(sample: bytes) -> float:
        counts = Counter(sign for sign in sample.decode(encoding, "replace") if sign > "\x7f")
        return sum(_weight(sign) * times for sign, times in counts.items())

    def _weight(sign: str) -> float:
        if sign == "\ufffd":
            return _BROKEN
        packed = sign.encode(encoding, "replace")
        return (2.0 if sign in _COMMON else level(packed)) * len(packed)

    return weigh


def _gb_level(packed: bytes) -> float:
    """Full-width signs, level 1, level 2, and what came later."""
    if len(packed) != 2 or packed[1] < 0xA1:
        return -1.5
    lead = packed[0]
    return 1.0 if lead in (0xA1, 0xA3) else 1.2 if 0xB0 <= lead <= 0xD7 else 0.0 if 0xD8 <= lead <= 0xF7 else -1.5


def _big5_level(packed: bytes) -> float:
    """Signs, level 1, level 2, and what came later."""
    if len(packed) != 2:
        return -1.5
    lead = packed[0]
    return 1.0 if lead in (0xA1, 0xA2) else 1.2 if 0xA4 <= lead <= 0xC6 else 0.0 if 0xC9 <= lead <= 0xF9 else -1.5


_READINGS: Final[dict[str, Callable[[bytes], float]]] = {
    "utf-8": _utf8,
    "gb18030": _chinese("gb18030", _gb_level),
    "cp1252": _western,
    "big5hkscs": _chinese("big5hkscs", _big5_level),
}

"""What the made-up vehicles are made of, how it fails, and how dealers say so, in Chinese and English."""

from typing import Final, NamedTuple

CAUSES: Final = ("design", "material", "assembly", "wear", "handling")
"""Causes of faults, which are also the quality classes."""


class Part(NamedTuple):
    """A part: its code, category, names, price, hours of work, and the ways in which it fails with their causes."""

    code: str
    category: str
    chinese: tuple[str, ...]
    english: tuple[str, ...]
    price: float
    hours: float
    modes: tuple[tuple[str, str], ...]


_LETTERS: Final = {"d": "design", "m": "material", "a": "assembly", "w": "wear", "h": "handling"}
_CATEGORIES: Final = {
    "EN": "engine", "TR": "transmission", "BR": "brakes", "ST": "steering", "SU": "suspension",
    "EL": "electrics", "CO": "cooling", "BO": "body", "AC": "air conditioning", "EX": "exhaust",
}  # fmt: skip
CATEGORIES: Final = tuple(_CATEGORIES.values())

_PARTS: Final = """
EN01|发动机总成,发动机|engine,engine assembly|23800|14|noise:a,weak:d,hot:d
EN02|气缸盖垫,缸垫|head gasket,cylinder gasket|680|7.5|leak:m,hot:w
EN03|正时链条,正时链|timing chain|1450|6|noise:w,loose:a
EN04|机油泵|oil pump|980|3.5|leak:a,weak:w
EN05|喷油嘴,喷油器|injector,fuel injector|560|1.6|stuck:m,weak:d
TR01|变速箱总成,变速器|gearbox,transmission|18600|11|noise:w,stuck:d,leak:a
TR02|离合器片,离合片|clutch disc,clutch|860|4.2|worn:w,hot:h
TR03|换挡拉索,换挡线|shift cable|220|1.4|stuck:m,loose:a
TR04|半轴,传动轴|drive shaft,half shaft|1280|2.4|noise:w,leak:m
TR05|变速箱控制器,变速箱电脑|gearbox control unit|3200|1.2|light:d,dead:d
BR01|刹车泵,制动总泵|brake master cylinder,brake pump|760|1.8|leak:m,weak:a
BR02|刹车片,制动片,制动摩擦片|brake pads,brake linings|320|1.1|worn:w,noise:d
BR03|刹车盘,制动盘|brake disc,brake rotor|540|1.5|deform:m,worn:w
BR04|ABS泵,ABS控制单元|ABS unit,ABS pump|4600|2.2|light:d,dead:m
BR05|手刹拉线,驻车制动拉线|handbrake cable,parking brake cable|180|1.2|stuck:w,loose:a
ST01|方向机,转向机|steering rack,steering gear|3900|3.8|noise:a,leak:m
ST02|助力泵,转向助力泵|power steering pump|1680|2|noise:w,weak:d
ST03|转向拉杆球头,球头|tie rod end,ball joint|190|0.9|loose:w,noise:m
ST04|转向柱,转向管柱|steering column|1150|2.6|stuck:a,noise:d
ST05|转角传感器|steering angle sensor|620|0.8|light:d,dead:a
SU01|减震器,避震器|shock absorber,damper|690|1.6|leak:w,noise:m
SU02|下摆臂,下控制臂|lower control arm|520|1.4|deform:h,noise:a
SU03|稳定杆连杆,平衡杆球头|stabiliser link,anti-roll bar link|130|0.7|loose:a,noise:w
SU04|弹簧,螺旋弹簧|coil spring,spring|340|1.5|crack:m,deform:h
SU05|轮毂轴承|wheel bearing,hub bearing|410|1.7|noise:w,loose:m
EL01|蓄电池,电瓶|battery|650|0.4|dead:w,weak:m
EL02|发电机|alternator,generator|1750|1.5|dead:m,noise:w
EL03|起动机,启动马达|starter,starter motor|1320|1.6|dead:m,stuck:w
EL04|主线束,线束|wiring harness,main harness|2800|5.5|short:a,hot:d
EL05|倒车雷达,雷达探头|parking sensor|260|0.6|dead:a,short:h
EL06|中控屏,车机|centre display,head unit|3600|0.9|dead:d,weak:d
CO01|水泵,冷却水泵|water pump,coolant pump|580|2.8|leak:m,noise:w
CO02|散热器,水箱|radiator|890|2.1|leak:m,deform:h
CO03|节温器|thermostat|160|1|stuck:m,hot:d
CO04|电子扇,散热风扇|cooling fan,radiator fan|720|1.3|dead:d,noise:a
BO01|车门密封条,门封条|door seal,weather strip|150|0.6|crack:m,loose:a
BO02|玻璃升降器,升降器|window regulator,window lifter|380|1.1|stuck:a,dead:m
BO03|后视镜总成,后视镜|wing mirror,mirror|560|0.7|loose:a,deform:h
BO04|前保险杠,前杠|front bumper,bumper|980|1.9|deform:h,crack:h
BO05|车身漆面,车漆|paintwork,paint|450|4.5|rust:m,crack:d
BO06|座椅骨架,座椅|seat frame,seat|1900|1.4|noise:a,stuck:d
AC01|空调压缩机,压缩机|air-conditioning compressor,compressor|2400|2.6|noise:w,dead:m
AC02|冷凝器|condenser|780|1.8|leak:h,weak:d
AC03|蒸发箱,蒸发器|evaporator|1100|5|leak:m,weak:d
AC04|鼓风机,鼓风机电机|blower,blower motor|430|0.9|noise:w,dead:a
AC05|空调滤芯|cabin filter|60|0.3|worn:w,weak:h
EX01|三元催化器,三元催化|catalytic converter|5200|2|light:m,crack:h
EX02|氧传感器|oxygen sensor,lambda sensor|360|0.7|light:d,dead:w
EX03|消声器,排气管|silencer,exhaust pipe|640|1.2|rust:m,noise:a
EX04|碳罐电磁阀,碳罐阀|purge valve|210|0.6|noise:d,stuck:m
"""


def _part(line: str) -> Part:
    code, chinese, english, price, hours, modes = line.split("|")
    pairs = (each.split(":") for each in modes.split(","))
    return Part(
        code,
        _CATEGORIES[code[:2]],
        tuple(chinese.split(",")),
        tuple(english.split(",")),
        float(price),
        float(hours),
        tuple((mode, _LETTERS[cause]) for mode, cause in pairs),
    )


PARTS: Final = tuple(map(_part, _PARTS.strip().splitlines()))

MODES: Final = {
    "noise": (
        ("异响", "有异常响声", "咯吱响", "嗡嗡响", "声音大"),
        ("is noisy", "rattles", "squeaks", "makes a noise"),
    ),
    "leak": (("渗油", "漏液", "有渗漏痕迹", "油迹明显", "渗漏"), ("is leaking", "leaks fluid", "shows traces of oil")),
    "crack": (("开裂", "有裂纹", "断裂", "破损"), ("is cracked", "has a crack", "is broken", "has split")),
    "worn": (("磨损严重", "磨损到极限", "变薄", "已用尽"), ("is worn out", "is worn to the limit", "is too thin")),
    "dead": (
        ("不工作", "失效", "无反应", "时好时坏"),
        ("does not work", "has failed", "is dead", "works now and then"),
    ),
    "light": (("故障灯亮", "仪表报警", "报故障码", "警告灯常亮"), ("sets the warning light", "stores a fault code")),
    "stuck": (("卡滞", "卡死", "不灵活", "发涩"), ("is stuck", "jams", "moves with difficulty", "is blocked")),
    "loose": (("松动", "固定不牢", "脱落", "间隙大"), ("is loose", "has come off", "has play", "is not tight")),
    "hot": (("过热", "温度过高", "烧蚀", "有焦味"), ("overheats", "gets too hot", "smells burnt", "is scorched")),
    "rust": (("锈蚀", "生锈", "氧化起泡", "腐蚀"), ("is rusty", "has corroded", "shows rust", "is blistered")),
    "deform": (("变形", "弯曲", "凹陷", "跳动大"), ("is bent", "is deformed", "is dented", "runs out of true")),
    "weak": (
        ("无力", "性能下降", "效果差", "压力不足"),
        ("is weak", "has lost power", "performs poorly", "is too low"),
    ),
    "short": (("短路", "线磨破", "接触不良", "插头进水"), ("is shorted", "has a bad contact", "has chafed wires")),
}
"""How things fail: what it is called in Chinese and English, the title of the fault first."""

OPENINGS: Final = (
    ("客户反映", "车主称", "用户报修", "车主进店反映", "客户投诉", ""),
    ("Customer states", "Owner reports", "Customer complains that", "Found at inspection:", "Report:", ""),
)
CONDITIONS: Final = (
    ("冷启动时", "高速行驶时", "低速时", "雨天", "过减速带时", "行驶中", "怠速时", "热车后", "", ""),
    ("on a cold start", "at high speed", "at low speed", "in the rain", "over bumps", "while driving", "when idling",
     "", ""),
)  # fmt: skip
CLOSINGS: Final = (
    ("，更换后正常", "，检查后更换", "，建议更换", "，已修复", "，试车正常", "", ""),
    (", replaced, now in order", ", checked and replaced", ", repaired", ", road test passed", "", ""),
)
PLACES: Final = (
    ("底盘", "发动机舱", "车辆前部", "车身后部", "仪表台", "该件"),
    ("the underbody", "the engine bay", "the front", "the rear", "the dashboard", "the part"),
)
HINTS: Final = {
    "design": (
        ("，同款车常见", "，设计间隙偏小", "，软件逻辑问题"),
        (", common on this model", ", clearance too small"),
    ),
    "material": (
        ("，材质差", "，有砂眼", "，批次件质量问题"),
        (", poor material", ", porous casting", ", bad lot of parts"),
    ),
    "assembly": (("，装配不到位", "，扭矩不足", "，出厂未装好"), (", badly fitted at the plant", ", torque too low")),
    "wear": (("，里程较长", "，正常老化", "，使用年限长"), (", high mileage", ", aged", ", has run for long")),
    "handling": (
        ("，有托底痕迹", "，曾碰撞", "，用户改装"),
        (", hit from below", ", was in a collision", ", modified by owner"),
    ),
}
"""What gives the quality class away, where it is said at all."""
SLIPS: Final = (
    ("异响", "异想"), ("更换", "更还"), ("检查", "捡查"), ("反映", "反应"), ("磨损", "磨孙"), ("刹车", "杀车"),
    ("渗漏", "掺漏"), ("松动", "送动"), ("故障", "古障"), ("正常", "整常"), ("行驶", "行使"), ("装配", "装备"),
)  # fmt: skip
"""Slips of Chinese input methods."""
COMMENTS: Final = {
    "complaint": ("等待时间太长", "同一问题修了两次", "态度不好", "Took far too long", "The same fault came back"),
    "praise": ("服务很好", "维修及时", "讲解清楚", "Quick and friendly", "Explained everything well"),
}

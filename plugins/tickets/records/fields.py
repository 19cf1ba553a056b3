"""What files of a service centre may say, and the headers that it is known by, Chinese and English."""

from typing import Final

from crm.intake.fields import Field, Kind
from crm.tables import Table
from plugins.tickets import contracts

Headers = dict[str, tuple[Kind, str]]

_CUSTOMER: Final[tuple[Kind, str]] = (
    "id",
    "customerid customerno clientid owner ownerid memberid 客户编号 客户号 客户id 客户 车主 车主编号 会员编号 用户编号",
)
_SOURCE: Final[tuple[Kind, str]] = ("category", "datasource 来源 数据来源")
_BEHIND: Final[Headers] = {"extras": ("json", ""), "original": ("json", ""), "source": _SOURCE}
_DEALER: Final = (
    "dealerid dealerno dealercode workshop garage servicestation store shop "
    "经销商 经销商编号 经销商代码 服务站 服务站编号 服务站代码 维修站 特约店 店代码 店号 4s店"
)
_VIN: Final = "vincode vinnumber chassis chassisno chassisnumber frameno 车架号 车架号码 底盘号 车辆识别代号 车辆识别码"
_TICKET: Final = (
    "ticketid ticketno claim claimid claimno caseno orderno "
    "鉴定单号 技术鉴定单号 鉴定单 工单号 工单编号 索赔单号 索赔单 单号 单据号"
)
_LABOUR: Final = (
    "labourcode laborcode labourposition laborposition operation operationcode labourid "
    "工时位置代码 工时代码 工时编码 工时编号 作业代码 维修项目代码"
)
_FAULT: Final = "faultcode defectcode failurecode troublecode faultid 故障代码 故障码 故障编码 故障编号"
_PART: Final = (
    "partno partnumber partcode partid sparepart item 备件号 备件编号 备件代码 零件号 零件编号 零件代码 配件编号 配件号"
)
_CATEGORY: Final = "partcategory partgroup component assembly 部件大类 部件类别 零件大类 备件大类 配件大类 系统"
_CAR: Final[Headers] = {
    "vin": ("code", _VIN),
    "model": ("category", "vehiclemodel carmodel modelcode 车型 车型代码 型号"),
    "vehicle_type": ("category", "vehicletype vehicleclass bodytype cartype 车辆类型 车型类别 车类 车身形式"),
    "batch": ("category", "productionbatch lot lotno batchno 生产批次 批次 批次号"),
    "produced": ("date", "productiondate builddate builton manufactured 生产日期 制造日期 下线日期 出厂日期"),
    "mileage": ("number", "odometer odo km kilometres kilometers 里程 行驶里程 里程数 公里数"),
}


def _fields(table: Table, kinds: Headers, required: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """A field for each column of a table, in its order; `source`, which says where rows are from, for every table."""
    made = [
        Field(column.name, kinds[column.name][0], _split(kinds[column.name][1]), column.name in required, column.help)
        for column in table.columns
    ]
    if all(each.name != "source" for each in made):
        made.append(Field("source", "category", help="the file or system that the row came from; it is not kept"))
    return tuple(made)


def _split(headers: str) -> tuple[str, ...]:
    return tuple(headers.split())


TICKETS: Final = _fields(
    contracts.TICKETS,
    {
        "ticket": ("id", f"{_TICKET} id no number 编号"),
        "dealer": ("id", _DEALER),
        **_CAR,
        "customer": _CUSTOMER,
        "labour_code": ("id", _LABOUR),
        "fault_code": ("id", _FAULT),
        "fault_text": (
            "text",
            "faultdescription defect symptom complaint description text "
            "故障描述 故障现象 故障说明 故障内容 故障情况 描述 现象",
        ),
        "part": ("id", f"{_PART} 备件 零件 配件"),
        "part_category": ("category", _CATEGORY),
        "quantity": ("number", "qty count pieces 数量 件数 备件数量"),
        "parts_cost": ("number", "partscost partcost materialcost parts 备件费 材料费 配件费 零件费 备件费用 材料费用"),
        "labour_cost": ("number", "labourcost laborcost wages labour labor 工时费 人工费 工时费用 人工费用"),
        "amount": ("number", "total totalamount claimamount sum cost 金额 总金额 合计 索赔金额 费用合计 总费用"),
        "opened": (
            "timestamp",
            "openedat openedon created createdat date datetime time ts repairdate claimdate "
            "开单时间 开单日期 鉴定时间 鉴定日期 创建时间 报修时间 报修日期 维修日期 日期 时间",
        ),
        **_BEHIND,
    },
    required=("dealer", "opened"),
)
"""What a file of tickets may say."""

EVENTS: Final = _fields(
    contracts.EVENTS,
    {
        "ticket": ("id", _TICKET),
        "number": ("integer", "no eventno seq sequence step 序号 步骤 事件序号"),
        "ts": ("timestamp", "time datetime date at when 时间 日期 发生时间 处理时间"),
        "event": ("category", "action what 事件 动作 操作 处理"),
        "before": ("category", "statebefore oldstate from 原状态 之前状态"),
        "after": ("category", "stateafter newstate state to 新状态 之后状态 状态"),
        "level": ("integer", "reviewlevel 级别 审核级别"),
        "seat": ("id", "agent agentid 座席 座席号 座席编号"),
        "role": ("category", "actor 角色"),
        "by": ("name", "who user operator person 操作人 处理人 经办人"),
        "remark": ("text", "note comment reason 备注 说明 意见 原因"),
        "data": ("text", "details payload 数据 附加数据"),
    },
    required=("ticket", "ts", "event"),
)
"""What a file of events may say."""

DEALERS: Final = _fields(
    contracts.DEALERS,
    {
        "dealer": ("id", f"{_DEALER} id code no 编号 代码"),
        "name": ("text", "dealername title 经销商名称 服务站名称 店名 名称 简称"),
        "city": ("category", "town 城市 所在城市 市"),
        "region": ("region", "province state area 省份 省 地区 区域 大区"),
        "group": ("category", "dealergroup peer peergroup class 组 分组 组别 级别 类别 店类"),
        "rate": ("number", "hourlyrate labourrate laborrate price 工时单价 工时费率 单价 费率"),
        **_BEHIND,
    },
    required=("dealer",),
)
"""What a file of dealers may say."""

LABOUR: Final = _fields(
    contracts.LABOUR,
    {
        "labour_code": ("id", f"{_LABOUR} code id no 代码 编码 编号"),
        "title": ("text", "name description work 名称 工时名称 作业名称 维修项目 作业内容 项目名称"),
        "position": ("text", "place location 位置 部位 工时位置"),
        "part_category": ("category", _CATEGORY),
        "hours": ("number", "standardhours time standardtime duration 工时 标准工时 工时数 定额工时"),
        **_BEHIND,
    },
    required=("labour_code",),
)
"""What a file of labour codes may say."""

FAULTS: Final = _fields(
    contracts.FAULTS,
    {
        "fault_code": ("id", f"{_FAULT} code id no 代码 编码 编号"),
        "title": ("text", "name description fault 名称 故障名称 故障描述 故障内容"),
        "cause": ("category", "faultcause reason rootcause 原因 故障原因 原因分类"),
        "part_category": ("category", _CATEGORY),
        **_BEHIND,
    },
    required=("fault_code",),
)
"""What a file of fault codes may say."""

PARTS: Final = _fields(
    contracts.PARTS,
    {
        "part": ("id", f"{_PART} code id no 代码 编码 编号"),
        "title": ("text", "name partname description 名称 备件名称 零件名称 配件名称"),
        "part_category": ("category", _CATEGORY),
        "price": ("number", "unitprice listprice cost 单价 价格 备件价格 零件价格"),
        "returned": ("boolean", "goesback returnable mustreturn 返件 是否返件 旧件返回 需返回 是否回收"),
        **_BEHIND,
    },
    required=("part",),
)
"""What a file of parts may say."""

STOCK: Final = _fields(
    contracts.STOCK,
    {
        "place": ("id", f"warehouse depot location {_DEALER} 仓库 库房 库位 地点"),
        "part": ("id", f"{_PART} 备件 零件 配件"),
        "quantity": ("number", "qty count stock onhand inventory pieces 数量 库存 库存量 库存数量 件数"),
    },
    required=("place", "part", "quantity"),
)
"""What a file of stock may say."""

SEATS: Final = _fields(
    contracts.SEATS,
    {
        "seat": ("id", "seatid seatno agentid agentno id no 座席 座席号 座席编号 坐席 坐席号 工号 编号"),
        "name": ("name", "agent agentname person 姓名 座席姓名 坐席姓名 名称"),
        "level": ("integer", "reviewlevel maxlevel 级别 审核级别 等级 最高级别"),
        "skills": ("text", "skill categories knows 技能 专长 部件大类"),
        "state": ("category", "status online 状态 在线状态"),
    },
    required=("seat", "level"),
)
"""What a file of seats may say."""

VEHICLES: Final = _fields(
    contracts.VEHICLES,
    {
        **_CAR,
        "sold": ("date", "saledate solddate salesdate since inservice registered 销售日期 售出日期 上牌日期 启用日期"),
        "gone": ("date", "until scrapped retired enddate 报废日期 退役日期 终止日期 注销日期"),
        "read": ("date", "readon mileagedate readingdate 里程日期 抄表日期 里程记录日期"),
        "dealer": ("id", _DEALER),
        "customer": _CUSTOMER,
        **_BEHIND,
    },
    required=("vin",),
)
"""What a file of vehicles may say."""

RATINGS: Final = _fields(
    contracts.RATINGS,
    {
        "ticket": ("id", _TICKET),
        "ts": ("timestamp", "time datetime date at when ratedat 时间 日期 评价时间 评价日期 投诉时间"),
        "kind": ("category", "type what 类型 类别 种类 评价类型"),
        "score": ("number", "rating satisfaction points stars 评分 满意度 分数 得分 打分"),
        "comment": ("text", "comments feedback text opinion 评论 意见 内容 评价内容 投诉内容 备注"),
        **_BEHIND,
    },
    required=("ticket", "ts"),
)
"""What a file of ratings may say."""

SHIPMENTS: Final = _fields(
    contracts.SHIPMENTS,
    {
        "shipment": (
            "id",
            "shipmentid shipmentno trackingno tracking waybill 运单号 发运单号 发货单号 物流单号 快递单号",
        ),
        "ticket": ("id", _TICKET),
        "kind": ("category", "type what 类型 类别 种类"),
        "part": ("id", f"{_PART} 备件 零件 配件"),
        "quantity": ("number", "qty count pieces 数量 件数"),
        "origin": ("id", "from sender source 发货地 发货方 始发地"),
        "goal": ("id", "to receiver destination 收货地 收货方 目的地"),
        "carrier": ("category", "shipper haulier 承运商 承运人 物流公司 快递公司"),
        "shipped": ("timestamp", "sent sentat shippedat 发货时间 发运时间 发货日期"),
        "received": ("timestamp", "arrived receivedat 收货时间 签收时间 到货时间 收货日期"),
        "lost": ("timestamp", "lostat 丢失时间 丢失日期"),
    },
    required=("shipment", "ticket", "kind"),
)
"""What a file of shipments may say."""

PAYMENTS: Final = _fields(
    contracts.PAYMENTS,
    {
        "payment": ("id", "paymentid paymentno batchno id no 付款批次 批次号 结算批次 付款单号 结算单号"),
        "dealer": ("id", _DEALER),
        "tickets": ("integer", "count claims 单数 鉴定单数 工单数"),
        "total": ("number", "amount sum totalamount 金额 总金额 合计"),
        "made": ("timestamp", "created createdat 制单时间 生成时间 批次时间"),
        "paid": ("timestamp", "paidat 付款时间 支付时间"),
        "confirmed": ("timestamp", "confirmedat 确认时间 到账时间"),
    },
    required=("payment", "dealer"),
)
"""What a file of payments may say."""

CLASSES: Final = _fields(
    contracts.CLASSES,
    {
        "ticket": ("id", _TICKET),
        "origin": ("category", "saidby kind 出处"),
        "class": ("category", "label qualityclass category 类别 质量类别 分类 质量分类 标签"),
        "confidence": ("number", "probability certainty 置信度 概率"),
        "ts": ("timestamp", "time datetime date at 时间 日期 分类时间"),
        "by": ("name", "who model user reviewer 分类人 审核人 模型"),
    },
    required=("ticket", "class"),
)
"""What a file of quality classes may say."""

WARNINGS: Final = _fields(
    contracts.WARNINGS,
    {
        "kind": ("category", "type 类型"),
        "cell": ("text", "what where 单元"),
        "first": ("timestamp", "since firstseen 首次 首次时间"),
        "last": ("timestamp", "lastseen 最近 最近时间"),
        "lift": ("number", "times 倍数"),
    },
    required=("kind", "cell"),
)
"""What a file of early warnings may say."""

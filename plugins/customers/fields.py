"""What files of customers, orders, answers and consents may say, and the headers that it is known by."""

from typing import Final

from crm.consents import CONSENTS
from crm.intake.fields import Field, Kind
from crm.tables import Table
from plugins.customers.contracts import CUSTOMERS, ORDERS, SURVEYS


def _fields(table: Table, kinds: dict[str, tuple[Kind, str]], required: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """A field for each column of a table, in its order, with the help of its contract."""
    return tuple(
        Field(column.name, *_kind(kinds[column.name]), column.name in required, column.help) for column in table.columns
    )


def _kind(entry: tuple[Kind, str]) -> tuple[Kind, tuple[str, ...]]:
    kind, headers = entry
    return kind, tuple(headers.split())


_WHO: Final = (
    "customerid customerno custid clientid memberid memberno userid accountid buyerid uid recordid recid "
    "客户编号 客户号 客户id 会员编号 会员号 会员卡号 会员id 用户编号 用户id 顾客编号 买家id"
)
_SOURCE: Final[tuple[Kind, str]] = ("category", "datasource origin 来源 数据来源")
_OBJECTS: Final[dict[str, tuple[Kind, str]]] = {"extras": ("json", ""), "original": ("json", ""), "source": _SOURCE}

CUSTOMER_FIELDS: Final = _fields(
    CUSTOMERS,
    {
        "customer": ("id", f"{_WHO} id no number cardno 编号 卡号 序号"),
        "name": (
            "name",
            "fullname displayname personname 姓名 名称 全名 客户姓名 客户名称 联系人 收货人 收件人 真实姓名",
        ),
        "given": ("name", "givenname firstname forename fname first 名 名字"),
        "family": ("name", "familyname lastname surname lname last 姓 姓氏"),
        "sex": ("sex", "gender 性别"),
        "birth": ("date", "birthdate dateofbirth birthday dob born 出生日期 生日 出生年月日 出生年月"),
        "idnumber": (
            "idnumber",
            "nationalid idcard idcardnumber idcardno idno identitycard passport passportno ssn socsecid "
            "socialsecuritynumber "
            "身份证号 身份证号码 身份证 证件号码 证件号 证件编号",
        ),
        "phone": (
            "phone",
            "mobile mobilephone mobilenumber mobileno cellphone cell phonenumber phoneno telephone telephonenumber tel "
            "手机号 手机号码 手机 移动电话 联系电话 联系方式 电话号码 电话",
        ),
        "email": ("email", "emailaddress mail mailaddress 邮箱 电子邮箱 电子邮件 邮箱地址 邮件地址 邮件"),
        "address": (
            "text",
            "streetaddress addressline1 address1 street addr homeaddress "
            "地址 详细地址 联系地址 收货地址 家庭住址 通讯地址 住址",
        ),
        "city": ("category", "cityname town suburb 城市 所在城市 市"),
        "region": ("region", "province state stateprovince county 省份 省 所在省份 省市 地区"),
        "postcode": ("code", "postalcode zip zipcode 邮编 邮政编码"),
        "country": ("country", "countrycode countryregion nation 国家 国家地区 国别 国籍"),
        "language": ("category", "lang locale preferredlanguage 语言 语种"),
        "zone": ("category", "timezone tz 时区"),
        "company": (
            "text",
            "companyname organisation organization employer org 公司 公司名称 单位 工作单位 单位名称 企业",
        ),
        "registered": (
            "date",
            "registrationdate registeredat registeredon registerdate signupdate signup joined joindate joinedat "
            "membersince customersince createdat created createdate "
            "注册日期 注册时间 入会日期 入会时间 开户日期 创建时间 创建日期 建档日期",
        ),
        "login": ("id", "loginname username account accountname 登录名 登录账号 用户名 账号 帐号"),
        "note": ("text", "notes remark remarks comment comments memo description 备注 说明 附注"),
        **_OBJECTS,
    },
)
"""What a file of customers may say."""

ORDER_FIELDS: Final = _fields(
    ORDERS,
    {
        "order_id": (
            "id",
            "orderid orderno ordernumber invoice invoiceno invoicenumber transactionid transactionno id no "
            "订单号 订单编号 订单id 交易号 交易编号 流水号 单号 单据号 编号",
        ),
        "line": ("integer", "lineno linenumber orderline lineitem 行号 明细号 订单行"),
        "customer": ("id", f"{_WHO} customername client member user buyer 客户 会员 用户 买家 顾客 客户姓名 买家昵称"),
        "ts": (
            "timestamp",
            "orderdate ordertime orderedat date datetime time timestamp invoicedate transactiondate purchasedate "
            "paidat paymenttime createdat created "
            "下单时间 下单日期 订单时间 订单日期 交易时间 交易日期 购买时间 购买日期 成交时间 "
            "付款时间 支付时间 创建时间 日期 时间",
        ),
        "item": (
            "text",
            "product productname itemname sku article goods description title stockcode "
            "商品 商品名称 产品 产品名称 品名 货品 商品标题 宝贝标题",
        ),
        "category": (
            "category",
            "productcategory itemcategory department 类目 商品类目 品类 类别 商品类别 分类 商品分类",
        ),
        "quantity": ("number", "qty count units pieces 数量 件数 购买数量 商品数量"),
        "amount": (
            "number",
            "total totalamount linetotal ordertotal orderamount totalprice value revenue sum paid payment price "
            "金额 订单金额 总金额 实付金额 支付金额 付款金额 成交金额 应付金额 总价 合计 小计 实收金额",
        ),
        "currency": ("currency", "currencycode 币种 货币"),
        "status": ("category", "orderstatus state 状态 订单状态 交易状态"),
        "channel": ("category", "saleschannel platform store shop 渠道 销售渠道 订单渠道 平台 店铺"),
        **_OBJECTS,
    },
    required=("customer", "ts"),
)
"""What a file of orders may say."""

SURVEY_FIELDS: Final = _fields(
    SURVEYS,
    {
        "customer": ("id", f"{_WHO} client member user respondent 客户 会员 用户 顾客 受访者"),
        "ts": (
            "timestamp",
            "date datetime time timestamp answeredat submittedat surveydate responsedate "
            "时间 日期 回答时间 提交时间 答题时间 填写时间 调查日期 评价时间",
        ),
        "question": ("category", "questionname survey surveyname metric 问题 题目 问卷 指标 调查项目"),
        "score": ("number", "rating answer value points grade 评分 分数 得分 打分 满意度"),
        "comment": ("text", "comments feedback note notes reason remark text 评论 意见 反馈 备注 评价 建议"),
        **_OBJECTS,
    },
    required=("customer", "ts", "question"),
)
"""What a file of answers may say."""

CONSENT_FIELDS: Final = _fields(
    CONSENTS,
    {
        "customer": ("id", f"{_WHO} client member user 客户 会员 用户 顾客"),
        "channel": ("channel", "medium way purpose 渠道 方式 联系渠道 通道"),
        "ts": ("timestamp", "date datetime time timestamp givenat consentdate at 时间 日期 同意时间 授权时间 登记时间"),
        "granted": ("boolean", "consent agreed optin subscribed allowed status 同意 是否同意 授权 是否授权 订阅 状态"),
        "source": ("category", "form origin 来源 登记来源 途径"),
    },
    required=("customer", "channel", "ts", "granted"),
)
"""What a file of consents may say."""

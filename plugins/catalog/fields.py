"""What a file of the catalogue may say, and the headers that it is known by."""

from typing import Final

from crm.catalog import CATALOG, LEVELS
from crm.intake.fields import Field, Kind

_HEADERS: Final[dict[str, tuple[Kind, str]]] = {
    "item": (
        "id",
        "itemid itemno productid productno sku skuid goodsid articleid stockcode code id no "
        "商品编号 商品id 商品编码 商品代码 产品编号 产品id 货号 编号 编码",
    ),
    "title": (
        "text",
        "name itemname itemtitle productname product goods article description "
        "名称 商品名称 商品标题 标题 产品名称 品名 商品 宝贝标题",
    ),
    "level1": ("text", "category1 cat1 firstcategory topcategory 一级类目 一级分类 一级类别 大类 大类名称"),
    "level2": ("text", "category2 cat2 secondcategory subcategory 二级类目 二级分类 二级类别 中类 中类名称"),
    "level3": ("text", "category3 cat3 thirdcategory subsubcategory 三级类目 三级分类 三级类别 小类 小类名称"),
    "tags": ("text", "tag labels label keywords keyword 标签 关键词 关键字"),
    "price": ("number", "unitprice listprice saleprice amount 价格 单价 售价 销售价 零售价"),
    "currency": ("currency", "currencycode 币种 货币"),
    "stock": ("number", "inventory quantity qty onhand instock 库存 库存量 库存数量 存货"),
    "since": (
        "timestamp",
        "availablefrom validfrom from startdate start onsale launched launchdate 上架时间 上架日期 开始时间 生效日期",
    ),
    "until": (
        "timestamp",
        "availableuntil validuntil validto to enddate end expires expirydate offsale "
        "下架时间 下架日期 结束时间 失效日期",
    ),
    "url": ("text", "link address page itemurl producturl 链接 网址 商品链接 地址"),
    "language": ("category", "lang locale 语言 语种"),
    "extras": ("json", ""),
    "original": ("json", ""),
    "source": ("category", "datasource origin 来源 数据来源"),
}

CATEGORY: Final = Field(
    "category",
    "text",
    tuple("categorypath categories path 类目 商品类目 类目路径 分类 商品分类 品类 类别".split()),  # noqa: SIM905 - shorter
    help="path of its category, such as food/grain/rice; instead of the names of the levels",
)

FIELDS: Final = (
    *(
        Field(
            column.name,
            _HEADERS[column.name][0],
            tuple(_HEADERS[column.name][1].split()),
            column.name == "item",
            column.help,
        )
        for column in CATALOG.columns
    ),
    CATEGORY,
)
"""A field for each column of the table, and one for paths of categories."""

__all__ = ["CATEGORY", "FIELDS", "LEVELS"]

"""What the demo says in a terminal, in both languages."""

from collections.abc import Mapping
from typing import TypedDict

from api.language import Language


class Words(TypedDict):
    """The texts of one language; some have places to fill."""

    services: str
    history: str
    rows: str
    facts: str
    figures: str
    findings: str
    live: str
    tags: str
    title: str
    heads: str
    address: str
    collecting: str
    stopping: str
    foreseen: str
    agree: str


WORDS: Mapping[Language, Words] = {
    "zh": {
        "services": "数据库与消息服务",
        "history": "24 个月历史数据，经签名批次入库",
        "rows": "{rows:,} 行",
        "facts": "小时事实",
        "figures": "核验值与结论",
        "findings": "近月数据质量检查",
        "live": "实时采集：OPC UA、Modbus TCP、MQTT",
        "tags": "{tags} 个点位有数",
        "title": "平台核验值，与承诺、自报和仿真真值对照",
        "heads": "指标 改造前 申报预期 本期自报 平台核验 区间 数据 兑现 一致 仿真真值 差",
        "address": "打开 {url} （按 Ctrl-C 停止全部）",
        "collecting": "正在采集：{batches:,} 批 {rows:,} 行",
        "stopping": "正在停止",
        "foreseen": "预设异常应引出的 {count} 条检查结果全部出现，没有多余",
        "agree": "{count} 个核验值中 {agreed} 个与仿真真值相符",
    },
    "en": {
        "services": "database and broker",
        "history": "24 months of history through signed batches",
        "rows": "{rows:,} rows",
        "facts": "hour facts",
        "figures": "figures and verdicts",
        "findings": "findings of the newest months",
        "live": "live plants over OPC UA, Modbus TCP and MQTT",
        "tags": "{tags} tags answer",
        "title": "Verified figures beside promise, report and the simulator's truth",
        "heads": "KPI before expected reported verified bounds data fulfilment consistency truth"
        " difference",
        "address": "Open {url} (Ctrl-C stops everything)",
        "collecting": "collecting: {rows:,} rows in {batches:,} batches",
        "stopping": "stopping",
        "foreseen": "all {count} findings that the troubles lead to are there, and no other",
        "agree": "{agreed} of {count} figures agree with the simulator's truth",
    },
}

"""A letter of a factory that there is not, to see what a text says: a sample, and marked as one."""

from datetime import date, datetime

from api.exports import facts
from api.exports.letter import FACTS, INSERTS, Facts, Letter, written
from api.exports.model import Content, Footer, Table, day, table
from api.exports.pdf import pdf
from api.messages import Texts

MARK = "样张"
WHO = "样张，不作为文书"

_DATED = date(2026, 3, 2)
_NAMED = {
    "enterprise": "示例企业有限公司",
    "factory": "示例工厂",
    "county": "示例县",
    "state": "预警关注",
    "step": "自动预警",
    "comment": "此处为办理说明。",
    "deadline_note": "（按周一至周五推算，以国务院公布的放假安排为准）",
    "hearing_term": "5个工作日",
    "reentry": "24个月",
    "grounds": "2026年2月10日现场核查不合格（示例文号）。",
    "site_check_people": "核查员甲、核查员乙",
    "site_check_result": "不合格",
    "grade": "合格",
    "heard": "2026年2月20日听取了你单位的陈述申辩，相关记录存卷。",
    "period": "2025年3月至2026年2月",
    "judged": "11",
    "summary": "共有12项指标申报了预期值，其中达成8项、部分达成2项、未达成1项、无法核验1项。",
    "unverifiable": "1",
    "findings": "核验期内数据合理性规则共有发现2条，其中存疑2条。",
    "evidence": "系统对建设要点作出6项数据判断：证实4项，未证实1项，数据不足以判断1项。",
    "method": "下表列出各核验值所依据的方法版本、系数版本及其编号。",
}


def named() -> dict[str, str]:
    """Return a sample value of every fact that a text may name."""
    return {name: _NAMED.get(name, day(_DATED)) for name in FACTS} | {"pool": facts.POOL}


def letter_of(kind: str, found: Letter) -> Content:
    """Return what a letter with this text says of the sample factory, every fact filled in."""
    inserts = {name: [_insert(name)] for name in INSERTS}
    return written(kind, found, Facts(named(), inserts, _DATED), "")


def sample_pdf(kind: str, found: Letter, now: datetime) -> bytes:
    """Return that letter as PDF; every page says that it is a sample."""
    content = letter_of(kind, found)
    footer = Footer(WHO, now, 0, found.template_id, content.sha256())
    return pdf(content, footer, mark=MARK)


def _insert(name: str) -> Table:
    columns = (("项目", 3, "l"), ("内容", 7, "l"))
    caption = f"{Texts('zh')(f'letter_insert.{name}')}（{MARK}）"
    return table(caption, columns, [("示例一", "此处由系统列出"), ("示例二", "此处由系统列出")])

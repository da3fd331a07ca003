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
    "summary": "达到 8 项，部分达到 2 项，未达到 1 项",
    "unverifiable": "1",
    "findings": "2",
    "evidence": "6",
    "method": "示例方法版本",
}


def letter_of(kind: str, found: Letter) -> Content:
    """Return what a letter with this text says of the sample factory, every fact filled in."""
    named = {name: _NAMED.get(name, day(_DATED)) for name in FACTS} | {"pool": facts.POOL}
    inserts = {name: [_insert(name)] for name in INSERTS}
    return written(kind, found, Facts(named, inserts, _DATED), "")


def sample_pdf(kind: str, found: Letter, now: datetime) -> bytes:
    """Return that letter as PDF; every page says that it is a sample."""
    content = letter_of(kind, found)
    footer = Footer(WHO, now, 0, found.template_id, content.sha256())
    return pdf(content, footer, mark=MARK)


def _insert(name: str) -> Table:
    columns = (("项目", 3, "l"), ("内容", 7, "l"))
    caption = f"{Texts('zh')(f'letter_insert.{name}')}（{MARK}）"
    return table(caption, columns, [("示例一", "此处由系统列出"), ("示例二", "此处由系统列出")])

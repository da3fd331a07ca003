"""What the verification report of a factory and a rolling year states."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import api.comparison
import store.evidence
import store.figures
import store.findings
from api import kpis
from api.comparison import Comparison
from api.errors import NotFound
from api.exports.facts import blank, named
from api.exports.letter import Facts
from api.exports.model import Block, Picture, Table, day, table
from api.formats import NOTHING, kpi_value, local_minute, percent
from api.messages import Texts
from api.pages import picture_data, words
from api.pages.proof_view import SEVERITIES
from api.pictures.data import MonthRun
from api.verdicts import CONSISTENCY, FULFILMENT
from kpi.annex1 import claims
from kpi.plausibility import rules, sentence
from kpi.reasons import said
from store import Connection
from store.evidence import StoredEvidence
from store.figures import Figure
from store.findings import Finding
from store.pool import Compared
from store.registry import Factory

_MOST_FINDINGS = 40
# Of a column of the fulfilment picture, so that it fits a page.
_MOST_ROWS = 8
_MOST_STORED_FINDINGS = 5000
_SHOWN_HASH = 16
_METHOD = "下表列出各核验值所依据的方法版本、系数版本及其编号，可在系统中逐项追溯至原始数据批次。"


def of_year(conn: Connection, factory: Factory, period_start: date | None, today: date) -> Facts:
    """Return the facts of a rolling year, by default the newest judged; raises NotFound."""
    found = api.comparison.load(conn, factory, period_start)
    if found.year is None:
        raise NotFound(f"{factory.code} has no rolling year yet; a report needs one")
    figures = store.figures.latest(
        conn, factory.factory_id, period_kind="month", since=factory.baseline_from
    )
    findings = store.findings.listed(
        conn, factory.factory_id,
        since=found.year.period_start, until=found.year.period_end, most=_MOST_STORED_FINDINGS,
    )  # fmt: skip
    names = store.findings.asset_names(conn, factory.factory_id)
    proven = store.evidence.latest(conn, factory.factory_id)
    t = Texts("zh")
    looked_at = [each for each in findings if each.severity in SEVERITIES]
    looked_at.sort(key=lambda each: list(SEVERITIES).index(each.severity))
    facts = {
        "today": day(today),
        "period": _period(found),
        **_counted(found),
        "summary": _summary(t, found),
        "findings": _findings_said(t, looked_at),
        "evidence": _evidence_said(proven),
        "method": _METHOD,
    }
    inserts: dict[str, Sequence[Block]] = {
        "basics": [_basics(factory, found, today)],
        "values": [_values(t, found), *_settled(found)],
        "verdicts": [_verdicts(t, found)],
        "fulfilment_picture": _fulfilment(t, found),
        "month_pictures": _months(t, found, figures),
        "reasons": _reasons(t, found),
        "findings": _findings(t, looked_at, names),
        "evidence": _evidence(t, proven, today),
        "versions": [_versions(found)],
    }
    return Facts(blank() | named(factory) | facts, inserts, today)


def _period(found: Comparison) -> str:
    assert found.year is not None
    last = date.fromordinal(found.year.period_end.toordinal() - 1)
    return f"{day(found.year.period_start)}至{day(last)}"


def _basics(factory: Factory, found: Comparison, today: date) -> Table:
    last = date.fromordinal(factory.baseline_to.toordinal() - 1)
    rows = (
        ("企业名称", factory.enterprise_zh, "工厂", factory.name_zh),
        ("所在县（市、区）", factory.region_zh, "工厂编号", factory.code),
        (
            "改造前基准期",
            f"{day(factory.baseline_from)}至{day(last)}",
            "改造投运",
            day(factory.renovated_on),
        ),
        ("核验期", _period(found), "编制日期", day(today)),
    )
    columns = (("项目", 2.4, "c"), ("内容", 4.2, "l"), ("项目", 1.4, "c"), ("内容", 2.6, "l"))
    return table("工厂与核验期", columns, rows)


def _counted(found: Comparison) -> dict[str, str]:
    """Return how many promises were judged, and how many the data could not decide."""
    verdicts = [api.comparison.fulfilment_word(found, row) for row in found.rows]
    judged = sum(word is not None and FULFILMENT[word].tone != "plain" for word in verdicts)
    return {"judged": str(judged), "unverifiable": str(verdicts.count("unknown"))}


def _summary(t: Texts, found: Comparison) -> str:
    fulfilled = Counter(api.comparison.fulfilment_word(found, row) for row in found.rows)
    told = Counter(api.comparison.consistency_word(row) for row in found.rows)
    promised = sum(number for word, number in fulfilled.items() if word)
    reported = sum(number for word, number in told.items() if word)
    parts = [
        f"{t(f'fulfilment.{word}')}{fulfilled[word]}项" for word in FULFILMENT if fulfilled[word]
    ]
    truths = [f"{t(f'consistency.{word}')}{told[word]}项" for word in CONSISTENCY if told[word]]
    return (
        f"核验期内共有{promised}项指标申报了预期值，其中{'、'.join(parts) or '无已判定的指标'}。"
        f"企业自报{reported}项，其中{'、'.join(truths) or '无已判定的指标'}。"
        "兑现判定与自报一致性判定相互独立；核验值由企业自有数据按公开口径计算，并附不确定区间。"
    )


def _values(t: Texts, found: Comparison) -> Table:
    columns = (
        ("指标（单位）", 3.5, "l"), ("改造前", 1.6, "r"), ("预期", 1.6, "r"), ("自报", 1.6, "r"),
        ("核验", 1.6, "r"), ("核验区间", 3.5, "c"), ("等级", 1.1, "c"),
    )  # fmt: skip
    rows = []
    for row in found.rows:
        kpi = kpis.by_id(row.kpi)
        bounds = NOTHING
        if row.low is not None and row.high is not None:
            bounds = f"{kpi_value(kpi, row.low)} ~ {kpi_value(kpi, row.high)}"
        rows.append(
            (
                f"{kpi.name('zh')}（{kpi.shown_unit('zh')}）",
                kpi_value(kpi, row.before_value),
                kpi_value(kpi, row.expected_value),
                kpi_value(kpi, row.reported_value),
                words.verified(t, kpi, row),
                bounds,
                row.grade or NOTHING,
            )
        )
    return table("申报、自报与核验值", columns, rows)


def _settled(found: Comparison) -> list[Block]:
    """Return what the verdicts take as verified since disputes were decided, by which papers."""
    rows = []
    for row in found.rows:
        settled = found.settled.get(row.kpi)
        if settled is None:
            continue
        kpi = kpis.by_id(row.kpi)
        value = kpi_value(kpi, settled.value)
        bounds = f"{kpi_value(kpi, settled.low)} ~ {kpi_value(kpi, settled.high)}"
        papers = f"{settled.document}（异议 {settled.dispute_id} 号）"
        proof = NOTHING if settled.file_sha256 is None else settled.file_sha256[:_SHOWN_HASH]
        rows.append((f"{kpi.name('zh')}（{kpi.shown_unit('zh')}）", value, bounds, papers, proof))
    if not rows:
        return []
    columns = (
        ("指标（单位）", 3.2, "l"), ("复测值", 1.5, "r"), ("复测区间", 2.6, "c"),
        ("裁定依据", 3.6, "l"), ("复测材料哈希", 2.6, "c"),
    )  # fmt: skip
    return [table("经异议裁定、判定所采用的复测值（核验值本身不变）", columns, rows)]


def _verdicts(t: Texts, found: Comparison) -> Table:
    columns = (
        ("指标", 3.2, "l"), ("兑现度", 1.5, "r"), ("兑现度区间", 2.4, "c"), ("兑现判定", 1.9, "c"),
        ("自报偏差", 1.7, "r"), ("自报一致性", 2, "c"),
    )  # fmt: skip
    rows = []
    for row in found.rows:
        bounds = NOTHING
        if row.fulfilment_low is not None and row.fulfilment_high is not None:
            bounds = f"{percent(row.fulfilment_low)} ~ {percent(row.fulfilment_high)}"
        rows.append(
            (
                kpis.by_id(row.kpi).name("zh"),
                percent(row.fulfilment),
                bounds,
                words.fulfilment(t, found, row).text,
                percent(row.deviation, 1),
                words.consistency(t, row).text,
            )
        )
    return table("兑现与一致性判定（兑现度 0 % 为改造前，100 % 为预期）", columns, rows)


def _fulfilment(t: Texts, found: Comparison) -> list[Block]:
    whole = picture_data.fulfilment(t, found, narrow=True)
    rows, pictures = list(whole.rows), list[Block]()
    while rows:
        # Two columns of the same length, as long as a page lets them be.
        each = min(_MOST_ROWS, -(-len(rows) // 2))
        parts = [rows[:each], rows[each : 2 * each]]
        shown, rows = [row for part in parts for row in part], rows[2 * each :]
        alt = "；".join(f"{row.label}{row.fulfilment.word}" for row in shown)
        columns = [tuple(part) for part in parts if part]
        # One legend for both columns, under the last one, which is never the longer one.
        drawn = tuple(
            replace(whole, rows=part, has_legend=number == len(columns))
            for number, part in enumerate(columns, 1)
        )
        pictures.append(Picture("图 1　成效对比" + ("（续）" if pictures else ""), drawn, alt))
    return pictures


def _months(t: Texts, found: Comparison, figures: Sequence[Figure]) -> list[Block]:
    runs: list[tuple[str, MonthRun, str]] = []
    for row in found.rows:
        own = [each for each in figures if each.kpi == row.kpi]
        if row.expected_value is None or not any(each.point is not None for each in own):
            continue
        kpi = kpis.by_id(row.kpi)
        drawn = picture_data.month_run(t, kpi, found.factory, own, found, narrow=True)
        view = picture_data.months_view(t, kpi, own, frozenset())
        runs.append((f"{kpi.name('zh')}（{kpi.shown_unit('zh')}）", drawn, view.alt or ""))
    pairs = [runs[place : place + 2] for place in range(0, len(runs), 2)]
    return [
        Picture(
            f"图 {number}　" + "、".join(name for name, _, _ in pair),
            tuple(drawn for _, drawn, _ in pair),
            "；".join(alt for _, _, alt in pair),
        )
        for number, pair in enumerate(pairs, 2)
    ]


def _reasons(t: Texts, found: Comparison) -> list[Block]:
    rows = []
    for row in found.rows:
        why = [] if row.reason is None else [said(row.reason, "zh")]
        why += [
            text for about in ("fulfilment", "consistency") if (text := words.why(t, row, about))
        ]
        if why:
            rows.append((kpis.by_id(row.kpi).name("zh"), "；".join(dict.fromkeys(why))))
    if not rows:
        return []
    return [table("无法核验或不可比的原因", (("指标", 3, "l"), ("原因", 9, "l")), rows)]


def _findings_said(t: Texts, found: Sequence[Finding]) -> str:
    if not found:
        return "核验期内各项合理性规则未发现问题。"
    counts = Counter(each.severity for each in found)
    parts = [f"{t(f'severity.{name}')}{counts[name]}条" for name in SEVERITIES if counts[name]]
    shown = f"，下表列出其中最重的{_MOST_FINDINGS}条" if len(found) > _MOST_FINDINGS else ""
    return f"核验期内数据合理性规则共有发现{len(found)}条，其中{'、'.join(parts)}{shown}。"


def _findings(
    t: Texts, found: Sequence[Finding], names: Mapping[int, tuple[str, str]]
) -> list[Block]:
    rows = [
        (
            f"{each.period_start:%Y-%m}",
            f"{each.rule} {rules()[each.rule].name_zh}" if each.rule in rules() else each.rule,
            t(f"severity.{each.severity}"),
            sentence(each, "zh", _name(each, names)),
        )
        for each in found[:_MOST_FINDINGS]
    ]
    columns = (("月份", 1.5, "c"), ("规则", 3, "l"), ("程度", 1.5, "c"), ("发现", 7, "l"))
    return [table("数据合理性发现", columns, rows)] if rows else []


def _name(found: Finding, names: Mapping[int, tuple[str, str]]) -> str:
    return "" if found.asset_id is None else names.get(found.asset_id, ("", ""))[0]


def _evidence_said(found: Sequence[StoredEvidence]) -> str:
    if not found:
        return "尚无由数据得出的建设要点证据。"
    counts = Counter(each.verdict for each in found)
    return (
        f"系统对建设要点作出{len(found)}项数据判断：证实{counts['proven']}项，"
        f"未证实{counts['not_proven']}项，数据不足以判断{counts['not_computable']}项。"
    )


def _evidence(t: Texts, found: Sequence[StoredEvidence], today: date) -> list[Block]:
    known = {claim.claim: claim.zh for claim in claims()}
    rows = [
        (
            each.claim,
            known[each.claim],
            t(f"proof.{each.verdict}"),
            t("proof.expired") if each.expires_on <= today else str(each.expires_on),
        )
        for each in found
        if each.claim in known
    ]
    columns = (("要点", 1.3, "c"), ("判断内容", 7, "l"), ("结论", 1.8, "c"), ("有效至", 2, "c"))
    return [table("建设要点的数据证据", columns, rows)] if rows else []


def _versions(found: Comparison) -> Table:
    columns = (
        ("指标", 3.2, "l"), ("方法版本", 2.2, "c"), ("系数版本", 2.6, "c"),
        ("核验值编号", 2.1, "c"), ("修订", 1.1, "c"), ("计算日期", 2.2, "c"),
    )  # fmt: skip
    rows = [
        _version(row, found.factory.timezone) for row in found.rows if row.figure_id is not None
    ]
    return table("方法与系数版本", columns, rows)


def _version(row: Compared, timezone: str) -> tuple[str, ...]:
    return (
        kpis.by_id(row.kpi).name("zh"),
        row.method_version or NOTHING,
        row.coefficient_version or NOTHING,
        str(row.figure_id),
        str(row.revision),
        local_minute(row.computed_at, timezone).partition(" ")[0],
    )

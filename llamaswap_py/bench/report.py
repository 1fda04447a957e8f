"""One session as one HTML file that needs nothing else: figures, charts, and what was measured how. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape

from llamaswap_py.bench import words
from llamaswap_py.bench.charts import Bar, Group, drawn, legend
from llamaswap_py.bench.values import Cell, Result, Session

STYLE = """
:root{color-scheme:light dark;--ink:#1c2126;--soft:#5b6670;--line:#d9dee3;--back:#fff;--card:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebee;--soft:#9aa5b0;--line:#333a41;--back:#14181c;--card:#1c2228}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1200px;margin:0 auto;padding:24px 16px 64px}h1{font-size:1.5rem;margin:0}
h2{font-size:1.15rem;margin:40px 0 8px}
p{margin:4px 0;color:var(--soft)}.wide{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:6px 12px;text-align:right;white-space:nowrap;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-weight:500;font-size:.85rem}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--back);max-width:40vw;
white-space:normal;overflow-wrap:anywhere;min-width:8em}td.why{text-align:left;color:#c2410c;white-space:normal}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:16px}
figure{margin:0;padding:16px;background:var(--card);border-radius:8px}figcaption{font-weight:600;margin-bottom:8px}
svg{width:100%;height:auto;display:block}
svg text{font:14px system-ui,sans-serif;fill:var(--ink)}svg text.group{fill:var(--soft)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;padding:0;margin:12px 0}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px}
.s0{fill:#2f6fde;background:#2f6fde}.s1{fill:#d9730d;background:#d9730d}.s2{fill:#2a9d63;background:#2a9d63}
.s3{fill:#a04bd1;background:#a04bd1}.s4{fill:#c9324a;background:#c9324a}.s5{fill:#0f93a8;background:#0f93a8}
.s6{fill:#8a7a1f;background:#8a7a1f}.s7{fill:#66727f;background:#66727f}
@media(max-width:480px){svg text{font-size:20px}}
"""

ABOUT = (
    "t/s: tokens a second of one caller, as they arrived; engine t/s: the same as the server says it. Together: of all "
    "callers. First: until the first token; 95 %: what 95 of 100 did not exceed. Gap: between two tokens. "
    "Against last: tokens a second, compared with the last benchmark of the same name."
)


def report(session: Session, earlier: Sequence[Session] = ()) -> str:
    names = [result.name for result in session.results]
    when = datetime.fromtimestamp(session.began, UTC).strftime("%Y-%m-%d %H:%M UTC")
    plan = session.plan
    how = f"each measured {plan.repeats} times; callers at once: {', '.join(map(str, plan.callers))}; "
    how += f"answers of {plan.tokens} tokens"
    notes = "".join(f"<p>{escape(note)}</p>" for note in words.notes(session))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Benchmark of {escape(', '.join(names))}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Benchmark of {escape(', '.join(names))}</h1>"
        f"<p>{escape(when)} · {escape(session.machine)}</p><p>{escape(how)}</p>"
        f"{legend(names)}<div class=charts>{''.join(charts(session, names))}</div>"
        f"<h2>Models</h2>{table(words.MODEL_TITLES, [words.model_row(each) for each in session.results])}"
        f"<h2>Answers</h2>{table(words.TITLES, words.rows(session, earlier))}{notes}"
        f"<p>{ABOUT}</p></main></body></html>\n"
    )


def charts(session: Session, names: Sequence[str]) -> list[str]:
    results, plan = session.results, session.plan
    one, most = min(plan.callers), max(plan.callers)

    def by_prompt(of: Callable[[Cell], float], callers: int) -> list[Group]:
        wanted = [(prompt, callers) for prompt in plan.prompts]
        return [Group(f"prompt of {p}", bars(results, (p, c), of)) for p, c in wanted]

    longest = max(plan.prompts)
    by_callers = [
        Group(f"{callers} at once", bars(results, (longest, callers), lambda each: each.together))
        for callers in plan.callers
    ]
    many = "one caller" if one == 1 else f"{one} callers at once"
    drawings = [
        drawn(f"Generation, tokens a second, {many}", by_prompt(lambda each: each.speed, one), names, words.rate),
        drawn(f"Prompt, tokens a second, {many}", by_prompt(lambda each: each.prompt_speed, one), names, words.rate),
        drawn(f"Until the first token, {many}", by_prompt(lambda each: each.first, one), names, words.span),
        drawn(f"All callers together, tokens a second, prompt of {longest}", by_callers, names, words.rate),
        drawn("Longest gap but for one in twenty", by_prompt(lambda each: each.gap_95, most), names, words.span),
        drawn("Loading", loading(results), names, words.span),
        drawn("Peak memory", [Group("", [Bar(n, each.memory) for n, each in enumerate(results)])], names, words.size),
    ]
    return [each for each in drawings if each]


def bars(results: Sequence[Result], at: tuple[int, int], of: Callable[[Cell], float]) -> list[Bar]:
    found = []
    for number, result in enumerate(results):
        cell = next((each for each in result.cells if (each.wanted, each.callers) == at), None)
        found.append(Bar(number, of(cell) if cell else None))
    return found


def loading(results: Sequence[Result]) -> list[Group]:
    return [
        Group("from the disk", [Bar(number, each.cold) for number, each in enumerate(results)]),
        Group("from memory", [Bar(number, each.warm) for number, each in enumerate(results)]),
    ]


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(cells(row))}</tr>" for row in rows)
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def cells(row: Sequence[str]) -> list[str]:
    """A row of which only the beginning is filled says why in the last that is."""
    filled = [text for text in row if text]
    if len(row) == len(words.TITLES) and not any(row[4:]):
        why = f'<td class="why" colspan="{len(row) - 3}">{escape(row[3])}</td>'
        return [f"<td>{escape(text)}</td>" for text in filled[:3]] + [why]
    return [f"<td>{escape(text)}</td>" for text in row]

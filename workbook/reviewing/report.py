"""A review in words: what to object, as text and as Markdown."""

import re
from collections.abc import Iterator, Sequence

from workbook.reviewing.trial import Review
from workbook.reviewing.watch import Statement, readable

HALF = 0.5  # of a table's rows: whoever reads that many reads all of them, sooner or later
SILENT = re.compile(r"\s*(SELECT|SAVEPOINT|RELEASE|ROLLBACK TO|SET|SHOW)\b", re.IGNORECASE)
LONGEST = 400  # of a statement


def objections(review: Review) -> list[str]:
    """What to object to a revision, in words; nothing where there is nothing."""
    found = list(_of_statements(review))
    if review.error:
        found.append(f"The upgrade stops: {review.error}.")
        if review.left:
            found.append(
                "It leaves a part behind, so it can neither be run again nor taken back: "
                + " ".join(review.left)
            )
        return found
    found += [f"The index {name} is invalid, and nobody uses it." for name in review.invalid]
    found += [f"The application as it was fails afterwards, {each}." for each in review.broken]
    if review.back:
        found.append(f"There is no way back: {review.back}.")
    else:
        found += [f"The way back does not restore it. {each}" for each in review.not_back]
        found += [f"The way back does not bring it back: {each}" for each in review.lost]
    if review.again and not review.not_back:  # which says it already
        found.append(f"After the way back, the upgrade does not run again: {review.again}.")
    return found


def _of_statements(review: Review) -> Iterator[str]:
    slow: dict[str, list[str]] = {}  # what they do, by who waits meanwhile
    for number, each in shown(review):
        if each.error and each.alone and not each.committed:
            yield f"Statement {number} may not be in a transaction: it needs an autocommit_block."
        work = worked(review, each)
        if work and each.waits:
            who = f"{_who(each.waits)} wait{_since(review, each)}"
            slow.setdefault(who, []).append(f"statement {number} {work}")
        elif work and each.held and not each.committed:
            rows = " and ".join(
                f"{number:,} rows of {table}" for table, number in each.held.items()
            )
            yield f"Statement {number} keeps {rows} until the end: who changes one of them waits."
    for who, works in slow.items():
        yield f"{who[0].upper()}{who[1:]} while {', '.join(works)}: longer with more rows."
    if review.unlimited:
        numbers = [str(number) for number, each in shown(review) if each in review.unlimited]
        yield (
            f"Nothing limits how long statement {' and '.join(numbers)} waits for its lock, and all"
            " who come after it wait as long: neither env.py nor PGOPTIONS sets lock_timeout."
        )
    for rerun in review.reruns:
        place = f"Broken off at statement {_number(review, rerun.at)}"
        if rerun.error and rerun.left:
            yield (
                f"{place}, it leaves a part behind, and the next upgrade stops: {rerun.error}."
                " What is committed at once wants a revision of its own."
            )
        elif not rerun.error and rerun.differs:
            yield f"{place}, the next upgrade passes all the same. {' '.join(rerun.differs)}"


def _number(review: Review, at: int) -> int:
    """A statement's number, by its index."""
    return next(n for n, each in shown(review) if each is review.statements[at])


def shown(review: Review) -> list[tuple[int, Statement]]:
    """The statements that are worth a line, with their numbers."""
    worth = [
        each
        for each in review.statements
        if each.error
        or each.changed
        or not SILENT.match(each.sql)
        or any(readable(mode) != "ACCESS SHARE" for mode in each.locks.values())
    ]
    return list(enumerate(worth, 1))


def worked(review: Review, each: Statement) -> str:
    """What takes a statement longer where there are more rows, in words; nothing where nothing does."""

    def many(table: str, number: int) -> bool:
        return number >= max(1, HALF * review.counts.get(table, 0))

    # TRUNCATE gives a new file, too, and reads no row for it
    words = [f"writes {table} anew" for table in each.rewritten if each.read.get(table)]
    for table, number in each.changed.items():
        if table not in each.rewritten and many(table, number):
            words.append(f"changes {number:,} rows of {table}")
    for table, number in each.read.items():
        if table not in {*each.rewritten, *each.changed} and many(table, number):
            words.append(f"reads all rows of {table}")
    return " and ".join(words)


def _since(review: Review, each: Statement) -> str:
    """The earlier statement of the transaction since which they wait, if it is not this one."""
    first = each
    for other in reversed(review.statements[: review.statements.index(each)]):
        if other.committed or not other.waits.keys() & each.waits.keys():
            break
        first = other
    number = "" if first is each else _number(review, review.statements.index(first))
    return f" since statement {number}" if number else ""


def _who(waits: dict[str, tuple[str, ...]]) -> str:
    """Who waits: "readers and writers of jobs, writers of companies"."""
    return ", ".join(f"{' and '.join(who)} of {table}" for table, who in waits.items())


# ---- the forms -----------------------------------------------------------------------------------


def text(review: Review) -> str:
    """The review as plain text."""
    lines = [_title(review), ""]
    for number, each in shown(review):
        sql = _short(each.sql)
        lines += [
            f"{number:>2}  {line}" if not at else f"    {line}" for at, line in enumerate(sql)
        ]
        lines += [f"    - {fact}" for fact in facts(review, each)]
    back = _back(review)
    lines += ["", f"Way back: {back}"] if back else []
    lines += [f"Without rows: {each}" for each in _without(review)]
    found = objections(review)
    lines += ["", *([f"! {each}" for each in found] or ["Nothing to object."])]
    return "\n".join(lines)


def markdown(review: Review) -> str:
    """The review as Markdown, for a pull request."""
    lines = [f"#### {_title(review)}", ""]
    if shown(review):
        lines += ["| | statement | what it does |", "|---|---|---|"]
    for number, each in shown(review):
        sql = " ".join(_short(each.sql)).replace("|", "\\|").replace("`", "'")
        words = "<br>".join(facts(review, each)).replace("|", "\\|")
        lines.append(f"| {number} | `{sql}` | {words} |")
    back = _back(review)
    lines += ["", f"**Way back:** {back}"] if back else []
    lines += [f"\n**Without rows:** {each}" for each in _without(review)]
    found = objections(review)
    lines += ["", *([f"- \N{WARNING SIGN} {each}" for each in found] or ["**Nothing to object.**"])]
    return "\n".join(lines) + "\n"


def facts(review: Review, each: Statement) -> list[str]:
    """What was measured of a statement, a line for each table and one for the rest."""
    if each.error:
        return [f"stops with {each.error}"]
    found = [
        f"{table}: {readable(mode)}{_waiting(review, each, table)}"
        for table, mode in each.locks.items()
    ]
    found += [
        f"{table}: {' and '.join(who)} wait"
        for table, who in each.waits.items()
        if table not in each.locks and _new(review, each, table)
    ]
    rest = [worked(review, each) or _few(each), _seconds(each.seconds)]
    if each.held:
        rest.insert(1, ", ".join(f"{n:,} rows of {t} locked" for t, n in each.held.items()))
    if each.committed:
        why = "it may not be in a transaction" if each.alone else "in an autocommit_block"
        rest.append(f"committed at once: {why}")
    found += [
        f"broken off, it leaves {' and '.join(rerun.invalid)} invalid; the next upgrade stops at that"
        for rerun in review.reruns
        if review.statements[rerun.at] is each and rerun.invalid and rerun.error
    ]
    return [*found, ", ".join(filter(None, rest))]


def _few(each: Statement) -> str:
    return ", ".join(f"changes {n:,} rows of {t}" for t, n in each.changed.items())


def _waiting(review: Review, each: Statement, table: str) -> str:
    """Who waits for a table that is locked; nothing where they waited for it before."""
    if table not in each.waits:
        return ", nobody waits"
    return f", {' and '.join(each.waits[table])} wait" if _new(review, each, table) else ""


def _new(review: Review, each: Statement, table: str) -> bool:
    """Whether those who wait for a table did not do so before the statement."""
    at = review.statements.index(each)
    before = review.statements[at - 1] if at else each
    return before is each or before.committed or before.waits.get(table) != each.waits[table]


def _seconds(seconds: float) -> str:
    return f"≈ {seconds:.1f} s" if seconds >= 1 else f"≈ {seconds * 1000:.0f} ms"


def _title(review: Review) -> str:
    return f"{review.revision}, {review.message}: {review.rows:,} rows in each table"


def _back(review: Review) -> str:
    if review.error:
        return "not tried, because the upgrade fails."
    if review.back or review.not_back or review.lost:
        return ""  # the objections say it
    return "restores the schema and all rows."


def _without(review: Review) -> list[str]:
    return [f"{table} ({why})" for table, why in review.unfilled.items()]


def _short(sql: str) -> Sequence[str]:
    lines = [line.rstrip() for line in sql.strip().splitlines() if line.strip()]
    whole = "\n".join(lines)
    return (whole if len(whole) <= LONGEST else whole[:LONGEST] + " ...").splitlines()

"""Traffic in the learner's database: what it shows of waiting, of holding and of patience."""

import contextlib
import itertools
import re
import time
from collections.abc import Iterator

import psutil
import psycopg2
import pytest
from nbval.plugin import get_sanitize_patterns

from workbook import ROOT, WorkbookError
from workbook.pictures.traffic import draw
from workbook.theatre import Record, Request, Span, Traffic, line_up, seen, traffic

ALTER = "ALTER TABLE jobs ADD COLUMN IF NOT EXISTS remote boolean NOT NULL DEFAULT false"
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name IN ('reader', 'writer', 'watcher', 'report')
"""


@pytest.fixture
def session(database: str) -> Iterator["psycopg2.extensions.cursor"]:
    """A session as a migration has it; the table that people work with."""
    with contextlib.closing(psycopg2.connect("")) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CREATE TABLE jobs (id serial PRIMARY KEY, description text)")
        cursor.execute("INSERT INTO jobs (description) SELECT 'x' FROM generate_series(1, 20)")
        yield cursor


Cursor = psycopg2.extensions.cursor


def value(session: Cursor, query: str) -> object:
    session.execute(query)
    return session.fetchall()[0][0]


def all_gone(session: Cursor) -> bool:
    """Whether the crowd's sessions end; the server needs a moment to see it."""
    for _ in range(100):
        if value(session, SESSIONS) == 0:
            return True
        time.sleep(0.1)
    return False


def test_everybody_waits_behind_a_migration_that_waits(session: Cursor) -> None:
    with traffic(report=1.5) as crowd:
        session.execute(ALTER)
    share = crowd.of()
    assert (share.reads < 0.1, share.writes < 0.1) == (True, True), str(crowd)
    assert crowd.longest("read") > 1 < crowd.longest("write")
    assert crowd.record.locks[0].words == "waits for ACCESS EXCLUSIVE"
    assert "waits for ACCESS EXCLUSIVE" in str(crowd)
    before = ["id", "description"]
    assert crowd.record.columns == (before, [*before, "remote"])
    assert crowd.errors == []
    assert all_gone(session)


def test_most_get_through_where_the_migration_gives_up(session: Cursor) -> None:
    session.execute("SET lock_timeout = '100ms'")
    attempts = 0
    with traffic(report=1.5) as crowd:
        while True:
            attempts += 1
            try:
                session.execute(ALTER)
                break
            except psycopg2.errors.LockNotAvailable:
                time.sleep(0.4)
    assert attempts > 1
    share = crowd.of()
    assert (share.reads > 0.5, share.writes > 0.5) == (True, True), str(crowd)


def test_without_a_migration_nobody_waits(session: Cursor) -> None:
    with traffic(readers=2, writers=1, report=0) as crowd:
        assert value(session, SESSIONS) == 5
    assert crowd.of().reads == crowd.of().writes == 1
    assert crowd.record.locks == []
    assert {each.kind for each in crowd.record.requests} == {"read", "write"}
    assert "migration" not in str(crowd)


def test_parts_are_told_apart(session: Cursor) -> None:
    with traffic(readers=2, writers=2) as crowd:
        with crowd.part("readers may"):
            session.execute("BEGIN; LOCK TABLE jobs IN SHARE MODE")
            time.sleep(0.7)
            session.execute("COMMIT")
        with crowd.part("all may"):
            time.sleep(0.7)
    first, second = crowd.of("readers may"), crowd.of("all may")
    assert first.writes < 0.1, str(crowd)
    assert min(first.reads, second.reads, second.writes) > 0.4, str(crowd)
    assert first.longest_write > 0.5
    assert "holds SHARE" in {each.words for each in crowd.record.locks}
    with pytest.raises(WorkbookError, match=r'no part "other": there is readers may, all may\.'):
        crowd.of("other")


def test_an_error_in_the_with_leaves_nobody_behind(session: Cursor) -> None:
    with pytest.raises(ZeroDivisionError), traffic() as crowd:
        family = [psutil.Process(crowd._crowd.process.pid)]
        1 / 0  # noqa: B018
    assert psutil.wait_procs(family, timeout=20)[1] == []
    assert all_gone(session)


def test_a_table_that_is_not_there(session: Cursor) -> None:
    with pytest.raises(WorkbookError, match=r'^There is no traffic: relation "shops" does not'):
        traffic("shops").__enter__()
    with pytest.raises(WorkbookError, match=r'^They cannot line up: relation "shops" does not'):
        line_up(one="SELECT FROM jobs", two="SELECT FROM shops")


BLOCKED = """
SELECT string_agg(a.application_name || ' < ' || b.application_name, ', ' ORDER BY a.backend_start)
FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) AS p
JOIN pg_stat_activity b ON b.pid = p WHERE a.datname = current_database()
"""


def test_a_queue_stands_until_it_is_ended(session: Cursor) -> None:
    statements = {
        "report": "SELECT FROM jobs",
        "migration": ALTER,
        "reader": "SELECT FROM jobs",
    }
    for _ in range(2):  # the second takes the place of the first
        queue = line_up(**statements)
        assert value(session, BLOCKED) == "migration < report, reader < migration"
    queue.end()
    assert value(session, BLOCKED) is None
    session.execute("SET lock_timeout = '1s'")
    session.execute(ALTER)  # nobody is in the way, and the first one was rolled back
    assert value(session, "SELECT count(remote) FROM jobs") == 20


@pytest.mark.parametrize(
    ("locks", "words"),
    [
        ([], ""),
        ([("AccessExclusiveLock", False), ("ShareLock", True)], "waits for ACCESS EXCLUSIVE"),
        ([("RowExclusiveLock", True), ("ShareUpdateExclusiveLock", True)], "holds SHARE UPDATE"),
        ([("a transaction", False)], "waits for a transaction"),
        ([("SomethingNewLock", True)], ""),
    ],
)
def test_what_the_watcher_says(locks: list[tuple[str, bool]], words: str) -> None:
    assert seen(locks) == words or (words and seen(locks).startswith(words + " "))


def played() -> Traffic:
    """Two seconds: a request each tenth, none in the third half second but one that takes it all."""
    crowd = traffic(report=1)
    times = [each / 10 for each in range(20) if not 10 <= each < 15]
    requests = [Request("read", time, 0.01) for time in times]
    requests += [Request("write", 1.0, 0.5), Request("write", 1.5, 0.01, "UndefinedColumn")]
    crowd.record = Record(0, 2, requests, [Span(1, 1.5, "waits for <x>")], [Span(-1, 1.5, "open")])
    return crowd


def test_the_picture_says_the_same_in_words() -> None:
    picture = draw(played())
    lines = [re.split(r"\s{2,}", line) for line in str(picture).splitlines()]
    assert ["1.0", "0", "1", "open", "waits for <x>"] in lines
    assert ["1.5", "5", "0"] in lines
    assert "1 failed: UndefinedColumn." in str(picture)
    html = picture.rich["text/html"]
    assert "waits for &lt;x&gt;" in html
    assert html.count('class="bar"') == 8
    assert "<x>" not in html


PARTS = {  # seconds, as a million rows took them
    "one UPDATE": ("ROW EXCLUSIVE", 5.6),
    "batches": ("ROW EXCLUSIVE", 17.4),
    "a type": ("ACCESS EXCLUSIVE", 1.0),
    "an index": ("SHARE", 0.7),
    "an index, concurrently": ("SHARE UPDATE EXCLUSIVE", 0.8),
}


def test_a_long_time_has_room_for_all_that_it_says() -> None:
    crowd, now = traffic(), 0.5
    for words, (mode, seconds) in PARTS.items():
        crowd.parts.append(Span(now, now + seconds, words))
        crowd.record.locks.append(Span(now, now + seconds, f"holds {mode}"))
        now += seconds + 0.25
    times = [each / 100 for each in range(int(now * 100))]
    crowd.record.requests = [Request("read", time, 0.001) for time in times]
    crowd.record.ended = now
    html = draw(crowd).rich["text/html"]
    lines: dict[str, list[tuple[float, float]]] = {}
    for x, y, anchor, words in re.findall(r'<text x="(.*?)" y="(.*?)" .*?"(\w+)">(.*?)<', html):
        wide = 6.5 * len(words)
        left = float(x) - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
        lines.setdefault(y, []).append((left, left + wide))
    for line in map(sorted, lines.values()):
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(line)), line
    said = " ".join(re.findall(r"<text.*?>(.*?)<", html))
    assert all(f" {words}" in said for words in PARTS)
    drawn = {
        mode: high for high, mode in re.findall(r'height="([\d.]+)"><title>holds (.*?)<', html)
    }
    heights = [float(drawn[mode]) for mode in ("ACCESS EXCLUSIVE", "SHARE", "ROW EXCLUSIVE")]
    assert heights == sorted({*heights}, reverse=True)


def test_what_differs_in_each_run_is_not_compared() -> None:
    text = (ROOT / "workbook" / "author" / "sanitize.cfg").read_text("utf-8")
    picture = draw(played())
    for said in (str(picture), picture.rich["text/html"]):
        for regex, replacement in get_sanitize_patterns(text):
            said = re.sub(regex, replacement, said)
        assert said == "TRAFFIC"

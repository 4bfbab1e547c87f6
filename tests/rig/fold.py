"""The queues by SQL over the journal's segments: what any operator with sqlite3 can do, and what the daemon must say.

A segment is one SQLite file. The newest whose checkpoint is complete (or the first) gives the start: packed entries
of 72 bytes with the last event each includes. Every event since that segment's start that moves a FlowFile counts, but
those that a later segment overrules by its first number; the last one of each FlowFile wins, queue 0 is its end.
"""

import shutil
import sqlite3
import struct
import tempfile
from pathlib import Path

ENTRY = struct.Struct("<QQQIIqqqQIHH")
CRC32C = [0] * 256
for _n in range(256):
    _c = _n
    for _ in range(8):
        _c = (_c >> 1) ^ (0x82F63B78 if _c & 1 else 0)
    CRC32C[_n] = _c


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC32C[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def checkpoint_entries(db):
    """(flowfile, seq, queue) of every entry of the segment's checkpoint."""
    for entries, crc in db.execute("SELECT entries, crc FROM checkpoint ORDER BY block"):
        assert len(entries) % ENTRY.size == 0 and crc32c(entries) == crc & 0xFFFFFFFF, "a checkpoint block is damaged"
        for flowfile, seq, _, _, queue, *_ in ENTRY.iter_unpack(entries):
            yield flowfile, seq, queue


def meta(db, key):
    """None too where a kill left a file without tables, which the next start makes anew."""
    try:
        row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    except sqlite3.OperationalError:
        return None
    return row and row[0]


def segments(journal):
    return sorted(path for path in Path(journal).glob("[0-9]*.db") if path.stem.isdigit())


def read(journal, look):
    """look(connections): the segments from the newest complete checkpoint on, as copies, so that nobody is disturbed."""
    with tempfile.TemporaryDirectory() as folder:
        # Logs first: what the sealer moves meanwhile from a log into its file is then in the file.
        for path in sorted(Path(journal).iterdir(), key=lambda path: not path.name.endswith("-wal")):
            if path.suffix != ".db-shm" and path.is_file():
                shutil.copy(path, folder)
        connections = [sqlite3.connect(path) for path in segments(folder)]
        try:
            made = [db for db in connections if meta(db, "first")]
            base = max((i for i, db in enumerate(made) if meta(db, "complete")), default=0)
            return look(made[base:])
        finally:
            for db in connections:
                db.close()


def queues_of(connections):
    fold = sqlite3.connect(":memory:")
    fold.execute("CREATE TABLE moved(flowfile INTEGER, seq INTEGER, queue INTEGER)")
    fold.execute("CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT)")
    for db in connections:
        fold.executemany("INSERT OR IGNORE INTO name VALUES(?, ?)", db.execute("SELECT id, text FROM name"))
    fold.executemany("INSERT INTO moved VALUES(?, ?, ?)", checkpoint_entries(connections[0]) if connections else ())
    firsts = [meta(db, "first") for db in connections]
    for number, db in enumerate(connections):
        end = min(firsts[number + 1:], default=1 << 62)
        fold.executemany("INSERT INTO moved VALUES(?, ?, ?)",
                         db.execute("SELECT flowfile, seq, queue FROM event WHERE flowfile > 0 AND queue IS NOT NULL AND seq < ?", (end,)))
    rows = fold.execute("SELECT name.text, count(*) FROM (SELECT flowfile, max(seq), queue FROM moved GROUP BY flowfile) AS last"
                        " JOIN name ON name.id = last.queue WHERE last.queue > 0 GROUP BY name.text").fetchall()
    fold.close()
    return dict(rows)


def queues(state):
    """Queue name to number of FlowFiles."""
    return read(Path(state) / "journal", queues_of)


def types_of(connections):
    counts = {}
    for db in connections:
        for name, count in db.execute("SELECT type, count(*) FROM provenance GROUP BY type"):
            counts[name] = counts.get(name, 0) + count
    return counts


def types(state):
    """Type of provenance to number of events, by the segments' own view."""
    return read(Path(state) / "journal", types_of)

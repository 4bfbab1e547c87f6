"""What the scenarios share: a store (moto), a daemon to start and kill, a client, a proxy that fails on demand, the
fold of a journal. Nothing here knows of the daemon's insides but fold.py, which reads its segments as an operator with
sqlite3 would."""

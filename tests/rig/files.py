"""Files to send: sizes spread over orders of magnitude, bytes that depend on a seed alone."""

import hashlib
import math
import random

LEAST, MOST = 1000, 5_000_000


def sizes(count, total, seed=1):
    """`count` sizes from 1 KB to 5 MB, log-uniform, bent so that they make about `total` bytes in all: evenly
    log-uniform ones would have a mean of 587 KB."""
    draws = sorted(random.Random(seed).random() for _ in range(count))
    draws[0], draws[-1] = 0.0, 1.0

    def bent(power):
        return [int(LEAST * math.exp(math.log(MOST / LEAST) * draw ** power)) for draw in draws]

    low, high = 0.1, 50.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(bent(middle)) > total else (low, middle)
    result = bent(high)
    random.Random(seed + 1).shuffle(result)
    return result


def make(folder, count, total, seed=1, folders=17):
    """Writes the files under `folder`; gives path (relative) to SHA-256."""
    chance, made = random.Random(seed), {}
    for number, size in enumerate(sizes(count, total, seed)):
        name = f"d{number % folders:02}/file-{number:05}.{'jpg' if number % 3 else 'json'}"
        data = chance.randbytes(size)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        made[name] = hashlib.sha256(data).hexdigest()
    return made


def left_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())

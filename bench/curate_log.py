"""A call log of any size from the recorded calls: their sessions again and again, each time with other ids and people."""

import gzip
import hashlib
import json
import re

PERSON = re.compile(r"\b([a-z]+)_([a-z]+)_(\d{4})\b")
EMAIL = re.compile(r"(?<![A-Za-z0-9._+\\-])[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+\.[a-z]{2,}\b")
NAME = re.compile(r'(\\*"(?:first|last)_name\\*": \\*")([A-Z][a-z]+)(\\*")')
SYLLABLES = ("ba", "da", "fe", "gi", "ko", "la", "me", "ni", "po", "ra", "so", "tu", "va", "wi", "ze", "lin", "mar", "ton")


def other_name(name, turn):
    """Another word for the same word in one turn."""
    digest = hashlib.blake2b(f"{turn}/{name.lower()}".encode(), digest_size=4).digest()
    word = "".join(SYLLABLES[byte % len(SYLLABLES)] for byte in digest[:3])
    return word.capitalize() if name[0].isupper() else word


def other_people(line, turn):
    line = NAME.sub(lambda match: match[1] + other_name(match[2], turn) + match[3], line)
    line = PERSON.sub(lambda match: f"{other_name(match[1], turn)}_{other_name(match[2], turn)}_{match[3]}", line)
    return EMAIL.sub(lambda match: f"{other_name(match[0].partition('@')[0], turn)}.{turn}@"
                     + match[0].partition("@")[2], line)


def first_user_message(request):
    for message in request.get("messages", ()):
        if message.get("role") == "user" and isinstance(message.get("content"), str):
            return message
    return None


def another(line, session, turn):
    """The call in a session of its own: other ids, other people, and the person who asked named in the first message."""
    record = json.loads(other_people(line, turn))
    record["id"] = f"t{turn}-{record['id']}"
    record["meta"] = {**record.get("meta", {}), "session": f"t{turn}-{session}"}
    message = first_user_message(record["request"])
    if message:
        first, last = other_name(session + "a", turn).capitalize(), other_name(session + "b", turn).capitalize()
        message["content"] += (f"\n\nThis was asked by Ms. {first} {last}, {first.lower()}.{last.lower()}@acme.example, "
                               f"case {turn}-{session[-24:]}.")
    return json.dumps(record, ensure_ascii=False)


def session_of(record):
    meta = record.get("meta", {})
    for key in ("session", "run", "project", "cassette", "path"):
        if key in meta:
            return f"{record['source']}/{meta[key]}" if "source" in record else str(meta[key])
    return record["id"].rpartition("/")[0] or record["id"].rpartition("-")[0]


def write_calls(data, target, count):
    """`count` records as plain JSONL; the first turn is the recorded calls as they are."""
    lines = []
    for path in sorted((data / "calls").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as records:
            lines += [line.rstrip("\n") for line in records if line.strip()]
    sessions = [session_of(json.loads(line)) for line in lines]
    written = turn = 0
    with target.open("w", encoding="utf-8") as out:
        while written < count:
            for line, session in list(zip(lines, sessions))[:count - written]:
                out.write((another(line, session, turn) if turn else line) + "\n")
                written += 1
            turn += 1
    return target.stat().st_size

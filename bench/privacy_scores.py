"""What `understudy scan` finds in labelled sets, as precision, recall and F2 per type. Pure functions of spans.

A found span counts for a labelled one of the same type when they overlap by half of their union (IoU >= 0.5). On both
sides neighbours of one type with nothing but spaces and punctuation between them are joined first, as
presidio-research does: whether "Apt. 3, Oak Street, Springfield" is one place or three is a convention.
"""

import collections

# Presidio counts addresses as places and domain names as links; titles it does not look for.
SAME_AS = {"ADDRESS": "LOCATION", "STREET_ADDRESS": "LOCATION", "GPE": "LOCATION", "DOMAIN_NAME": "URL"}
IGNORED = {"TITLE", "PREFIX"}
IOU_MIN = 0.5
BETWEEN_MAX = 4  # characters


def join_neighbours(text, spans):
    joined = []
    for start, end, kind in sorted(spans):
        if joined:
            last_start, last_end, last_kind = joined[-1]
            between = text[last_end:start]
            if last_kind == kind and start >= last_end and len(between) <= BETWEEN_MAX and not any(
                    c.isalnum() for c in between):
                joined[-1] = (last_start, end, kind)
                continue
        joined.append((start, end, kind))
    return joined


def overlap(left, right):
    common = min(left[1], right[1]) - max(left[0], right[0])
    return common / (max(left[1], right[1]) - min(left[0], right[0])) if common > 0 else 0.0


class Scores:
    """True and false positives and false negatives per type."""

    def __init__(self):
        self.hits, self.exact, self.found, self.wanted = (collections.Counter() for _ in range(4))
        self.missed, self.wrong = collections.defaultdict(list), collections.defaultdict(list)

    def add(self, text, wanted, found):
        open_spans = list(found)
        for span in wanted:
            self.wanted[span[2]] += 1
            best = max((other for other in open_spans if other[2] == span[2]), key=lambda other: overlap(span, other),
                       default=None)
            if best is not None and overlap(span, best) >= IOU_MIN:
                open_spans.remove(best)
                self.hits[span[2]] += 1
                self.exact[span[2]] += best[:2] == span[:2]
            else:
                self.missed[span[2]].append((text, text[span[0]:span[1]]))
        for span in found:
            self.found[span[2]] += 1
        for span in open_spans:
            self.wrong[span[2]].append((text, text[span[0]:span[1]]))

    def of(self, *kinds):
        hits, found, wanted, exact = (sum(counter[kind] for kind in kinds)
                                      for counter in (self.hits, self.found, self.wanted, self.exact))
        precision = hits / found if found else 0.0
        recall = hits / wanted if wanted else 0.0
        f2 = 5 * precision * recall / (4 * precision + recall) if hits else 0.0
        return {"spans": wanted, "precision": round(precision, 4), "recall": round(recall, 4), "F2": round(f2, 4),
                "exact": round(exact / wanted, 4) if wanted else 0.0}

    def kinds(self):
        return sorted(self.wanted, key=lambda kind: -self.wanted[kind])


def score_sentences(sentences, spans_of):
    """`sentences`: presidio-research's records. `spans_of`: index -> [(start, end, type)]. Found types that the set
    does not label are left out."""
    labelled = {SAME_AS.get(span["entity_type"], span["entity_type"]) for sentence in sentences
                for span in sentence["spans"]} - IGNORED
    scores = Scores()
    for index, sentence in enumerate(sentences):
        text = sentence["full_text"]
        wanted = [(span["start_position"], span["end_position"], SAME_AS.get(span["entity_type"], span["entity_type"]))
                  for span in sentence["spans"] if span["entity_type"] not in IGNORED]
        found = [span for span in spans_of(index) if span[2] in labelled]
        scores.add(text, join_neighbours(text, wanted), join_neighbours(text, found))
    return scores


def score_cases(cases, spans_of):
    """Vectors of single types: (positives right, positives, negatives right, negatives) per type, and what went wrong."""
    result, wrong = collections.defaultdict(lambda: [0, 0, 0, 0]), []
    for index, case in enumerate(cases):
        kinds = set(case["entity"])
        found = [span for span in spans_of(index) if span[2] in kinds]
        places = [place for place in case["spans"] or [] if isinstance(place, list)]
        if places:
            right = all(any(overlap((*place, ""), span) >= IOU_MIN for span in found) for place in places)
        else:
            right = bool(found) == bool(case["n"])
        for kind in kinds:
            counts = result[kind]
            counts[1 if case["n"] else 3] += 1
            counts[0 if case["n"] else 2] += right
        if not right:
            wrong.append((case["entity"], case["n"], case["text"]))
    return dict(result), wrong

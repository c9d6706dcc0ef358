"""SIMULATED agents, modelled on the systems that "Small Language Models are the Future of Agentic AI" looks at.

Each agent makes seeded chat-completions requests and knows the right answer to any request of its kind, read
from the request alone: that is the oracle behind examples/simulated_upstream.py. Nothing here was recorded.

    intent    a support desk's router: the answer is one of 12 labels
    think     a role of a software company (after MetaGPT's Role._think) chooses its next stage: a number
    extract   facts of a customer e-mail as JSON of a fixed schema
    tools     a back office picks one of four tools and copies the arguments (like Stagehand's act grounding)
    writing   product copy, open-ended: two answers to the same request differ
"""

import argparse
import dataclasses
import itertools
import json
import random
import re

import vocabulary as words

MODEL = "simulated-llm"


@dataclasses.dataclass(frozen=True)
class Call:
    agent: str
    session: str
    request: dict
    answer: dict  # the assistant's message that the oracle gives


def text_answer(text):
    return {"role": "assistant", "content": text}


class Values:
    """Random values, the same ones for the same seed; `fields` fills the {slots} of a phrase."""

    def __init__(self, rng):
        self.rng = rng

    def order(self):
        return f"{self.rng.choice('ABCDEFGHJKLMNPRSTUVWXYZ')}-{self.rng.randrange(10000, 100000)}"

    def tracking(self):
        letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
        pick = self.rng.choice
        return f"{pick(letters)}{pick(letters)}{self.rng.randrange(10**8, 10**9)}{pick(letters)}{pick(letters)}"

    def email(self):
        first, last = self.rng.choice(words.FIRST_NAMES).lower(), self.rng.choice(words.LAST_NAMES).lower()
        local = self.rng.choice([f"{first}.{last}", f"{first}{last}", f"{first[0]}.{last}", f"{last}.{first}",
                                 f"{first}{self.rng.randrange(10, 100)}", f"{first}_{last}"])
        return f"{local}@{self.rng.choice(words.MAIL_DOMAINS)}.{self.rng.choice(words.MAIL_ENDINGS)}"

    def date(self):
        return f"202{self.rng.randrange(5, 8)}-{self.rng.randrange(1, 13):02}-{self.rng.randrange(1, 29):02}"

    def amount(self):
        return f"{self.rng.randrange(5, 900)}.{self.rng.choice(['00', '50', '90', '95', '99', '20', '49'])}"

    def street(self):
        return (f"{self.rng.randrange(1, 400)} {self.rng.choice(words.STREETS)} "
                f"{self.rng.choice(words.STREET_KINDS)}")

    def fill(self, phrase, **given):
        """Replaces each {field} that `phrase` names; a field occurs with one value per call of fill()."""
        rng = self.rng
        makers = {
            "first": lambda: rng.choice(words.FIRST_NAMES), "last": lambda: rng.choice(words.LAST_NAMES),
            "name": lambda: f"{rng.choice(words.FIRST_NAMES)} {rng.choice(words.LAST_NAMES)}",
            "product": lambda: rng.choice(words.PRODUCTS), "weekday": lambda: rng.choice(words.WEEKDAYS),
            "n": lambda: str(rng.randrange(2, 30)), "n2": lambda: str(rng.randrange(2, 30)),
            "order": self.order, "tracking": self.tracking, "email": self.email, "date": self.date,
            "amount": self.amount, "street": self.street, "city": lambda: rng.choice(words.CITIES),
            "zip": lambda: f"{rng.randrange(10000, 100000)}", "file": lambda: rng.choice(words.FILES),
            "time": lambda: f"{rng.randrange(7, 20):02}:{rng.choice(['00', '15', '30', '45'])}",
            "project": lambda: f"{rng.choice(words.PROJECT_KINDS)} {rng.choice(words.PROJECT_STYLES)}",
            "audience": lambda: rng.choice(words.AUDIENCES), "adjective": lambda: rng.choice(words.ADJECTIVES),
            "noun": lambda: rng.choice(words.NOUNS), "verb": lambda: rng.choice(words.VERBS),
            "verb_plain": lambda: rng.choice(words.VERBS).removesuffix("s"),
            "material": lambda: rng.choice(words.MATERIALS),
        }
        fixed = {"first", "last", "product"}  # one customer, one product in a message
        values = dict(given)

        def value(match):
            field = match.group(1)
            if field not in fixed or field not in values:
                values[field] = given[field] if field in given else makers[field]()
            return values[field]

        return re.sub(r"\{(\w+)\}", value, phrase)


class Agent:
    """One kind of call. `ask` makes a request's messages (and tools), `solve` answers any such request."""

    name = ""
    title = ""
    system = ""
    closed = False  # answers come from a small fixed set
    open_ended = False

    def ask(self, values):
        raise NotImplementedError

    def solve(self, request):
        raise NotImplementedError

    def request(self, values):
        body = {"model": MODEL, "temperature": 0}
        body |= self.ask(values)
        body["messages"] = [{"role": "system", "content": self.system}, *body["messages"]]
        return body

    def owns(self, request):
        messages = request.get("messages") or [{}]
        return messages[0].get("content") == self.system


def last_user_text(request):
    for message in reversed(request.get("messages", [])):
        if message.get("role") == "user" and isinstance(message.get("content"), str):
            return message["content"]
    return ""


def between(text, start, end):
    return text.partition(start)[2].rpartition(end)[0] if end else text.partition(start)[2]


def plain(text):
    """Lower case, no punctuation, usual misspellings undone: what the support desk's oracle reads."""
    text = re.sub(r"[^a-z0-9@{}_' ]+", " ", text.lower())
    correct = {wrong: right for right, wrong in words.MISSPELLINGS.items()}
    return " ".join(correct.get(word, word) for word in text.split())


class IntentAgent(Agent):
    name, title, closed = "intent", "support desk router", True
    system = ("You are the router of a web shop's support desk.\nRead the customer's message and decide which team "
              "gets it.\nThe labels are: " + ", ".join(words.INTENTS) +
              ".\nAnswer with exactly one label in lower case, no punctuation and no explanation.")

    def __init__(self):
        slot = {"amount": r"\d+ \d\d", "first": r"[a-z]+", "n": r"\d+", "weekday": r"[a-z]+",
                "product": r"[a-z -]+?"}
        self.patterns = []
        for intent, phrases in words.INTENTS.items():
            for phrase in phrases:
                pattern = re.sub(r"\\{(\w+)\\}", lambda m: slot[m.group(1)], re.escape(plain(phrase)))
                self.patterns.append((intent, len(phrase), re.compile(rf"\b{pattern}\b")))
        self.patterns.sort(key=lambda entry: -entry[1])

    def ask(self, values):
        rng = values.rng
        intent = rng.choice(list(words.INTENTS))
        phrases = words.INTENTS[intent]
        core = rng.choices(phrases, [1 / (1 + rank) for rank in range(len(phrases))])[0]  # some are rare, as in life
        if rng.random() < 0.5:
            core = core[0].upper() + core[1:]
        parts = [rng.choice(words.GREETINGS), rng.choice(words.CONTEXTS), core + rng.choice([".", "", "!", "?", "."]),
                 rng.choice(words.CONTEXTS), rng.choice(words.CLOSINGS)]
        if rng.random() < 0.5:
            parts[1], parts[3] = "", parts[3]
        message = " ".join(part for part in parts if part)
        message = re.sub(r"\bi\b", "I", message) if rng.random() < 0.6 else message
        message = values.fill(message)
        if rng.random() < 0.25:
            message = message.lower()
        if rng.random() < 0.3:
            message = " ".join(words.MISSPELLINGS.get(word, word) for word in message.split(" "))
        return {"messages": [{"role": "user", "content":
                              f"Customer message:\n{message}\n\nReply with the label only."}]}

    def solve(self, request):
        message = plain(between(last_user_text(request), "Customer message:\n", "\n\nReply"))
        for intent, _, pattern in self.patterns:
            if pattern.search(message):
                return text_answer(intent)
        return text_answer("speak_to_human")


class ThinkAgent(Agent):
    name, title, closed = "think", "software company, choice of the next stage", True
    system = "You are a helpful assistant."
    opening = "Here are your conversation records. You can decide which stage you should enter or stay in."
    stages = ("You can now choose one of the following stages:\n0. WritePRD\n1. WriteDesign\n2. WriteTasks\n"
              "3. WriteCode\n4. WriteCodeReview\n\nJust answer a number between 0 and 4. If you think that the goal "
              "is reached and no stage is needed, answer -1. Do not answer anything else.")

    def ask(self, values):
        rng = values.rng
        role, goal = rng.choice(words.ROLES)
        path = ["0", "1", "2", "3", "4"]
        for _ in range(rng.randrange(0, 3)):
            path += ["changes", "4"]
        path.append("-1")
        end = rng.randrange(1, len(path) + 1)
        project = values.fill("{project}")
        events = [values.fill(rng.choice(words.STAGE_EVENTS[stage]), project=project) for stage in path[:end]]
        events = events[max(0, end - 4):]  # a role remembers the latest records
        records = "\n".join(events)
        return {"messages": [{"role": "user", "content": (
            f"You are a {role}, named {rng.choice(words.FIRST_NAMES)}, your goal is to {goal}. {self.opening}\n"
            f"===\n{records}\n===\n{self.stages}")}]}

    def owns(self, request):
        return super().owns(request) and self.opening in last_user_text(request)

    def solve(self, request):
        records = between(last_user_text(request), "===\n", "\n===").strip().splitlines() or [""]
        speaker = records[-1].partition(":")[0]
        by_speaker = {"BOSS": "0", "Product Manager": "1", "Architect": "2", "Project Manager": "3", "Engineer": "4"}
        if speaker in by_speaker:
            return text_answer(by_speaker[speaker])
        unfinished = re.search(r"please fix|tests fail|needs changes", records[-1])
        return text_answer("3" if unfinished else "-1")


class ExtractAgent(Agent):
    name, title = "extract", "facts of a customer e-mail as JSON"
    system = ("You read e-mails of customers for a back office and write down the facts.\nAnswer with one JSON object "
              "and nothing else. Its keys: order_id, email, amount (a number without currency), date (YYYY-MM-DD), "
              "reason. A value that is not given is null.\nThe reason is one of: " + ", ".join(words.REASONS) +
              ".\nCopy values exactly as they are written.")
    schema = {"type": "object", "additionalProperties": False,
              "required": ["order_id", "email", "amount", "date", "reason"],
              "properties": {"order_id": {"type": "string"}, "email": {"type": ["string", "null"]},
                             "amount": {"type": "number"}, "date": {"type": "string"},
                             "reason": {"type": "string", "enum": list(words.REASONS)}}}

    def ask(self, values):
        rng = values.rng
        reason = rng.choice(rng.choice(list(words.REASONS.values())))
        form = rng.choice(words.EMAIL_FORMS)
        if re.match("Order|My|I want|From|{name}", form) and rng.random() < 0.5:
            form = rng.choice(["Hi! ", "Hello! ", "Good evening. ", "Please note: ", "Dear shop! "]) + form
        mail = values.fill(form, reason=reason)
        return {"messages": [{"role": "user", "content": f"E-mail:\n{mail}\n\nReply with the JSON object only."}],
                "response_format": {"type": "json_schema", "json_schema": {
                    "name": "refund_request", "strict": True, "schema": self.schema}}}

    def solve(self, request):
        mail = between(last_user_text(request), "E-mail:\n", "\n\nReply")
        amount = re.search(r"\d+\.\d\d(?= USD)", mail)
        reason = next((reason for reason, phrases in words.REASONS.items()
                       if any(phrase in mail for phrase in phrases)), "changed_mind")
        email = EMAIL.search(mail)
        # LLMs copy a price as it is written, 49.90 too; json.dumps() would make 49.9 of it.
        return text_answer(f'{{"order_id": "{first_match(ORDER, mail)}", "email": {json.dumps(email.group() if email else None)}, '
                           f'"amount": {amount.group() if amount else "null"}, '
                           f'"date": "{first_match(DATE, mail)}", "reason": "{reason}"}}')


ORDER = re.compile(r"\b[A-Z]-\d{5}\b")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
NAME = re.compile(r"\b(" + "|".join(words.FIRST_NAMES) + r") (" + "|".join(words.LAST_NAMES) + r")\b")
STREET = re.compile(r"\b\d+ \w+ (?:" + "|".join(words.STREET_KINDS) + r")\b")


def tool(name, description, **parameters):
    return {"type": "function", "function": {"name": name, "description": description, "parameters": {
        "type": "object", "additionalProperties": False, "required": list(parameters),
        "properties": {key: {"type": "string", "description": text} for key, text in parameters.items()}}}}


class ToolsAgent(Agent):
    name, title = "tools", "back office: choice of a tool with copied arguments"
    system = ("You are the back office assistant of a web shop.\nFor each request call exactly one tool.\nCopy order "
              "numbers, tracking numbers, addresses, dates and names exactly as they are written.\nNever answer with "
              "text.")
    tools = [
        tool("refund_order", "Pays an order back.", order_id="for example A-12345", email="the customer's e-mail"),
        tool("track_parcel", "Looks up a parcel.", tracking_number="13 characters"),
        tool("change_address", "Changes where an order is delivered.", order_id="for example A-12345",
             street="house number and street", zip="five digits", city="the city"),
        tool("book_meeting", "Books a call with a customer.", person="first and last name", date="YYYY-MM-DD",
             time="HH:MM"),
    ]

    def ask(self, values):
        rng = values.rng
        form = rng.choice(words.TOOL_FORMS[rng.choice(list(words.TOOL_FORMS))])
        text = rng.choice(words.TOOL_OPENINGS) + form + rng.choice(words.TOOL_CLOSINGS)
        return {"messages": [{"role": "user", "content": f"Request: {values.fill(text)}"}],
                "tools": self.tools, "tool_choice": "required"}

    def solve(self, request):
        text = between(last_user_text(request), "Request: ", "")
        tracking = re.search(r"\b[A-Z]{2}\d{9}[A-Z]{2}\b", text)
        order, time, code = ORDER.search(text), re.search(r"\b\d\d:\d\d\b", text), re.search(r"(?<![-\d])\d{5}\b", text)
        if time:
            name, arguments = "book_meeting", {"person": first_match(NAME, text), "date": first_match(DATE, text),
                                               "time": time.group()}
        elif code:
            street = first_match(STREET, text)
            city = next((city for city in re.findall(r"[A-Z][a-z]+", text.replace(street, ""))
                         if city in words.CITIES), "")
            name, arguments = "change_address", {"order_id": first_match(ORDER, text), "street": street,
                                                 "zip": code.group(), "city": city}
        elif tracking:
            name, arguments = "track_parcel", {"tracking_number": tracking.group()}
        else:
            name, arguments = "refund_order", {"order_id": order.group() if order else "",
                                               "email": first_match(EMAIL, text)}
        return {"role": "assistant", "content": None, "tool_calls": [
            {"id": f"call_{random.randrange(16**12):012x}", "type": "function",
             "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}}]}


def first_match(pattern, text):
    match = pattern.search(text)
    return match.group() if match else ""


class WritingAgent(Agent):
    name, title, open_ended = "writing", "product copy (open-ended)", True
    system = ("You write product copy for a web shop's newsletter.\nEach text is fresh, vivid and unlike any other.\n"
              "Keep to the tone that is asked for, and end with a call to action.")

    def ask(self, values):
        rng = values.rng
        product, tone = rng.choice(words.PRODUCTS), rng.choice(words.TONES)
        return {"temperature": 1, "messages": [{"role": "user", "content": (
            f"Product: {product}\nTone: {tone}\nAudience: {rng.choice(words.AUDIENCES)}\n"
            f"Write {rng.randrange(3, 6)} sentences.")}]}

    def solve(self, request):
        product = between(last_user_text(request), "Product: ", "\nTone:") or "product"
        count = re.search(r"Write (\d+)", last_user_text(request))
        rng = random.Random()  # unseeded on purpose: the same request gets another text each time
        values = Values(rng)
        middle = rng.sample(words.MIDDLES, min(len(words.MIDDLES), max(1, int(count.group(1)) - 2 if count else 2)))
        text = " ".join([rng.choice(words.OPENERS), *middle, rng.choice(words.ENDERS)])
        return text_answer(values.fill(text, product=product))


AGENTS = {agent.name: agent for agent in (IntentAgent(), ThinkAgent(), ExtractAgent(), ToolsAgent(), WritingAgent())}


def oracle(request):
    """The assistant's message for a request of one of the agents, or None when no agent would ask this."""
    for agent in AGENTS.values():
        if agent.owns(request):
            return agent.solve(request)
    return None


def request_key(request):
    return json.dumps({key: request.get(key) for key in ("messages", "tools")}, sort_keys=True)


def generate(name, seed, count, exclude=()):
    """`count` calls of one agent in sessions of one to four. `exclude`: request keys that must not come again."""
    agent = AGENTS[name]
    rng = random.Random(f"{name}/{seed}")
    excluded, calls = set(exclude), []
    for number in itertools.count():
        session = f"{name}-{seed}-{number}"
        for _ in range(rng.randrange(1, 5)):
            request = agent.request(Values(rng))
            if exclude and request_key(request) in excluded:
                continue
            calls.append(Call(name, session, request, agent.solve(request)))
            if len(calls) == count:
                return calls


def record(call, call_id):
    """A call as one line of the JSONL that `understudy import` reads."""
    finish = "tool_calls" if call.answer.get("tool_calls") else "stop"
    return {"id": call_id, "source": "simulated", "session": call.session, "request": call.request,
            "response": {"object": "chat.completion", "model": MODEL, "choices": [
                {"index": 0, "message": call.answer, "finish_reason": finish}]}}


def same_answer(left, right):
    """Whether two assistant messages say the same: tool calls by name and arguments, JSON by value, else text."""
    def meaning(message):
        calls = message.get("tool_calls") or []
        if calls:
            return [(call["function"]["name"], parsed(call["function"]["arguments"])) for call in calls]
        text = (message.get("content") or "").strip()
        value = parsed(text)
        return value if isinstance(value, (dict, list)) else text.lower()

    def parsed(text):
        try:
            return json.loads(text)
        except ValueError:
            return text

    return meaning(left) == meaning(right)


def main():
    """Writes calls as `understudy import` reads them: python3 examples/agents.py intent --count 100 > calls.jsonl"""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agents", nargs="*", metavar="AGENT", help="default: all of them")
    parser.add_argument("--count", type=int, default=100, help="calls of each agent")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.agents or AGENTS:
        if name not in AGENTS:
            parser.error(f"no agent {name}; there are {', '.join(AGENTS)}")
        for number, call in enumerate(generate(name, options.seed, options.count)):
            print(json.dumps(record(call, f"simulated-{name}-{options.seed}-{number}"), ensure_ascii=False))


if __name__ == "__main__":
    main()

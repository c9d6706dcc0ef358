"""Word lists of the simulated agents: the values that their requests carry and the ways to say things.

Plain data. `agents.py` puts them together; nothing here was recorded from real people.
"""

FIRST_NAMES = """Ada Adam Aiko Alan Alba Alice Amir Amy Ana Andre Anke Anton Asha Ben Bianca Boris Brenda
Carl Carla Chen Chloe Clara Claudia Colin Dana Daniel Daria David Diego Dilan Dora Edith Elena Eli Emil
Emma Erik Esther Eva Farah Felix Fiona Frank Freya Gina Greta Gustav Hana Hannah Harry Heidi Henry Hugo
Ida Igor Ines Ivan Jack Jana Jasmin Joao Johan Jonas Julia Kai Karim Kate Kira Lara Lars Laura Lea Leon
Liam Lina Lucas Lucy Luis Maja Mara Marco Maria Mark Mateo Mia Milan Mina Nadia Nico Nina Noah Nora Olga
Oscar Otto Pablo Paul Petra Priya Rafael Rania Rita Robin Rosa Ruth Samir Sara Selma Simon Sofia Stefan
Tara Theo Tim Tom Uma Vera Victor Wanda Yara Yusuf Zoe""".split()

LAST_NAMES = """Abbott Adler Ahmed Alvarez Bailey Banerjee Barnes Bauer Becker Bennett Berg Bianchi Blake
Brandt Brooks Burke Carter Castro Chang Clarke Cohen Cole Costa Cruz Dalton Das Diaz Dixon Doyle Dubois
Duarte Eriksen Evans Farrell Ferrari Fischer Fleming Flores Foster Fox Garcia Gibson Gomez Graham Grant
Green Haas Hansen Harper Hart Hayes Hoffman Holm Hughes Hunt Ito Ivanov Jansen Jensen Jimenez Kaya Keller
Kelly Khan Kim Klein Kovacs Kumar Lang Larsen Lee Lewis Lindgren Lopez Lowe Marino Marsh Martin Mendes
Meyer Mills Moore Moreno Moss Nash Neumann Nguyen Novak Okafor Olsen Ortiz Park Patel Perez Petrov Porter
Quinn Ramos Reed Reyes Rossi Roth Sato Schmidt Shah Silva Singh Stone Suzuki Tanaka Turner Vargas Vogel
Wagner Walsh Weber West Wolf Wong Yilmaz Young Zhang Ziegler""".split()

MAIL_DOMAINS = """bluepost northmail fastbox inboxly maplemail quickpost cloudletter hellobox riverpost
sunmail posthaus letterbee papermail greenbox oaknet""".split()
MAIL_ENDINGS = "com net org de fr io co".split()

STREETS = """Maple Oak Cedar Birch Willow Chestnut Elm Pine Walnut Juniper Aspen Hazel Linden Poplar Rowan
Church Station Mill Bridge Castle Market Harbor River Lake Hill Garden Meadow Forest Sunset Orchard Park
Victoria Albert Lincoln Franklin Jefferson Madison Adams Monroe Jackson Grant Baker King Queen Prince
Rose Lily Heather Clover Ivy Fern Amber Copper Silver Granite""".split()
STREET_KINDS = "Street Road Lane Avenue Drive Court Way".split()
CITIES = """Ashford Bristol Camden Dalton Easton Fairview Georgetown Hampton Ipswich Jasper Kingston Lakewood
Milton Newport Oakland Preston Quincy Richmond Salem Trenton Union Vernon Weston York Albany Boston
Clinton Dover Elgin Florence Glendale Houston Irving Juneau Keene Lowell Macon Nashua Oxford Phoenix""".split()

PRODUCTS = """coffee grinder|desk lamp|rain jacket|hiking boots|bluetooth speaker|office chair|phone case|
water bottle|electric kettle|yoga mat|bike helmet|garden hose|wool blanket|board game|camera bag|laptop stand|
running shoes|cutting board|alarm clock|tent|backpack|mechanical keyboard|monitor|air fryer|toaster|
sleeping bag|wall mirror|bookshelf|travel mug|wireless mouse|power bank|guitar strings|cat tree|dog leash|
picture frame|winter gloves|sunglasses|vacuum cleaner|baking tray|standing desk""".replace("\n", "").split("|")

WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

GREETINGS = ["", "", "", "Hi,", "Hello,", "Hey there,", "Good morning,", "Dear team,", "Hi {first} here,",
             "Hello, my name is {first} {last}.", "Hi support,", "Good evening,"]
CLOSINGS = ["", "", "", "", "Thanks!", "Thank you.", "Best, {first}", "Cheers", "Please help.", "Regards, {last}",
            "Looking forward to your answer.", "{first}"]
# True of any topic, so that words alone do not give the intent away.
CONTEXTS = [
    "", "", "", "I bought a {product} from you last {weekday}.", "I have been a customer for {n} years.",
    "My order number is {order}.", "This is about order {order}.", "I already wrote to you on {weekday}.",
    "I tried to call but nobody picked up.", "I am writing for my colleague {first}.",
    "The {product} was a gift for {first}.", "I read your help page but did not find it.",
    "I use the app on my phone.", "Everything was fine until {weekday}.", "I paid {amount} for the {product}.",
    "We ordered {n} pieces for the office.", "Your chat sent me here.", "I hope you are well.",
    "I changed my mind about the {product} but that is another story.", "The last delivery was great.",
    "I like the {product} a lot.", "My account is under {first} {last}.", "I need this before {weekday}.",
    # These speak of what other intents are about, in passing.
    "The refund for another order came quickly.", "My password works again, that is not it.",
    "I once returned a {product} without trouble.", "The invoice for the {product} is fine.",
    "My old order was cancelled in {weekday}'s storm.", "I do not want to return it.",
    "The address on the parcel was right.", "The payment for the {product} went well.",
    "An agent told me to write here.", "Last year a {product} came broken and much too late.",
    "I know that the package was delivered.", "I have not lost my account or my login.",
    "A refund would be nice but it is not why I write.", "No need to call me, mail is enough.",
    "My colleague {first} had the wrong item, I did not.", "I keep all my receipts and bills.",
]

# Support desk: what customers say for each intent. No phrase of one intent occurs inside another's.
INTENTS = {
    "order_status": [
        "where is my {product}", "has my order left the warehouse yet", "when will the {product} arrive",
        "can you tell me the status of my order", "i would like to know where my package is",
        "is the {product} on its way", "the tracking page shows nothing new since {weekday}",
        "what is taking my delivery so long", "do you have an update on my shipment",
        "my parcel has not shown up", "how far is my order", "still waiting for the {product} to come"],
    "cancel_order": [
        "please cancel my order", "i want to call off the purchase of the {product}",
        "stop the order before it ships", "i no longer need the {product} so do not send it",
        "can i withdraw my order from {weekday}", "i ordered the {product} by mistake and want to undo it",
        "kindly cancel the {product}", "do not ship the {product} any more", "is it too late to cancel",
        "i would like to take back my order before it leaves"],
    "change_address": [
        "i moved and need to update where you ship", "please send it to another street",
        "can you change the delivery address", "the shipping address on my order is wrong",
        "i typed the wrong house number", "deliver the {product} to my office instead",
        "we have a new address since {weekday}", "could the parcel go to my neighbour {first} instead",
        "update my postal address please", "my zip code in your system is outdated"],
    "refund_status": [
        "when do i get my money back", "the refund for the {product} has not reached my bank",
        "i sent the {product} back and still see no refund", "how long does a refund take",
        "has my refund been processed", "you promised to pay me back by {weekday}",
        "my card was not credited for the return", "i am waiting for the repayment of {amount}",
        "any news on my refund", "where is the money for the {product} that i returned"],
    "return_item": [
        "i want to send the {product} back", "how do i return the {product}", "please email me a return label",
        "the {product} does not fit and i want to give it back", "can i return something i bought on {weekday}",
        "what is your return policy for a {product}", "i would like to start a return",
        "where do i drop off a return", "can i still return the {product} after {n} weeks",
        "i am not happy with the {product} and would like to return it"],
    "damaged_item": [
        "the {product} arrived broken", "my {product} came with a crack", "the box was crushed and the {product} is bent",
        "there is a big scratch on the {product}", "the {product} stopped working after {n} days",
        "the {product} is defective", "parts of the {product} fell off", "the {product} does not turn on",
        "it was damaged when i opened the package", "the {product} leaks"],
    "wrong_item": [
        "i received a {product} that i never ordered", "you sent me the wrong {product}",
        "this is not the {product} that i ordered", "i got someone else's parcel",
        "the color of the {product} is not the one i chose", "i ordered size {n} but got another one",
        "there was a {product} in the box instead of what i bought", "the parcel holds another model than the one i picked",
        "you mixed up my order with another one", "my order was swapped with that of {first}"],
    "payment_failed": [
        "my card gets declined at checkout", "the payment does not go through", "i cannot pay for the {product}",
        "checkout shows a payment error", "your site rejects my credit card",
        "paying with my bank account fails every time", "i was charged twice for the {product}",
        "the payment page hangs after i press buy", "why was my payment refused",
        "the transaction of {amount} was not accepted"],
    "invoice_copy": [
        "i need an invoice for the {product}", "please send me the receipt", "where can i download my bill",
        "my company needs a tax invoice", "can i get a copy of the invoice for {amount}",
        "the invoice shows the wrong company name", "i lost the receipt of the {product}",
        "please add our vat number to the bill", "could you resend the bill from {weekday}",
        "accounting asks me for proof of purchase"],
    "reset_password": [
        "i forgot my password", "i cannot log in", "the password reset mail never arrives",
        "my login does not work since {weekday}", "how do i set a new password",
        "your site says my password is wrong", "i am locked out of my account",
        "the code to sign in does not come", "help me get back into my account",
        "two factor sign in fails on my new phone"],
    "delete_account": [
        "please delete my account", "i want all my data removed", "close my account for good",
        "how do i unregister from your shop", "erase my profile please",
        "i want to use my right to be forgotten", "remove me from your system",
        "take my e-mail out of your database", "stop storing my personal data", "deactivate my profile"],
    "speak_to_human": [
        "let me talk to a person", "i want to speak with a human", "can someone call me back",
        "please connect me with an agent", "i would rather talk to your manager",
        "is there a real person i can write to", "put me through to customer care",
        "give me a phone number to call", "the bot does not understand me", "i need to talk to somebody about the {product}"],
}

MISSPELLINGS = {
    "receive": "recieve", "received": "recieved", "address": "adress", "account": "acount",
    "password": "pasword", "refund": "refunt", "return": "retrun", "invoice": "invocie",
    "package": "pakage", "delivery": "delivary", "order": "oder", "please": "pls", "payment": "paymant",
    "cancel": "cancle", "because": "becuase", "arrive": "arive", "would": "woud", "phone": "fone",
    "wrong": "worng", "broken": "brocken", "customer": "custommer", "company": "compagny",
}

# E-mails of which a back office extracts the facts.
REASONS = {
    "damaged": ["it arrived broken", "the box was crushed", "it has a deep scratch", "it came in pieces",
                "it does not switch on"],
    "late": ["it came far too late", "the delivery took three weeks", "it missed the birthday",
             "it was not here in time", "the parcel was much too slow"],
    "wrong_item": ["you sent another model", "this is not what I ordered", "the color is wrong",
                   "I got a different size", "it is someone else's parcel"],
    "changed_mind": ["I do not need it any more", "I found a better one", "I changed my mind",
                     "we have one already", "it is not my taste after all"],
    "double_charged": ["my card was charged twice", "I paid two times", "the amount was taken twice",
                       "the bank shows two payments", "you billed me double"],
    "missing_parts": ["the manual and the screws are missing", "one part was not in the box",
                      "the cable was not included", "half of the set is missing", "the lid was not there"],
}

EMAIL_FORMS = [
    "Hello, I am {name}. I bought a {product} on {date} (order {order}) and {reason}. Please pay back {amount} USD. "
    "You reach me at {email}.",
    "Order {order}, bought {date}: {reason}. I want my {amount} USD back. {name}, {email}",
    "Dear team, on {date} I paid {amount} USD for a {product}, but {reason}. My order is {order}, my address is "
    "{email}. Regards, {name}",
    "Hi, {reason}! Order number {order} of {date}. Refund {amount} USD please and write to {email}. {name}",
    "{name} here ({email}). The {product} of order {order} cost {amount} USD on {date}. Sadly {reason}.",
    "To whom it may concern: {reason}. This is about {order}, {amount} USD, dated {date}. Answer to {email}.",
    "Good day, please refund order {order}. Reason: {reason}. Paid: {amount} USD on {date}. Contact: {email}",
    "My {product} is a problem: {reason}. Details are order {order}, date {date}, price {amount} USD, mail {email}. "
    "Thank you, {name}",
    "I want to send back a {product} since {reason}. I paid {amount} USD on {date}. Reply to {email}, the order is "
    "{order}.",
    "From {email}: we ordered a {product} ({order}) on {date} for {amount} USD and {reason}. Best, {name}",
    # Not everybody leaves an address: the answer says null.
    "{name} bought a {product} for {amount} USD on {date}, order {order}. Now {reason}. Please call me back.",
    "Hello, it is about {order} of {date}: {reason}. I expect my {amount} USD. Sincerely, {name}",
]

# Requests of a back office to its agent, by the tool that serves them.
TOOL_FORMS = {
    "refund_order": [
        "refund order {order} for {email}", "{email} wants the money back for {order}",
        "please give {email} a refund on {order}", "pay back {order}, the customer is {email}",
        "customer {email} returned {order}, refund it", "issue a refund: {order}, {email}",
        "{name} ({email}) sent back {order}, return the money", "order {order} was cancelled, refund {email}",
        "reimburse {email} for order {order}", "we owe {email} the price of {order}"],
    "track_parcel": [
        "where is parcel {tracking}", "track {tracking} for {name}", "has {tracking} been delivered yet",
        "look up shipment {tracking}", "{name} asks about parcel {tracking}", "status of {tracking} please",
        "find out where {tracking} is, it belongs to order {order}", "check the delivery {tracking}",
        "the customer is waiting for {tracking}, where is it", "{tracking} seems lost, track it"],
    "change_address": [
        "send {order} to {street}, {zip} {city}", "new address for {order}: {street}, {city} {zip}",
        "{name} moved to {street} in {zip} {city}, update {order}",
        "change the address of {order} to {street}, {zip} {city}",
        "order {order} must go to {street}, {city}, zip {zip}", "ship {order} to {street}, {zip} {city} instead",
        "the address of {order} is wrong, it is {street}, {zip} {city}",
        "redirect order {order} to {city}, {street}, zip code {zip}"],
    "book_meeting": [
        "book a meeting with {name} on {date} at {time}", "{name} wants a call on {date}, {time}",
        "set up {date} {time} with {name}", "please schedule {name} for {time} on {date}",
        "meeting with {name}: {date} at {time}", "put {name} into the calendar, {date} at {time}",
        "arrange a call with {name} at {time} on {date} about {order}", "reserve {time} on {date} for {name}"],
}
TOOL_OPENINGS = ["", "", "", "hi, ", "hey, ", "hello, ", "next one: ", "urgent: ", "could you ", "I need you to ",
                 "one more: ", "ok, "]
TOOL_CLOSINGS = ["", "", "", ".", " please", " today", ", thanks", " asap", ". Thank you!", " when you can"]

# A software company of roles, after MetaGPT: records of what was done, and what comes next.
ROLES = [("Product Manager", "define a useful product"), ("Engineer", "write elegant, readable code"),
         ("Architect", "design a concise, usable system"), ("Project Manager", "improve team efficiency"),
         ("QA Engineer", "write comprehensive tests")]
PROJECT_KINDS = """snake game|todo list|weather dashboard|chess engine|recipe finder|budget planner|chat server|
photo gallery|flashcard trainer|music player|url shortener|markdown editor|blog generator|file renamer|quiz app|
currency converter|habit tracker|pomodoro timer|maze solver|stock ticker|poll app|drawing board|unit converter|
text adventure|password manager|bookmark sorter|news reader|calendar sync|tetris clone|expense report""".replace(
    "\n", "").split("|")
PROJECT_STYLES = """in Python|with Flask|as a command line tool|with pygame|for the browser|with a REST API|
for Android|with SQLite|as a desktop app|with dark mode|for two players|with tests|in one file|with a plugin system|
for children|with speech output""".replace("\n", "").split("|")
# (who speaks, what they say); `then` is the stage that follows.
STAGE_EVENTS = {
    "0": ["BOSS: write a {project}", "BOSS: we need a {project}", "BOSS: build a {project} until {weekday}",
          "BOSS: please make a {project} for {name}"],
    "1": ["Product Manager: the PRD of the {project} is written", "Product Manager: requirements are done, {n} user stories",
          "Product Manager: here is the PRD, {n} goals and {n} stories"],
    "2": ["Architect: the design is ready, {n} classes in {file}", "Architect: data structures and call flow are defined",
          "Architect: system design of the {project} is finished"],
    "3": ["Project Manager: tasks are split, start with {file}", "Project Manager: the task list has {n} files",
          "Project Manager: {n} tasks, {file} comes first"],
    "4": ["Engineer: {file} is written", "Engineer: code for {file} and {n} other files is done",
          "Engineer: implemented the {project} in {n} files"],
    "changes": ["QA Engineer: review of {file} found {n} bugs, please fix", "QA Engineer: {n} tests fail in {file}",
                "QA Engineer: {file} needs changes"],
    "-1": ["QA Engineer: all {n} tests pass, nothing left to do", "QA Engineer: review passed, the {project} is accepted",
           "QA Engineer: accepted, {file} looks good"],
}
FILES = "main.py game.py server.py ui.py models.py utils.py api.py store.py views.py engine.py cli.py player.py".split()

# The open-ended task: a large random space of sentences.
TONES = "warm playful factual elegant bold calm witty friendly serious poetic".split()
AUDIENCES = """students|young parents|weekend hikers|office workers|gamers|retired teachers|busy cooks|musicians|
cyclists|first-time buyers|collectors|night owls""".replace("\n", "").split("|")
OPENERS = ["Meet the {product} that {verb} your {noun}.", "Some mornings call for a {adjective} {product}.",
           "{audience} know that feeling: the {noun} is {adjective}, and the day has not begun.",
           "There are {product}s, and then there is this one.", "We took the {adjective} {noun} and rethought it.",
           "Imagine a {noun} that {verb} you every {weekday}.", "A {product} should be {adjective}. Ours also {verb}."]
MIDDLES = ["Its {adjective} {material} body {verb} every {noun} with ease.",
           "Made of {material}, it stays {adjective} for {n} years.", "You will notice the {adjective} {noun} first.",
           "Whether on {weekday} or on holiday, it {verb} what matters: your {noun}.",
           "We tested it with {n} {audience}, and {n2} asked to keep theirs.",
           "No {noun} is too {adjective} for it.", "The {material} finish feels {adjective} in the hand.",
           "It {verb} the {noun} and never asks for thanks."]
ENDERS = ["Yours from {amount} dollars.", "Take it home and let it {verb_plain}.", "Because every {noun} deserves it.",
          "Ask {first}, who bought {n}.", "It is {adjective}. It is here.", "Try it for {n} days."]
ADJECTIVES = """quiet bright sturdy gentle clever simple honest vivid graceful rugged tidy light swift crisp mellow
bold humble lively smooth patient curious radiant steady cosy nimble""".split()
NOUNS = """kitchen morning journey evening garden desk trail story weekend routine home adventure moment habit
memory breakfast balcony workshop season coffee break melody""".split()
VERBS = """brightens carries protects completes warms simplifies sharpens lifts calms colors surprises rescues
anchors refreshes frames""".split()
MATERIALS = "steel oak aluminium linen ceramic glass bamboo recycled-plastic leather cork wool copper".split()

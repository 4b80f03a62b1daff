"""The house's numbers and names.

A change here is a decision: it only tightens, or a record in docs/decisions says why.
"""

# A module is one responsibility. Above the guide, `make lint` names it as the next to be split;
# above the limit the build fails: that is the point from which nobody reads it as a whole any more.
MODULE_LINES_GUIDE = 300
MODULE_LINES_MAX = 500
# Tests are read one scenario at a time, so their modules may be longer.
TEST_MODULE_LINES_MAX = 600
# What fits on one screen is reviewed as one thought. Signature and docstring count, decorators do not.
FUNCTION_LINES_MAX = 60
# A decision record that needs a second screen holds two decisions.
DECISION_RECORD_LINES_MAX = 60

# Where our Python lives.
CODE_FOLDERS = ("bench", "deploy", "migrations", "services", "shared", "tests")

# Every room of the house. A new room is added here, so that it is never an accident.
ROOMS: dict[str, frozenset[str]] = {
    "issuance": frozenset(
        {
            "accounts",
            "activities",
            "attempts",
            "bank",
            "calibration",
            "campaigns",
            "changes",
            "consents",
            "deadletters",
            "deliveries",
            "drawlog",
            "events",
            "exclusions",
            "holds",
            "lessons",
            "lottery",
            "monitoring",
            "notices",
            "openings",
            "origins",
            "outcomes",
            "phases",
            "phones",
            "photos",
            "planning",
            "preferences",
            "privacy",
            "publicview",
            "questions",
            "quiz",
            "reporting",
            "reports",
            "rescoring",
            "responses",
            "retention",
            "reveals",
            "reviews",
            "simulation",
            "stock",
            "templates",
            "terms",
            "today",
            "versions",
            "vouchers",
            "wallet",
        }
    ),
    "redemption": frozenset(
        {
            "activations",
            "admissions",
            "casefiles",
            "circles",
            "contracts",
            "corrections",
            "findings",
            "handling",
            "disputes",
            "heldback",
            "holds",
            "imports",
            "institutions",
            "lockouts",
            "manual",
            "offline",
            "operators",
            "paces",
            "payees",
            "payments",
            "rankings",
            "reconciliation",
            "records",
            "reporting",
            "reversals",
            "risk",
            "riskdays",
            "serviceresults",
            "settlement",
            "sightings",
            "signals",
            "statements",
            "terminals",
            "tillviews",
            "writeoff",
        }
    ),
    "quota": frozenset(
        {
            "allocation",
            "allocationsheets",
            "allocationviews",
            "appeals",
            "apportionment",
            "attribution",
            "bases",
            "bulletinbooks",
            "bulletins",
            "cards",
            "editions",
            "funnel",
            "hospitallife",
            "hospitallists",
            "hospitalnames",
            "hospitals",
            "levels",
            "monitoring",
            "outlook",
            "platformkeys",
            "posters",
            "programmes",
            "progress",
            "proposals",
            "publishedtables",
            "qrcodes",
            "rankings",
            "scans",
            "signals",
            "stuffing",
            "subcodes",
            "tablebases",
            "tablechecks",
            "tablesums",
            "templates",
            "versions",
            "workdays",
        }
    ),
    "console": frozenset(
        {
            "audit",
            "auditpages",
            "campaignpages",
            "changenames",
            "changepages",
            "changewords",
            "citizenpages",
            "clock",
            "codepages",
            "deadletters",
            "healthpages",
            "hospitalpages",
            "importpages",
            "jobpages",
            "listpages",
            "agreementpages",
            "directorypages",
            "heldbackpages",
            "institutionpages",
            "institutionrankpages",
            "ownpages",
            "runpages",
            "terminalpages",
            "integrity",
            "integritypages",
            "monitoring",
            "overviewpages",
            "overviewwords",
            "pages",
            "pospages",
            "plannerpages",
            "publicpages",
            "quotapages",
            "programmepages",
            "cardpages",
            "stuffingpages",
            "rankingpages",
            "questionpages",
            "reviewpages",
            "screenlinks",
            "screenpages",
            "secondfactor",
            "sessions",
            "reconciliationpages",
            "riskpages",
            "settlementpages",
            "staff",
            "staffpages",
            "standings",
            "stockpages",
            "tablepages",
            "templatepages",
            "voucherpages",
            "writeoffpages",
        }
    ),
}
# What stands at a service's root beside its rooms.
SERVICE_FILES = frozenset({"__init__.py", "app.py", "worker.py", "wiring.py"})
# What a room may hold, so that whoever knows one room knows all of them.
ROOM_FILES = frozenset(
    {
        "__init__.py",
        "routes.py",
        "operations.py",
        "rules.py",
        "store.py",
        "tables.py",
        "schemas.py",
        "jobs.py",
        "errors.py",
    }
)
ROOM_SUFFIXES = frozenset({".sql"})
# Only the pages have files for the browser: the frame of all pages, and each area its templates.
PAGES_FOLDERS = frozenset({"templates", "static"})
AREA_ENDING = "pages"
AREA_FOLDERS = frozenset({"templates"})

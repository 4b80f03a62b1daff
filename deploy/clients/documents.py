"""What the clients are generated from: the services' OpenAPI documents, without a database or a server.

`python -m deploy.clients.documents FOLDER` writes one file for each service. Each generated file begins with
the hash of its document, so that a test can tell without any tool of JavaScript when it has grown old.
"""

import base64
import hashlib
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from deploy.local.names import SERVICES
from shared.settings import Settings

# Nothing is ever sealed or signed with it: an app that only tells its document opens no connection.
_KEY = base64.b64encode(bytes(32)).decode()


def documents() -> dict[str, str]:
    """Service → its document as JSON, written the same way each time."""
    settings = Settings(
        environment="local",
        database_url="postgresql://nobody@127.0.0.1/none",
        redis_url="redis://127.0.0.1/0",
        data_keys=SecretStr(f"k1:{_KEY}"),
        index_key=SecretStr(_KEY),
        token_key=SecretStr(_KEY),
    )
    return {service: _document(service, settings) for service in SERVICES}


def _document(service: str, settings: Settings) -> str:
    app = import_module(f"services.{service}.app").create_app(settings)
    return written(app.openapi())


def written(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def fingerprint(document: dict[str, Any]) -> str:
    """What stands in the first line of the generated file."""
    return hashlib.sha256(written(document).encode()).hexdigest()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for service, document in documents().items():
        (folder / f"{service}.json").write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

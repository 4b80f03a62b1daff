from enum import StrEnum


class Service(StrEnum):
    """In the order of their start. The console also answers every path that is no other service's."""

    ISSUANCE = "issuance"
    REDEMPTION = "redemption"
    QUOTA = "quota"
    CONSOLE = "console"


SERVICES = tuple(service.value for service in Service)

"""Settings: one typed field each, read from the environment (`HV_…`). No secret has a default."""

from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What one process needs to know. docs/settings.md explains each for operators."""

    model_config = SettingsConfigDict(env_prefix="HV_", env_ignore_empty=True, frozen=True)

    environment: Literal["production", "local"] = "production"
    database_url: str
    redis_url: str
    data_keys: SecretStr = Field(description="id:base64 of 32 bytes, comma separated; the first encrypts")
    index_key: SecretStr = Field(description="base64 of 32 bytes: keyed hashes for look-up, buckets")
    token_key: SecretStr = Field(description="base64 of 32 bytes: citizens' tokens and voucher tokens")
    metrics_token: SecretStr | None = None
    admin_username: str | None = None
    admin_password: SecretStr | None = None

    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]+$",
        description="the origin that people reach, for printed codes",
    )
    services_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]+$",
        description="where the console reaches the other services when it runs alone",
    )
    screen_refresh_seconds: int = Field(
        default=10, ge=1, le=300, description="how often the big screen's figures are read anew"
    )
    demo: bool = False
    clock_start: datetime | None = None
    rate_limits: Literal["on", "off"] = "on"
    rate_limit_timeout_seconds: float = Field(
        default=0.25, gt=0, le=5, description="how long Redis may take to count a request"
    )
    trusted_proxies: str = Field(
        default="127.0.0.0/8,::1/128",
        description="addresses and networks of our own proxies, comma separated",
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    db_pool_size: int = Field(default=6, ge=1, description="connections for everything that is not hot")
    db_hot_pool_size: int = Field(default=6, ge=1, description="connections for the hot operations")
    max_body_bytes: int = Field(default=2_000_000, ge=1_000)
    max_upload_bytes: int = Field(default=20_000_000, ge=1_000)
    objects_dir: Path | None = None
    retention_days: int | None = Field(
        default=None, ge=0, le=3650, description="personal data is forgotten so long after a campaign's end"
    )
    font_file: Path | None = Field(default=None, description="font of PDF documents: .ttf, .otf or .ttc")
    settlement_hold_days: int = Field(
        default=0, ge=0, le=365, description="younger write-offs are left to the next settlement"
    )
    payee_account_required: bool = Field(
        default=False, description="no settlement is paid before its institution has an approved bank account"
    )

    wrong_codes_max: int = Field(
        default=50,
        ge=0,
        le=100_000,
        description="wrong voucher codes in ten minutes that lock a terminal; 0: never",
    )
    health_code_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+")
    health_code_key: SecretStr | None = None

    wechat_url: str = "https://api.weixin.qq.com"
    wechat_app_id: str | None = None
    wechat_app_secret: SecretStr | None = None
    alipay_url: str = "https://openapi.alipay.com/gateway.do"
    alipay_app_id: str | None = None
    alipay_private_key: SecretStr | None = None
    share_verifier_url: str | None = None
    share_verifier_token: SecretStr | None = None

    notice_wechat: Literal["off", "on"] = "off"
    notice_wechat_templates: str | None = Field(default=None, max_length=20_000)
    notice_wechat_page: str | None = Field(default=None, max_length=200)
    notice_sms: Literal["off", "on"] = "off"
    notice_sms_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+")
    notice_sms_token: SecretStr | None = None
    notice_sms_key_id: str | None = Field(default=None, pattern=r"^[0-9A-Za-z_-]{1,64}$")
    notice_sms_key: SecretStr | None = None
    notice_timeout_seconds: float = Field(default=8.0, gt=0, le=8, description="each wait for a provider")
    notice_voucher_days: str = Field(
        default="7,1",
        pattern=r"^(off|[1-9][0-9]?(,[1-9][0-9]?){0,4})$",
        description="so many days before a voucher ends its holder is reminded",
    )
    notice_award_hours: int = Field(default=24, ge=0, le=720, description="0: no reminder of open awards")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in filter(None, map(str.strip, value.split(","))):
            ip_network(part)
        return value

    @model_validator(mode="after")
    def _refuse_demo_in_production(self) -> "Settings":
        if self.environment == "production" and self.demo:
            raise ValueError("HV_DEMO=1 cannot be used with HV_ENVIRONMENT=production; unset one of the two")
        if not self.demo and self.rate_limits == "off":
            raise ValueError("HV_RATE_LIMITS=off is for demonstrations and load tests: it needs HV_DEMO=1")
        if self.clock_start is not None and not self.demo:
            raise ValueError("HV_CLOCK_START moves the clock: it needs HV_DEMO=1")
        if self.clock_start is not None and self.clock_start.tzinfo is None:
            raise ValueError("HV_CLOCK_START needs a UTC offset, such as 2020-10-31T09:00:00+08:00")
        return self


class SettingsMissing(Exception):
    """The settings do not let the process start; the message says in one sentence what to do."""


def load_settings() -> Settings:
    """Reads the settings from the environment.

    Raises:
        SettingsMissing: a setting is absent or wrong; names every one of them.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"HV_{str(fault['loc'][0]).upper()}: {fault['msg']}" if fault["loc"] else fault["msg"]
            for fault in error.errors()
        )
        raise SettingsMissing(f"set these environment variables and start again: {faults}") from None

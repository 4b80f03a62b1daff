"""Every kind of job that crosses the outbox: queue (whose workers do it), name and payload.

The payload holds ids only. A service may write rows for another service's queue: that, and the shared
aggregates, are the only places where services meet.
"""

from enum import StrEnum


class Queue(StrEnum):
    ISSUANCE = "issuance"
    REDEMPTION = "redemption"
    QUOTA = "quota"
    CONSOLE = "console"


class Kind(StrEnum):
    # {"voucher_id"}: tell the holder that a voucher was issued / redeemed / given back.
    VOUCHER_ISSUED = "issuance.voucher_issued"
    VOUCHER_REDEEMED = "issuance.voucher_redeemed"
    VOUCHER_RESTORED = "issuance.voucher_restored"
    # {"voucher_id", "change_id"}: tell the holder that a voucher was revoked, and why.
    VOUCHER_REVOKED = "issuance.voucher_revoked"
    # {"activity_id"}: tell whoever submitted an activity how its review ended.
    ACTIVITY_DECIDED = "issuance.activity_decided"
    # {"person_id", "code_id"}: send the code that shows that a phone is its owner's.
    PHONE_CODE_ASKED = "issuance.phone_code_asked"
    # {"delivery_id"}: carry a notice to its person, over one channel.
    NOTICE_DUE = "issuance.notice_due"
    # {"activity_id"}: ask the share verifier about a share.
    SHARE_SUBMITTED = "issuance.share_submitted"
    # {"address"}: forget an object whose photo was dropped.
    PHOTO_DROPPED = "issuance.photo_dropped"
    # {"job_id"}: import a long file of questions.
    QUESTIONS_UPLOADED = "issuance.questions_uploaded"
    # {"job_id"}: import a long list of persons who may not take part.
    EXCLUSIONS_UPLOADED = "issuance.exclusions_uploaded"
    # {"job_id"}: count all answers of a campaign and keep the statistics of its questions.
    STATISTICS_WANTED = "issuance.statistics_wanted"
    # {"redemption_id"}: count a write-off or its reversal in the institution's statistics.
    REDEMPTION_COUNTED = "redemption.redemption_counted"
    REVERSAL_COUNTED = "redemption.reversal_counted"
    # {"redemption_id"}: carry a service result to the health code.
    SERVICE_RESULT_DUE = "redemption.service_result_due"
    # {"campaign_id", "institution_id", "day"}: judge a day that could not be judged before.
    RISK_DAY_DEFERRED = "redemption.risk_day_deferred"
    # {"job_id"}: make the settlements of a period.
    SETTLEMENT_REQUESTED = "redemption.settlement_requested"
    # {"job_id"}: count a long file of card events.
    CARD_EVENTS_UPLOADED = "quota.card_events_uploaded"
    # {"job_id"}: recompute every invariant of the platform.
    INTEGRITY_WANTED = "console.integrity_wanted"

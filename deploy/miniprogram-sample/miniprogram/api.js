// The answers of the platform, by the names of the generated types: the logic layer is without types of its
// own here, so that it can stand in a browser as it is.

/**
 * @typedef {import("../../clients/typescript/src/generated/issuance.js").components["schemas"]} Schemas
 * @typedef {Schemas["CampaignView"]} Campaign
 * @typedef {Schemas["Today"]} Today
 * @typedef {Schemas["VoucherView"]} Voucher
 * @typedef {Schemas["PreferencesView"]} Preferences
 * @typedef {Schemas["OwnConsents"]} Consents
 * @typedef {Schemas["NoticeView"]} Notice
 */

export {};

// What is set for each campaign: the platform's origin (entered as a lawful domain of the mini-program), the
// campaign to begin with, and the templates of messages that the platform sends.

export const ORIGIN = "https://vouchers.example.gov.cn";
export const CAMPAIGN = "";
/** @type {string[]} */
export const TEMPLATES = [];

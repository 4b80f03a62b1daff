import { say } from "../../logic/words.js";
import { trouble } from "../../course.js";
import { TEMPLATES } from "../../settings.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());

/** @typedef {import("../../api.js").Notice} Notice */

Page({
  data: {
    verified: false,
    withdrawn: false,
    given: false,
    unread: 0,
    /** @type {Notice[]} */
    notices: [],
    canAsk: TEMPLATES.length > 0,
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },

  onShow() {
    return this.attempt(() => this.load());
  },

  /** @param {() => Promise<void>} act */
  async attempt(act) {
    try {
      this.setData({ trouble: null });
      await act();
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  async load() {
    const [today, consents, inbox] = await course.perform((journey) =>
      Promise.all([journey.today(course.slug), journey.consents(), journey.notices()]));
    this.setData({
      verified: today.identity_verified,
      withdrawn: consents.withdrawn,
      given: consents.items.length > 0,
      unread: inbox.unread,
      notices: inbox.items,
    });
  },

  onHistory() {
    wx.navigateTo({ url: "/pages/history/history" });
  },

  onRead() {
    return this.attempt(async () => {
      const [latest] = this.data.notices;
      if (latest) await course.perform((journey) => journey.read(latest.id));
      await this.load();
    });
  },

  /** WeChat asks the person; the platform counts what was agreed to. */
  async onSubscribe() {
    const told = await wx.requestSubscribeMessage({ tmplIds: TEMPLATES });
    /** @type {Record<string, string>} */
    const results = {};
    TEMPLATES.forEach((template) => {
      results[template] = String(told[template]);
    });
    await this.attempt(() => course.perform((journey) =>
      journey.acts.perform("grants", "/issuance/v1/me/notice-grants", { results })));
  },

  async onWithdraw() {
    const sure = await wx.showModal({ title: "撤回同意？", content: say("zh", "consentWithdrawSure") });
    if (!sure.confirm) return;
    await this.attempt(async () => {
      await course.perform((journey) => journey.withdrawConsent());
      await this.load();
    });
  },

  onAgree() {
    return this.attempt(async () => {
      const text = await course.perform((journey) => journey.consentText());
      await course.perform((journey) => journey.agree(text ? text.kind : "sensitive", text ? text.version : "1"));
      await this.load();
    });
  },
});

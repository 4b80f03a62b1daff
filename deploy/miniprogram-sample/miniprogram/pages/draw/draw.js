// The draw, its outcome, and the choice of a voucher. Whoever has not said yet who they are does so first.

import { trouble } from "../../course.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());

/** @typedef {import("../../api.js").Campaign} Campaign */

Page({
  data: {
    /** "identity", "ready", "lost" or "choose" */
    state: "",
    chances: 0,
    odds: "",
    award: "",
    /** @type {Array<{key: string, name: string, covers: string | null, left: number}>} */
    types: [],
    consent: { title: "", text: "", version: "1" },
    agreed: false,
    name: "",
    number: "",
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },

  onLoad() {
    return this.attempt(() => this.look());
  },

  /** @param {() => Promise<void>} act */
  async attempt(act) {
    try {
      this.setData({ trouble: null });
      await act();
    } catch (error) {
      const told = trouble(error);
      this.setData({ trouble: told });
      if (told.step === "identity") await this.askIdentity();
    }
  },

  async look() {
    const [today, awards] = await course.perform((journey) =>
      Promise.all([journey.today(course.slug), journey.awards(course.slug)]));
    const open = awards.find((/** @type {any} */ award) => award.state === "open" && !award.on_hold);
    if (open) return this.offer(open.id, open.phase);
    if (!today.identity_verified) return this.askIdentity();
    this.setData({ state: "ready", chances: today.chances });
    return undefined;
  },

  async askIdentity() {
    const text = await course.perform((journey) => journey.consentText());
    this.setData({ state: "identity", consent: text || { title: "个人信息处理说明", text: "", version: "1" } });
  },

  /** @param {WechatMiniprogram.Input} event */
  onName(event) {
    this.setData({ name: event.detail.value });
  },

  /** @param {WechatMiniprogram.Input} event */
  onNumber(event) {
    this.setData({ number: event.detail.value });
  },

  onAgree() {
    this.setData({ agreed: !this.data.agreed });
  },

  onBind() {
    return this.attempt(async () => {
      const { name, number, consent } = this.data;
      await course.perform((journey) => journey.bindIdentity(name.trim(), number.trim().toUpperCase(), consent.version));
      await this.look();
    });
  },

  onDraw() {
    return this.attempt(async () => {
      const drawn = await course.perform((journey) => journey.draw(course.slug));
      if (drawn.won) await this.look();
      else this.setData({ state: "lost", odds: `${Number((Number(drawn.proof.odds) * 100).toFixed(4))}%` });
    });
  },

  /**
   * @param {string} award
   * @param {number} seq
   */
  async offer(award, seq) {
    /** @type {Campaign} */
    const campaign = await course.perform((journey) => journey.campaign(course.slug));
    const phase = campaign.phases.find((one) => one.seq === seq);
    const types = campaign.voucher_types.map((type) => ({
      key: type.key, name: type.name, covers: type.covers, left: (phase && phase.stock_claimable[type.key]) || 0,
    }));
    this.setData({ state: "choose", award, types });
  },

  /** @param {WechatMiniprogram.TouchEvent} event */
  onPlaces(event) {
    wx.navigateTo({ url: `/pages/places/places?type=${event.currentTarget.dataset.key}` });
  },

  /** @param {WechatMiniprogram.TouchEvent} event */
  async onClaim(event) {
    const { key, name } = event.currentTarget.dataset;
    const sure = await wx.showModal({ title: "确定领取？", content: `“${name}”领取后不能更换。` });
    if (!sure.confirm) return;
    await this.attempt(async () => {
      const voucher = await course.perform((journey) => journey.claim(this.data.award, key));
      wx.redirectTo({ url: `/pages/voucher/voucher?id=${voucher.id}` });
    });
  },
});

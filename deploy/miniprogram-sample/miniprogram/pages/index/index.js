// What can be done today; where what was left open goes on.

import { say } from "../../logic/words.js";
import { trouble } from "../../course.js";

/** @typedef {import("../../api.js").Today} Today */

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());

Page({
  data: {
    /** @type {Today | null} */
    today: null,
    title: "",
    notes: /** @type {string[]} */ ([]),
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },

  onShow() {
    return this.load();
  },

  async onPullDownRefresh() {
    await this.load();
    wx.stopPullDownRefresh();
  },

  async load() {
    try {
      const finished = await course.resume();
      if (finished.length) wx.showToast({ title: say("zh", "resumed"), icon: "none" });
      const [campaign, today] = await course.perform((journey) =>
        Promise.all([journey.campaign(course.slug), journey.today(course.slug)]));
      this.setData({ title: campaign.title, today, notes: this.notes(today), trouble: null });
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  /** @param {Today} today */
  notes(today) {
    const found = [];
    if (today.excluded) found.push(say("zh", "excluded") + (today.excluded_note || ""));
    if (today.consent_withdrawn) found.push(say("zh", "consentWithdrawn"));
    if (today.phase === null) found.push(say("zh", "noPhase"));
    return found;
  },

  async onQuiz() {
    try {
      const attempt = await course.perform((journey) => journey.startQuiz(course.slug));
      wx.navigateTo({ url: `/pages/quiz/quiz?id=${attempt.attempt_id}` });
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  onGoOn() {
    if (this.data.today) wx.navigateTo({ url: `/pages/quiz/quiz?id=${this.data.today.open_attempt}` });
  },

  /** @param {WechatMiniprogram.TouchEvent} event */
  onWay(event) {
    wx.navigateTo({ url: `/pages/way/way?channel=${event.currentTarget.dataset.channel}` });
  },

  onDraw() {
    wx.navigateTo({ url: "/pages/draw/draw" });
  },
});

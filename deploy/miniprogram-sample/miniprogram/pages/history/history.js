// What was: draws and taking part, piece by piece.

import { say } from "../../logic/words.js";
import { trouble } from "../../course.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());

/** @param {string} moment */
const shown = (moment) => moment.slice(0, 16).replace("T", " ");

Page({
  data: {
    /** @type {Array<{id: string, text: string, at: string}>} */
    draws: [],
    /** @type {Array<{id: string, text: string, note: string, at: string}>} */
    activities: [],
    /** @type {string | null} */
    moreDraws: null,
    /** @type {string | null} */
    moreActivities: null,
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },

  onLoad() {
    return this.attempt(async () => {
      await this.draws(null);
      await this.activities(null);
    });
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

  /** @param {string | null} cursor */
  async draws(cursor) {
    const piece = await course.perform((journey) => journey.draws(course.slug, { cursor }));
    const lines = piece.items.map((/** @type {any} */ one) => ({ id: one.draw_id, text: say("zh", one.won ? "won" : "lost"), at: shown(one.drawn_at) }));
    this.setData({ draws: this.data.draws.concat(lines), moreDraws: piece.next_cursor });
  },

  /** @param {string | null} cursor */
  async activities(cursor) {
    const piece = await course.perform((journey) => journey.activities({ cursor }));
    const lines = piece.items.map((/** @type {any} */ one) => ({
      id: one.activity_id, text: `${say("zh", `way_${one.channel}`)} · ${say("zh", one.status)}`, note: one.note || "", at: shown(one.submitted_at),
    }));
    this.setData({ activities: this.data.activities.concat(lines), moreActivities: piece.next_cursor });
  },

  onMoreDraws() {
    return this.attempt(() => this.draws(this.data.moreDraws));
  },

  onMoreActivities() {
    return this.attempt(() => this.activities(this.data.moreActivities));
  },

  onVerify() {
    wx.navigateTo({ url: "/pages/verify/verify" });
  },
});

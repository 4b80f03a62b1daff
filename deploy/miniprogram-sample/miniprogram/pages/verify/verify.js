// What it takes to check one's draws. They are recomputed on the platform's public page, by anybody's computer.

import { say } from "../../logic/words.js";
import { trouble } from "../../course.js";
import { ORIGIN } from "../../settings.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());

Page({
  data: {
    text: say("zh", "verifyText"),
    address: "",
    /** @type {Array<{draw_id: string, at: string, chance_id: string, client_seed: string, odds: string, value: string, state: string}>} */
    draws: [],
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },

  async onLoad() {
    try {
      const [drawn, audit] = await course.perform((journey) => Promise.all([
        journey.draws(course.slug), journey.client.get(`/issuance/v1/campaigns/${encodeURIComponent(course.slug)}/draw-audit`),
      ]));
      const open = audit.phases.filter((/** @type {any} */ phase) => phase.seed === null).map((/** @type {any} */ phase) => phase.seq);
      this.setData({
        address: `${ORIGIN}/verify?campaign=${encodeURIComponent(course.slug)}`,
        draws: drawn.items.map((/** @type {any} */ one) => ({
          draw_id: one.draw_id, at: one.drawn_at.slice(0, 16).replace("T", " "), chance_id: one.chance_id, client_seed: one.client_seed,
          odds: one.odds, value: one.value, state: open.includes(one.phase) ? say("zh", "verifyLater") : "种子已公布，可以验证。",
        })),
        trouble: null,
      });
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  onCopy() {
    wx.setClipboardData({ data: this.data.address });
  },
});

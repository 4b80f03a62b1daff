// One question at a time. What is chosen is kept on the phone and on the platform as soon as it is chosen.

import { say } from "../../logic/words.js";
import { trouble } from "../../course.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());

Page({
  data: {
    /** @type {any} */
    attempt: null,
    place: 0,
    /** @type {Array<{key: string, text: string, chosen: boolean}>} */
    options: [],
    left: "",
    /** @type {any} */
    result: null,
    over: false,
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },
  ends: 0,
  /** @type {Record<string, string[]>} */
  chosen: {},
  timer: 0,

  /** @param {{id?: string}} query */
  async onLoad(query) {
    try {
      const attempt = await course.perform((journey) => journey.attempt(query.id || ""));
      this.chosen = attempt.chosen;
      this.ends = Date.now() + attempt.seconds_left * 1000;
      if (attempt.state === "answered") return this.setData({ attempt, result: attempt.result });
      if (attempt.state === "expired") return this.setData({ over: true });
      this.setData({ attempt });
      this.show(0);
      this.timer = setInterval(() => this.tick(), 1000);
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
    return undefined;
  },

  onUnload() {
    clearInterval(this.timer);
  },

  tick() {
    const seconds = Math.max(0, Math.floor((this.ends - Date.now()) / 1000));
    this.setData({ left: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`, over: seconds === 0 && !this.data.result });
    if (seconds === 0) clearInterval(this.timer);
  },

  /** @param {number} place */
  show(place) {
    const question = this.data.attempt.questions[place];
    const chosen = question ? this.chosen[question.id] || [] : [];
    const options = question ? question.options.map((/** @type {any} */ option) =>
      ({ key: option.key, text: option.text, chosen: chosen.includes(option.key) })) : [];
    this.setData({ place, options });
  },

  /** @param {WechatMiniprogram.TouchEvent} event */
  async onChoose(event) {
    const { key } = event.currentTarget.dataset;
    const question = this.data.attempt.questions[this.data.place];
    const now = new Set(question.multiple ? this.chosen[question.id] || [] : []);
    if (!now.delete(key)) now.add(key);
    this.chosen = Object.assign({}, this.chosen, { [question.id]: Array.from(now).sort() });
    this.show(question.multiple ? this.data.place : this.data.place + 1);
    const journey = await course.begin();
    if (!(await journey.choose(this.data.attempt.attempt_id, this.chosen))) wx.showToast({ title: say("zh", "keptHere"), icon: "none" });
  },

  onNext() {
    this.show(this.data.place + 1);
  },

  onPrevious() {
    this.show(Math.max(0, this.data.place - 1));
  },

  async onHandIn() {
    try {
      const result = await course.perform((journey) => journey.submit(this.data.attempt, this.chosen));
      clearInterval(this.timer);
      this.setData({ result, trouble: null });
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  onDraw() {
    wx.redirectTo({ url: "/pages/draw/draw" });
  },
});

// Taking part other than by the quiz: checking in by a poster's code, sharing, a report with photos.

import { say } from "../../logic/words.js";
import { trouble } from "../../course.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());
const PHOTOS_MAX = 6;
const CHECK_INS = ["event", "fitness"];
const KINDS = ["forwarded", "followed", "registered"];

/** @typedef {import("../../api.js").Today} Today */

Page({
  data: {
    channel: "",
    title: "",
    earns: "",
    left: "",
    open: true,
    kinds: KINDS.map((key) => say("zh", key)),
    kind: 0,
    code: "",
    url: "",
    words: "",
    category: "",
    place: "",
    /** @type {string[]} */
    photos: [],
    /** @type {Array<{event_id: string, name: string, when: string, place: string}>} */
    events: [],
    /** What became of it. @type {{title: string, text: string, chances: number} | null} */
    told: null,
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },
  /** Photos that have arrived, by their file: another refusal does not send them twice. @type {Record<string, string>} */
  arrived: {},
  busy: false,

  /** @param {{channel?: string, scene?: string}} query a poster's code comes as the scene */
  onLoad(query) {
    const channel = query.channel || "event";
    this.setData({ channel, code: decodeURIComponent(query.scene || "") });
    return this.attempt(() => this.look(channel));
  },

  /** @param {() => Promise<void>} act */
  async attempt(act) {
    if (this.busy) return;
    this.busy = true;
    try {
      this.setData({ trouble: null });
      await act();
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    } finally {
      this.busy = false;
    }
  },

  /** @param {string} channel */
  async look(channel) {
    /** @type {Today} */
    const today = await course.perform((journey) => journey.today(course.slug));
    const way = today.ways.find((one) => one.channel === channel);
    const left = way && way.left_today !== null ? way.left_today : null;
    this.setData({
      title: say("zh", `way_${channel}`),
      earns: way ? say("zh", way.review ? "earnsReview" : "earns", { n: way.chances }) : "",
      left: left === null ? say("zh", "leftFree") : left > 0 ? say("zh", "leftN", { n: left }) : say("zh", "wayOver"),
      open: today.phase !== null && left !== 0,
    });
    if (CHECK_INS.includes(channel)) await this.announced(channel);
  },

  /** @param {string} channel */
  async announced(channel) {
    const events = await course.perform((journey) => journey.events(course.slug));
    this.setData({
      events: events.filter((/** @type {any} */ one) => one.channel === channel && one.state !== "closed").map((/** @type {any} */ one) => ({
        event_id: one.event_id, name: one.name, place: one.place, when: one.starts_at.slice(0, 16).replace("T", " "),
      })),
    });
  },

  /** @param {WechatMiniprogram.Input} event its field is named by data-name */
  onType(event) {
    this.setData({ [event.currentTarget.dataset.name]: event.detail.value });
  },

  /** @param {WechatMiniprogram.PickerChange} event */
  onKind(event) {
    this.setData({ kind: Number(event.detail.value) });
  },

  async onScan() {
    try {
      const seen = await wx.scanCode({ scanType: ["qrCode"] });
      // A poster's code is an address with the code in it, or the code itself.
      const [, inside] = /[?&]check_in_code=([^&#]+)/.exec(seen.result) || [];
      this.setData({ code: inside ? decodeURIComponent(inside) : seen.result });
    } catch (error) {
      wx.showToast({ title: "没有扫到，请重试或输入签到码", icon: "none" });
    }
  },

  onCheckIn() {
    return this.attempt(async () => {
      const { channel, code } = this.data;
      const order = [channel].concat(CHECK_INS.filter((one) => one !== channel));
      this.taken(await course.perform((journey) => journey.checkIn(course.slug, order, code.trim())));
    });
  },

  onShare() {
    return this.attempt(async () => {
      const { kind, url, words } = this.data;
      const evidence = { kind: KINDS[kind], url: url.trim(), text: words.trim() };
      this.taken(await course.perform((journey) => journey.takePart(course.slug, "share", evidence)));
    });
  },

  async onPhotos() {
    try {
      const chosen = await wx.chooseMedia({ count: PHOTOS_MAX, mediaType: ["image"], sizeType: ["compressed"] });
      this.setData({ photos: chosen.tempFiles.map((file) => file.tempFilePath).slice(0, PHOTOS_MAX) });
    } catch (error) {
      // Nobody has to add photos.
    }
  },

  onLead() {
    return this.attempt(async () => {
      const ids = [];
      for (const file of this.data.photos) {
        if (!this.arrived[file]) this.arrived[file] = await course.photo(file);
        ids.push(this.arrived[file]);
      }
      const { category, place, words } = this.data;
      const evidence = { category: category.trim(), place: place.trim(), description: words.trim(), photos: ids };
      this.taken(await course.perform((journey) => journey.takePart(course.slug, "lead", evidence)));
    });
  },

  /** @param {{status: string, chances_granted: number}} told */
  taken(told) {
    const text = told.status === "pending" ? say("zh", "pendingText") : told.chances_granted ? say("zh", "gained", { n: told.chances_granted }) : "";
    this.setData({ told: { title: say("zh", told.status), text, chances: told.chances_granted } });
  },

  onDraw() {
    wx.redirectTo({ url: "/pages/draw/draw" });
  },
});

// Ways to take part other than the quiz: checking in, sharing, reporting.

import { Refused, Unreachable } from "./logic/client.js";
import { next, patience, reasons } from "./logic/words.js";
import { drawButton } from "./draw.js";
import { earnings, isOpen, wayTitle } from "./home.js";
import { gone, h, link, shownTime, t, tile } from "./ui.js";

const PHOTOS_MAX = 6;
const CHECK_INS = ["event", "fitness"];

export async function way(app, [channel]) {
  const w = t(app);
  const [campaign, today] = await Promise.all([app.campaign || app.journey.campaign(app.slug), app.journey.today(app.slug)]);
  const one = campaign.channels.find((entry) => entry.key === channel);
  const form = { share: shareForm, lead: leadForm, event: checkInForm, fitness: checkInForm }[channel];
  if (!one || !form) throw gone(app);
  const now = today.ways.find((entry) => entry.channel === channel);
  const open = !now || isOpen(now, today);
  const title = wayTitle(app, channel, one.name);
  return [
    h("div", { class: "way-head" }, tile(channel), h("div", {},
      h("h1", { tabindex: "-1" }, title),
      one.name !== title && h("p", { class: "quiet" }, one.name),
      now && earnings(app, now, today))),
    !open && h("p", { class: "note" }, w(today.phase === null ? "noPhase" : today.excluded ? "excluded" : "wayOver")),
    open ? await form(app, channel) : null,
    link(w(open ? "home" : "otherWays"), "/"),
  ];
}

/** What became of it, also after a reload. */
export async function done(app, [id]) {
  const w = t(app);
  const [{ items }, today] = await Promise.all([app.journey.activities(), app.journey.today(app.slug)]);
  const found = items.find((one) => one.activity_id === id);
  if (!found) throw gone(app);
  return [
    h("div", { class: found.status === "rejected" ? "outcome" : "outcome good" },
      h("h1", { tabindex: "-1" }, w(found.status)),
      found.status === "pending" && h("p", {}, w("pendingText")),
      found.note && h("p", {}, found.note),
      found.chances_granted > 0 && h("p", {}, w("gained", { n: found.chances_granted }))),
    today.chances > 0 && today.phase !== null && drawButton(app, w("goDraw")),
    link(w("otherWays"), "/"),
  ];
}

function form(app, act, refused, ...parts) {
  return h("form", {
    class: "card form",
    onsubmit: (event) => {
      event.preventDefault();
      app.busy(() => app.beside(refused, async () => {
        const told = await act();
        if (!told) return;
        app.announce(app.say(told.status));
        app.go(`/done/${told.activity_id}`);
      }));
    },
  }, parts, refused, h("button", { type: "submit", class: "primary big" }, app.say(parts.flat(2).some((part) => part.id === "code") ? "checkIn" : "send")));
}

const refusedHere = () => h("p", { class: "refused-here", role: "alert", hidden: true });

function field(id, label, element) {
  return [h("label", { for: id }, label), element];
}

function checkInForm(app, channel) {
  return checkInParts(app, [channel]);
}

/** Whoever comes from a poster: its code does not say which way of taking part it is of. */
export async function checkIn(app) {
  const campaign = app.campaign || (await app.journey.campaign(app.slug));
  const channels = campaign.channels.map((one) => one.key).filter((key) => CHECK_INS.includes(key));
  if (!channels.length) throw gone(app);
  return [
    h("div", { class: "way-head" }, tile("event"), h("h1", { tabindex: "-1" }, app.say("checkInTitle"))),
    ...(await checkInParts(app, channels)),
    link(app.say("home"), "/"),
  ];
}

async function checkInParts(app, channels) {
  const w = t(app);
  const code = h("input", { id: "code", required: true, maxlength: 500, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", value: app.checkInCode || "" });
  const events = (await app.journey.events(app.slug)).filter((event) => channels.includes(event.channel) && event.state !== "closed");
  return [
    form(app, () => app.journey.checkIn(app.slug, channels, code.value.trim()), refusedHere(),
      h("p", {}, w("checkInText")), field("code", w("checkInCode"), code)),
    h("section", { class: "card" },
      h("h2", {}, w("eventsNow")),
      events.length === 0 ? h("p", { class: "quiet" }, w("noEvents")) : h("ul", { class: "places-list" }, events.map((event) => h("li", {},
        h("b", {}, event.name), h("span", { class: "quiet" }, `${event.place} · ${shownTime(event.starts_at)} – ${shownTime(event.ends_at).slice(11)}`),
        event.places_left !== null && h("span", { class: "quiet" }, w("placesLeft", { n: event.places_left })))))),
  ];
}

async function shareForm(app) {
  const w = t(app);
  const kind = h("select", { id: "kind" }, ["forwarded", "followed", "registered"].map((key) => h("option", { value: key }, w(key))));
  const url = h("input", { id: "url", type: "url", inputmode: "url", required: true, maxlength: 2000, placeholder: "https://" });
  const words = h("textarea", { id: "words", required: true, maxlength: 2000, rows: 4 });
  const act = () => app.journey.takePart(app.slug, "share", { kind: kind.value, url: url.value.trim(), text: words.value.trim() });
  return form(app, act, refusedHere(), h("p", {}, w("shareText")),
    field("kind", w("shareKind"), kind), field("url", w("url"), url), field("words", w("content"), words));
}

/** Sends the photos that are chosen; those that have arrived are not sent again when another was refused. */
function sender(app, photos, refused) {
  const kept = new Map();
  return async () => {
    const found = [];
    for (const file of Array.from(photos.files).slice(0, PHOTOS_MAX)) {
      const key = `${file.name}/${file.size}/${file.lastModified}`;
      try {
        if (!kept.has(key)) kept.set(key, await app.upload(file));
      } catch (error) {
        refused.textContent = whyNot(app, file, error);
        refused.hidden = false;
        photos.focus();
        return null;
      }
      found.push(kept.get(key));
    }
    return found;
  };
}

function whyNot(app, file, error) {
  const { name } = file;
  const told = (reason, step) => [app.say("photoRefused", { name, reason }), step].filter(Boolean).join(" ");
  if (error instanceof Unreachable) return error.code ? told(error.sentence, patience(app.language, error)) : app.say("photoLost", { name });
  if (!(error instanceof Refused) || error.status === 401) throw error;
  return told(reasons(app.language, error.errors).join(" ") || error.sentence, next(app.language, error.code).sentence);
}

async function leadForm(app) {
  const w = t(app);
  const category = h("input", { id: "category", required: true, maxlength: 64, placeholder: w("categoryHint") });
  const place = h("input", { id: "place", required: true, maxlength: 200, placeholder: w("placeHint") });
  const words = h("textarea", { id: "words", required: true, maxlength: 2000, rows: 4 });
  const refused = h("p", { class: "refused-here", id: "photos-refused", role: "alert", hidden: true });
  const names = h("p", { class: "quiet", id: "photos-chosen", role: "status" }, w("noPhotos"));
  const chosen = () => {
    const files = Array.from(photos.files);
    names.textContent = files.length ? files.slice(0, PHOTOS_MAX).map((file) => file.name).join("、") : w("noPhotos");
    if (files.length > PHOTOS_MAX) names.append(" ", w("photosMax", { n: PHOTOS_MAX }));
  };
  const photos = h("input", {
    id: "photos", class: "out-of-sight", "aria-describedby": "photos-chosen photos-refused", type: "file",
    accept: "image/jpeg,image/png,image/webp", multiple: true, onchange: chosen,
  });
  const pictures = sender(app, photos, refused);
  const act = async () => {
    refused.hidden = true;
    const ids = await pictures();
    return ids && app.journey.takePart(app.slug, "lead", {
      category: category.value.trim(), place: place.value.trim(), description: words.value.trim(), photos: ids,
    });
  };
  return form(app, act, refusedHere(), h("p", {}, w("leadText")),
    field("category", w("category"), category), field("place", w("place"), place), field("words", w("description"), words),
    h("div", { class: "photos" }, h("span", {}, w("photos")), photos, h("label", { for: "photos", class: "button" }, w("choosePhotos")), names), refused);
}

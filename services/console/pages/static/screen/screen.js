// The big screen: asks for its figures every period, shows them, and says so when they are old.
//
// The token of a link stands behind "#" of the address, which no server and no other site is ever told. It goes
// along as a header. Without one the browser's own session of the console is asked (its cookie).
(function () {
  "use strict";

  var PATH = "/console/v1/screen";
  // Figures that are older than so many periods are called old.
  var PERIODS = 3;
  var ROLL_MS = 900;
  var english = document.documentElement.lang === "en";
  var charts = {};
  var rolling = {};
  var still = window.matchMedia("(prefers-reduced-motion: reduce)");
  var shown = null;
  var etag = null;
  var asOf = "";
  // By the browser's steady clock, in milliseconds: when the figures on the screen were made.
  var freshAt = null;
  var period = 10000;
  var timer = null;
  var gone = false;

  function t(zh, en) { return english ? en : zh; }
  function at(id) { return document.getElementById(id); }
  function number(n) { return n.toLocaleString(english ? "en-GB" : "zh-CN"); }
  function percent(share) { return (share * 100).toFixed(1) + "%"; }
  function yuan(fen) { return (fen / 100).toLocaleString(english ? "en-GB" : "zh-CN", { maximumFractionDigits: 0 }); }
  function rate(part, whole) { return whole ? percent(part / whole) : "–"; }
  function name(county) { return county || t("未标明", "Not said"); }
  function moment(written) { return written.slice(0, 19).replace("T", " "); }

  var said = { number: number, percent: percent, zh: !english, total: t("合计（张）", "in all") };

  function element(tag, kind, words) {
    var made = document.createElement(tag);
    if (kind) { made.className = kind; }
    if (words !== undefined) { made.textContent = words; }
    return made;
  }

  function draw(id, option, label) {
    var place = at(id).querySelector(".chart");
    if (!charts[id]) {
      place.textContent = "";
      charts[id] = window.echarts.init(place, null, { renderer: "canvas" });
    }
    charts[id].setOption(option, true);
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", label);
  }

  function nothing(id) {
    if (charts[id]) { charts[id].dispose(); delete charts[id]; }
    var place = at(id).firstElementChild;
    place.textContent = "";
    place.appendChild(element("p", "empty", t("暂无数据", "Nothing yet")));
    at(id + "-note").textContent = "";
  }

  // Rolls from the figure that stands there to the new one; at its end stands exactly what was told. Digits are
  // equally wide and the line never breaks: nothing moves beside it.
  function roll(figure, from, to, written) {
    cancelAnimationFrame(rolling[figure.parentNode.id]);
    if (still.matches || document.hidden || from === to) { figure.textContent = written(to); return; }
    var begun = performance.now();
    function step(now) {
      var gone = Math.min(1, (now - begun) / ROLL_MS), eased = 1 - Math.pow(1 - gone, 3);
      figure.textContent = written(gone === 1 ? to : from + (to - from) * eased);
      if (gone < 1) { rolling[figure.parentNode.id] = requestAnimationFrame(step); }
    }
    rolling[figure.parentNode.id] = requestAnimationFrame(step);
  }

  function whole(n) { return number(Math.round(n)); }

  // One value and what stands below it; `data-value` is the figure itself, for whoever reads the page.
  function tile(key, value, written, note) {
    var box = at("tile-" + key);
    var figure = box.querySelector(".figure");
    if (value === null) { figure.textContent = "–"; } else {
      roll(figure, Number(figure.dataset.value || 0), Number(value), written);
    }
    figure.dataset.value = value === null ? "" : String(value);
    box.querySelector(".note").textContent = note;
  }

  function list(id, rows, kind) {
    var place = at(id).querySelector(".lines");
    place.textContent = "";
    place.className = "lines" + (kind ? " " + kind : "");
    rows.forEach(function (row) {
      var line = element("li", row.rest ? "rest" : row.rank !== "" && row.rank <= 3 ? "top" : "");
      line.appendChild(element("span", "rank", row.rank));
      line.appendChild(element("span", "name", row.name)).title = row.name;
      line.appendChild(element("span", "value", row.value)).appendChild(element("small", "", row.more));
      if (!row.rest) {
        var track = line.appendChild(element("span", "track"));
        track.appendChild(element("span", "bar")).style.width = Math.max(0, Math.min(100, row.share * 100)) + "%";
      }
      place.appendChild(line);
    });
  }

  function steps(total) {
    var way = [
      [t("答题", "Quiz"), total.attempts], [t("合格", "Passed"), total.passed], [t("抽奖机会", "Chances"), total.chances],
      [t("抽奖", "Draws"), total.draws], [t("中奖", "Wins"), total.wins], [t("领券", "Vouchers"), total.issued],
      [t("核销", "Redeemed"), total.redeemed],
    ];
    return way.map(function (step, place) {
      var before = place === 0 ? 0 : way[place - 1][1];
      // Chances come from the other ways too: no share of those who passed.
      var beside = step[0] === way[2][0] ? t("含其他方式", "all ways") : percent(step[1] / before);
      return { name: step[0], n: step[1], rate: before ? beside : "" };
    });
  }

  function column(rows, key) { return rows.map(function (row) { return row[key]; }); }

  function paintWay(campaign) {
    var total = campaign.total;
    draw("funnel", window.screenCharts.funnel(steps(total), said), steps(total).map(function (step) { return step.name + " " + step.n; }).join(", "));
    at("funnel-note").textContent = t("右为上一步转化率", "share of the step before");
    draw("daily", window.screenCharts.lines(column(campaign.daily, "date"), [
      { name: t("答题", "Attempts"), data: column(campaign.daily, "attempts"), colour: 0 },
      { name: t("抽奖", "Draws"), data: column(campaign.daily, "draws"), colour: 1 },
      { name: t("领券（右轴）", "Issued (right)"), data: column(campaign.daily, "issued"), colour: 2, right: true },
      { name: t("核销（右轴）", "Redeemed (right)"), data: column(campaign.daily, "redeemed"), colour: 3, right: true },
    ]), t("近 30 日每日答题、抽奖、领券、核销", "Attempts, draws, vouchers and write-offs of 30 days"));
    at("daily-note").textContent = campaign.earlier.attempts ? t("此前答题 ", "before: ") + number(campaign.earlier.attempts) : "";
  }

  function paintTypes(campaign) {
    var types = campaign.types;
    if (campaign.total.issued) {
      draw("shares", window.screenCharts.ring(types.map(function (type) { return { name: type.name, n: type.issued }; }), said),
        types.map(function (type) { return type.name + " " + type.issued; }).join(", "));
    } else { nothing("shares"); }
    draw("stock", window.screenCharts.bars(column(types, "name"), [
      { name: t("已核销", "Redeemed"), data: column(types, "redeemed"), colour: 0 },
      { name: t("待使用", "Open"), data: column(types, "outstanding"), colour: 2 },
      { name: t("过期作废", "Ended"), data: column(types, "ended"), colour: 9 },
    ], {
      labels: types.map(function (type) { return number(type.issued) + t(" 张 · 库存余 ", " · in stock ") + number(type.remaining); }),
      room: english ? 10 : 9.5, letters: english ? 18 : 11,
    }), types.map(function (type) { return type.name + " " + type.issued + ", " + type.remaining; }).join(", "));
    at("stock-note").textContent = t("条长为已发张数", "bars: vouchers issued");
  }

  // Where each payer's budget is. Slices keep their true length: what is small beside the budget looks small.
  function paintMoney(campaign) {
    var place = at("payers").querySelector(".payers");
    place.textContent = "";
    var slices = [["paid_fen", t("已付", "Paid")], ["payable_fen", t("应付", "Payable")], ["committed_fen", t("待核销", "Committed")], ["available_fen", t("可用", "Available")]];
    campaign.payers.forEach(function (payer) {
      var row = place.appendChild(element("li"));
      row.appendChild(element("span", "name", payer.name)).title = payer.name;
      row.appendChild(element("span", "value", t(number(payer.budget_fen / 1e6), "¥" + yuan(payer.budget_fen)))).appendChild(element("small", "", t(" 万元", "")));
      var track = row.appendChild(element("span", "track"));
      var told = row.appendChild(element("span", "slices"));
      slices.forEach(function (slice) {
        var part = track.appendChild(element("span", "slice " + slice[0]));
        part.style.width = (payer.budget_fen ? payer[slice[0]] / payer.budget_fen * 100 : 0) + "%";
        if (slice[0] !== "available_fen") { told.appendChild(element("span", slice[0], slice[1] + " " + yuan(payer[slice[0]]))); }
      });
    });
    at("payers-note").textContent = t("下行为元", "below: yuan") + (campaign.assumed.length ? t(" · 含演示假定值", " · partly assumed") : "");
  }

  function paintCounties(counties) {
    var named = counties.filter(function (county) { return county.county; });
    var most = Math.max.apply(null, column(named, "redeemed").concat([1]));
    var map = named.length ? window.screenTiles.draw(named.map(function (county) {
      return {
        name: county.county, count: number(county.redeemed), more: number(county.institutions) + t(" 家 · ¥", " · ¥") + yuan(county.redeemed_fen),
        title: county.county + " " + number(county.redeemed) + t(" 张，¥", " vouchers, ¥") + yuan(county.redeemed_fen), share: county.redeemed / most,
      };
    }), named.map(function (county) { return county.county + " " + county.redeemed; }).join(", ")) : null;
    if (map) {
      if (charts.counties) { charts.counties.dispose(); delete charts.counties; }
      var place = at("counties").firstElementChild;
      // The picture itself says what it shows.
      place.removeAttribute("role");
      place.removeAttribute("aria-label");
      place.replaceChildren(map);
      var unnamed = counties.filter(function (county) { return !county.county; }).reduce(function (sum, county) { return sum + county.redeemed; }, 0);
      at("counties-note").textContent = t("张数 · 机构数 · 金额，示意图，非真实边界", "vouchers, places, yuan; schematic, no real borders") + (unnamed ? t(" · 未标明 ", " · not said ") + number(unnamed) : "");
    } else if (counties.length) { listCounties(counties); } else { nothing("counties"); }
  }

  function listCounties(all) {
    var counties = all.slice(0, 8);
    var beyond = all.slice(8).reduce(function (sum, county) { return sum + county.redeemed; }, 0);
    draw("counties", window.screenCharts.bars(counties.map(function (county) { return name(county.county); }), [
      { name: t("核销", "Redeemed"), data: column(counties, "redeemed"), colour: 0 },
    ], {
      labels: counties.map(function (county) { return number(county.redeemed) + t(" 张 · ", " · ") + number(county.institutions) + t(" 家", " places"); }),
      room: english ? 8 : 7.5, letters: english ? 18 : 8,
    }), counties.map(function (county) { return name(county.county) + " " + county.redeemed; }).join(", "));
    at("counties-note").textContent = beyond ? t("其余县市 ", "elsewhere: ") + number(beyond) : "";
  }

  function paintPlaces(campaign) {
    paintCounties(campaign.counties);
    var first = campaign.institutions, others = campaign.other_institutions;
    var most = first.length ? first[0].redeemed : 1;
    list("institutions", first.map(function (one) {
      return { rank: one.rank, name: one.name, value: number(one.redeemed), more: t(" 张 · ¥", " · ¥") + yuan(one.redeemed_fen), share: one.redeemed / most };
    }).concat(others.institutions ? [{
      rank: "", name: t("其余 ", "Others: ") + number(others.institutions) + t(" 家", ""), value: number(others.redeemed),
      more: t(" 张 · ¥", " · ¥") + yuan(others.redeemed_fen), rest: true,
    }] : []), "");
    at("institutions-note").textContent = t("按有效核销笔数", "by live write-offs");
  }

  function paintCards(programme) {
    var all = programme.issued_before + programme.issued;
    draw("target", window.screenCharts.target({
      share: programme.target ? all / programme.target : 0, caption: t("累计 / 目标", "of the target"), name: t("每日发卡", "Cards per day"),
      days: column(programme.daily, "date"), data: column(programme.daily, "issued"),
    }, said), t("累计 ", "in all ") + all + " / " + programme.target);
    at("target-note").textContent = number(all) + " / " + number(programme.target) + t("（此前 ", " (before: ") + number(programme.issued_before) + t("）", ")");
    var alliances = programme.units.filter(function (unit) { return !unit.alone; });
    var alone = programme.units.filter(function (unit) { return unit.alone; });
    var units = alliances.slice(0, 7).map(function (unit) {
      return { rank: "", name: unit.unit, value: unit.rate === null ? "–" : percent(Number(unit.rate)), more: " " + number(unit.issued) + " / " + number(unit.quota), share: Number(unit.rate || 0) };
    });
    var rest = alliances.slice(7).concat(alone);
    if (rest.length) {
      var issued = column(rest, "issued").reduce(function (sum, n) { return sum + n; }, 0);
      var quota = column(rest, "quota").reduce(function (sum, n) { return sum + n; }, 0);
      units.push({ rank: "", name: (rest.length === alone.length ? t("独立医院 ", "Stand alone: ") : t("其余 ", "Others: ")) + rest.length + t(" 家", ""), value: rate(issued, quota), more: " " + number(issued) + " / " + number(quota), share: quota ? issued / quota : 0 });
    }
    list("units", units, "cards plain");
    at("units-note").textContent = t("完成率 · 已发 / 任务", "rate · issued / quota");
    list("hospitals", programme.hospitals.slice(0, 6).map(function (one) {
      return { rank: one.rank === null ? "" : one.rank, name: one.name, value: one.rate === null ? "–" : percent(Number(one.rate)), more: " " + number(one.issued), share: Number(one.rate || 0) };
    }), "cards");
    at("hospitals-note").textContent = t("前 6 名，共 ", "first 6 of ") + number(programme.hospitals.length + programme.other_hospitals.hospitals) + t(" 家", "");
  }

  function paintTiles(view) {
    var total = view.campaign && view.campaign.total, today = view.campaign && view.campaign.today, cards = view.programme;
    var now = t("今日 ", "today ");
    if (total) {
      tile("attempts", total.attempts, whole, now + number(today.attempts) + t(" · 合格率 ", " · passed ") + rate(total.passed, total.attempts));
      tile("draws", total.draws, whole, now + number(today.draws) + t(" · 中奖率 ", " · won ") + rate(total.wins, total.draws));
      tile("issued", total.issued, whole, now + number(today.issued));
      tile("redeemed", total.redeemed, whole, now + number(today.redeemed) + t(" · 核销率 ", " · ") + rate(total.redeemed, total.issued));
      tile("redeemed_fen", total.redeemed_fen, yuan, now + yuan(today.redeemed_fen));
    }
    if (cards) {
      tile("cards", cards.issued, whole, now + number(cards.today.issued) + t(" · 使用 ", " · used ") + number(cards.used));
      tile("rate", cards.rate, percent, cards.allocated === null ? t("尚未分配任务", "no allocation yet") : t("任务 ", "of ") + number(cards.allocated));
      tile("unattributed", cards.unattributed, whole, t("计入总数 · 扫码 ", "in the total · scans ") + number(cards.scans));
    }
  }

  function paintToday(view) {
    var place = at("today").querySelector(".today");
    place.textContent = "";
    var rows = [];
    if (view.campaign) {
      var today = view.campaign.today;
      rows = [
        [t("参与人数", "People"), number(today.participants)], [t("答题", "Attempts"), number(today.attempts)], [t("抽奖", "Draws"), number(today.draws)],
        [t("中奖", "Wins"), number(today.wins)], [t("领券", "Vouchers"), number(today.issued)], [t("核销", "Redeemed"), number(today.redeemed)],
        [t("核销（元）", "Yuan"), yuan(today.redeemed_fen)],
      ];
    }
    if (view.programme) {
      rows.push([t("发卡", "Cards"), number(view.programme.today.issued), "card"], [t("用卡", "Cards used"), number(view.programme.today.used), "card"]);
    }
    rows.forEach(function (row) {
      var box = place.appendChild(element("div", row[2] || ""));
      box.appendChild(element("dt", "", row[0]));
      box.appendChild(element("dd", "", row[1]));
    });
    at("today-note").textContent = view.as_of.slice(0, 10);
  }

  function choices(id, found, chosen) {
    var select = at(id);
    select.hidden = found.length === 0;
    if (select.options.length !== found.length) {
      select.textContent = "";
      found.forEach(function (one) { select.appendChild(new Option(one.title, one.slug)); });
    }
    if (chosen) { select.value = chosen.slug; }
  }

  function paint() {
    if (!shown || at("main").hidden) { return; }
    choices("campaign", shown.campaigns, shown.campaign);
    choices("programme", shown.programmes, shown.programme);
    paintTiles(shown);
    paintToday(shown);
    if (shown.campaign) {
      paintWay(shown.campaign);
      paintTypes(shown.campaign);
      paintMoney(shown.campaign);
      paintPlaces(shown.campaign);
    } else { ["funnel", "daily", "shares", "stock", "payers", "counties", "institutions"].forEach(nothing); }
    if (shown.programme) { paintCards(shown.programme); } else { ["target", "units", "hospitals"].forEach(nothing); }
  }

  // The banner takes a line from all charts.
  function fit() { Object.keys(charts).forEach(function (id) { charts[id].resize(); }); }

  function tellAge() {
    var old = freshAt !== null && performance.now() - freshAt > PERIODS * period;
    var late = gone || old;
    at("state").classList.toggle("late", late);
    at("as-of").textContent = moment(asOf) || "–";
    var banner = at("banner");
    var words = !late || at("main").hidden ? "" : (gone
      ? t("网络或服务中断，正在重试。显示的是 ", "The network or the service is gone; trying again. What you see is of ")
      : t("数据未能按时更新。显示的是 ", "The figures were not renewed in time. What you see is of ")) + moment(asOf) + t(" 的数据。", ".");
    if (banner.textContent !== words) { banner.textContent = words; }
    if (banner.hidden !== (words === "")) {
      banner.hidden = words === "";
      fit();
    }
  }

  function open() {
    at("closed").hidden = true;
    at("main").hidden = false;
    at("main").setAttribute("aria-busy", "false");
  }

  function close(problem) {
    shown = etag = null;
    at("main").hidden = true;
    at("closed").hidden = false;
    at("reason").textContent = problem.detail;
    at("reason").dataset.code = problem.code;
  }

  function heard(response) {
    gone = false;
    asOf = response.headers.get("X-As-Of");
    freshAt = performance.now() - Number(response.headers.get("Age") || 0) * 1000;
  }

  function take(response) {
    if (response.status === 304) {
      heard(response);
      return null;
    }
    if (response.ok) {
      return response.json().then(function (view) {
        heard(response);
        etag = response.headers.get("ETag");
        shown = view;
        period = view.refresh_seconds * 1000;
        open();
        paint();
      });
    }
    if ([401, 403, 404].indexOf(response.status) >= 0) { return response.json().then(close); }
    // Overload or a fault of ours: what is shown stays, and says that it is old.
    gone = true;
    return null;
  }

  function ask() {
    clearTimeout(timer);
    var address = new URL(PATH, location.origin), here = new URLSearchParams(location.search);
    ["campaign", "programme"].forEach(function (key) { if (here.get(key)) { address.searchParams.set(key, here.get(key)); } });
    var headers = { "Accept-Language": english ? "en" : "zh" };
    if (location.hash.length > 1) { headers.Authorization = "Bearer " + location.hash.slice(1); }
    if (etag) { headers["If-None-Match"] = etag; }
    return fetch(address, { headers: headers, cache: "no-store", credentials: "same-origin" })
      .then(take, function () { gone = true; })
      .finally(function () {
        tellAge();
        // Nobody looks at a tab behind another one: it asks when it comes to the front again.
        if (!document.hidden) { timer = setTimeout(ask, period); }
      });
  }

  function choose(event) {
    var here = new URLSearchParams(location.search);
    here.set(event.target.id, event.target.value);
    history.replaceState(null, "", "?" + here + location.hash);
    etag = null;
    ask();
  }

  at("campaign").addEventListener("change", choose);
  at("programme").addEventListener("change", choose);
  // The switch leads to the same screen: the fragment goes along.
  at("switch").addEventListener("click", function (event) {
    event.preventDefault();
    var here = new URLSearchParams(location.search);
    here.set("lang", english ? "zh" : "en");
    location.assign("?" + here + location.hash);
  });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) { ask(); } });
  window.addEventListener("online", ask);
  window.addEventListener("offline", function () { gone = true; tellAge(); });
  window.addEventListener("hashchange", function () { etag = null; ask(); });
  window.addEventListener("resize", function () { fit(); paint(); });
  setInterval(tellAge, 1000);
  ask();
})();
